// Finds who has told of the same: within 50 m and 24 h, of the same matter; merges it where that is certain.
import type { Incident, Prisma, PrismaClient } from './generated/client.ts';
import { absorb } from './merging.ts';
import type { IdentifiedReport } from './put-reports.ts';
import { OPEN_STATES } from './state-machine.ts';
import { writeStep } from './steps.ts';

/** Metres between two reports of the same. */
const METRES_MAX = 50;
/** Milliseconds between them. */
const APART_MS_MAX = 24 * 3_600_000;
/** Of the ellipsoid of CGCS2000, as a sphere of the same volume. */
const EARTH_RADIUS_M = 6_371_000;
/** What is listed as similar, at the most. */
export const SIMILAR_MAX = 20;
/** Who merges without being asked, as it stands in the steps. */
const BY = 'incidents';
/** Side of the cells that are locked, in degrees: wider than 50 m at any latitude where people live. */
const CELL_DEGREES = 0.01;
const LOCK_CLASS = 320_508_002;

interface Place {
  readonly longitude: number;
  readonly latitude: number;
}

/** Metres along the great circle. */
export function metresBetween(one: Place, other: Place): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const north = Math.sin(radians(other.latitude - one.latitude) / 2) ** 2;
  const east = Math.sin(radians(other.longitude - one.longitude) / 2) ** 2;
  const half = north + Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * east;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(half)));
}

/** A box that has all within 50 m in it. */
function boxAround({ longitude, latitude }: Place) {
  const north = (METRES_MAX / EARTH_RADIUS_M) * (180 / Math.PI) * 1.01;
  const east = north / Math.max(0.01, Math.cos((latitude * Math.PI) / 180));
  return { west: longitude - east, east: longitude + east, south: latitude - north, north: latitude + north };
}

/** What can be merged without asking: it has a place and a matter, is no draft, and is not kept from view. */
function isCertain({ report, isDraft = false }: IdentifiedReport): boolean {
  return !isDraft && !report.confidential && report.position !== null && report.matter !== null;
}

/**
 * Two who report the same at the same moment must not both be the first: whoever comes second waits for the first's
 * transaction. In one order, so that nobody waits in a circle.
 */
export async function lockPlaces(
  tx: Prisma.TransactionClient,
  reports: readonly IdentifiedReport[],
): Promise<void> {
  const cells = new Set(reports.filter(isCertain).flatMap(cellsOf));
  const keys = [...cells].sort();
  if (keys.length === 0) return;
  await tx.$queryRaw`
    SELECT pg_advisory_xact_lock(${LOCK_CLASS}::int, hash)::text
    FROM (SELECT DISTINCT hashtext(key) AS hash FROM unnest(${keys}::text[]) AS key ORDER BY 1) AS hashes`;
}

/** The cells that 50 m around touch, each with the matter. */
function cellsOf({ report: { position, matter } }: IdentifiedReport): readonly string[] {
  if (position === null) return [];
  const { west, east, south, north } = boxAround(position);
  const spread = (from: number, to: number) => [
    ...new Set([from, to].map((degrees) => Math.floor(degrees / CELL_DEGREES))),
  ];
  return spread(south, north).flatMap((row) =>
    spread(west, east).map((column) => `${matter} ${row} ${column}`),
  );
}

/** Merges each fresh report into the open incident of the same place, day and matter that was reported first. */
export async function mergeDuplicates(
  tx: Prisma.TransactionClient,
  fresh: readonly IdentifiedReport[],
  at: Date,
): Promise<void> {
  const later = new Set(fresh.map(({ id }) => id));
  for (const identified of fresh) {
    later.delete(identified.id);
    if (isCertain(identified)) await mergeOne(tx, identified, [...later, identified.id], at);
  }
}

async function mergeOne(
  tx: Prisma.TransactionClient,
  { id, report }: IdentifiedReport,
  not: readonly string[],
  at: Date,
): Promise<void> {
  const { position, matter, reportedAt } = report;
  if (position === null) return;
  const { west, east, south, north } = boxAround(position);
  const candidates = await tx.incident.findMany({
    where: {
      id: { notIn: [...not] },
      latitude: { gte: south, lte: north },
      longitude: { gte: west, lte: east },
      matter,
      confidential: false,
      state: { in: [...OPEN_STATES] },
      reportedAt: { gte: new Date(+reportedAt - APART_MS_MAX), lte: new Date(+reportedAt + APART_MS_MAX) },
    },
    orderBy: [{ reportedAt: 'asc' }, { id: 'asc' }],
    take: SIMILAR_MAX,
  });
  const near = candidates.find((candidate) => isNear(position, candidate));
  if (near === undefined) return;
  await tx.$queryRaw`SELECT 1 FROM incidents.incident WHERE id = ${near.id}::uuid FOR UPDATE`;
  const survivor = await tx.incident.findUniqueOrThrow({ where: { id: near.id } });
  // It may have ended while its row was waited for.
  if (!(OPEN_STATES as readonly string[]).includes(survivor.state)) return;
  const incident = await tx.incident.findUniqueOrThrow({ where: { id } });
  const reason = `${METRES_MAX}米、24小时内同一事项`;
  const merger = { by: BY, role: null, at, reason };
  const { patch = {}, step } = await absorb(tx, incident, survivor, merger);
  await writeStep(tx, incident, { ...step, kind: 'MERGED', to: 'MERGED', at, by: BY }, { patch });
}

function isNear(place: Place, { longitude, latitude }: Pick<Incident, 'longitude' | 'latitude'>): boolean {
  if (longitude === null || latitude === null) return false;
  return metresBetween(place, { longitude, latitude }) <= METRES_MAX;
}

/** One that is like another. */
export interface Similar {
  readonly of: string;
  readonly id: string;
  readonly metres: number;
}

/**
 * Open ones within 50 m and 24 h of each of these, the nearest first: of the same matter or of the same class of matters
 * (its first two digits), and those that one of the two has no matter for. Who merges them is a person.
 */
export async function findSimilar(prisma: PrismaClient, ids: readonly string[]): Promise<readonly Similar[]> {
  const rows = await prisma.$queryRaw<{ of: string; id: string; one: Place; other: Place }[]>`
    SELECT a.id::text AS of, b.id::text AS id,
           json_build_object('longitude', a.longitude, 'latitude', a.latitude) AS one,
           json_build_object('longitude', b.longitude, 'latitude', b.latitude) AS other
    FROM incidents.incident a
    JOIN LATERAL (
      SELECT id, longitude, latitude FROM incidents.incident b
      WHERE b.latitude BETWEEN a.latitude - 0.00046 AND a.latitude + 0.00046
        AND b.longitude BETWEEN a.longitude - 0.00046 / greatest(0.01, cos(radians(a.latitude)))
                            AND a.longitude + 0.00046 / greatest(0.01, cos(radians(a.latitude)))
        AND b.id <> a.id AND b.state = ANY(${[...OPEN_STATES]}::text[])
        AND b.reported_at BETWEEN a.reported_at - interval '24 hours' AND a.reported_at + interval '24 hours'
        AND (a.matter IS NULL OR b.matter IS NULL OR left(a.matter, 2) = left(b.matter, 2))
      ORDER BY (b.latitude - a.latitude) ^ 2 + (b.longitude - a.longitude) ^ 2, b.id
      LIMIT ${SIMILAR_MAX}
    ) b ON true
    WHERE a.id = ANY(${[...ids]}::uuid[]) AND a.latitude IS NOT NULL AND a.longitude IS NOT NULL`;
  return rows
    .map(({ of, id, one, other }) => ({ of, id, metres: metresBetween(one, other) }))
    .filter(({ metres }) => metres <= METRES_MAX);
}
