// Finds who has told of the same: within 50 m and 24 h, of the same matter; merges it where that is certain.
import type { Logger } from '@weft/core/logger';
import type { StoreTransaction } from '@weft/core/sql-store';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { Incident, PrismaClient } from './generated/client.ts';
import { type Held, holdIncidents } from './hold.ts';
import type { Library } from './library.ts';
import { isMatter } from './matters.ts';
import { absorb } from './merging.ts';
import type { IdentifiedReport } from './put-reports.ts';
import { updateIncident } from './rows.ts';
import { OPEN_STATES } from './state-machine.ts';
import { testimonyOfLibrary } from './step-evidence.ts';
import { writeStep } from './steps.ts';
import { startWatch, type Watch } from './watch.ts';

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
/** Between two looks. */
const LOOK_MS = 1_000;
/** Incidents in one look; those beyond come with the next, at once. */
const INCIDENTS_MAX = 100;
/** In the box around a place, of one matter and day: more would be one that nobody merges. */
const CANDIDATES_MAX = 200;

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

/** What may be merged without asking: it has a place and a matter that the standard knows, is no draft, and is not kept from view. */
export function isComparable({ report, isDraft = false }: IdentifiedReport): boolean {
  return (
    !isDraft &&
    !report.confidential &&
    report.position !== null &&
    report.matter !== null &&
    isMatter(report.matter)
  );
}

/** Looks until closed. */
export function startDuplicateWatch(library: Library, hash: HashAlgorithm, logger: Logger): Watch {
  const look = async (signal: AbortSignal) =>
    (await mergeDuplicates(library, hash, signal)) === INCIDENTS_MAX;
  return startWatch({ name: 'duplicates', everyMs: LOOK_MS, look, logger });
}

/**
 * Merges what was received and not compared yet.
 * @returns how many were compared
 */
export async function mergeDuplicates(
  library: Library,
  hash: HashAlgorithm,
  signal?: AbortSignal,
): Promise<number> {
  const fresh = await library.prisma.incident.findMany({
    where: { duplicateCheck: true },
    orderBy: [{ receivedAt: 'asc' }, { id: 'asc' }],
    take: INCIDENTS_MAX,
    select: { id: true },
  });
  for (const { id } of fresh) {
    if (signal?.aborted) break;
    await mergeIfDuplicate(library, id, hash);
  }
  return fresh.length;
}

/**
 * Merges an incident into the open one of the same place, day and matter that was received first; in a transaction of its
 * own (see `lockIncidents`). Done again it changes nothing.
 */
export async function mergeIfDuplicate(
  { prisma, sql }: Library,
  id: string,
  hash: HashAlgorithm,
): Promise<void> {
  const incident = await prisma.incident.findUnique({ where: { id } });
  if (incident === null || !incident.duplicateCheck) return;
  const { earlier, later } = await findNear(prisma, incident);
  const [survivor] = earlier;
  if (survivor === undefined) await compareAnew(prisma, later);
  await sql.transaction(async (tx) => {
    const ids = survivor === undefined ? [id] : [id, survivor.id];
    const all = await holdIncidents(tx, ids);
    // What was committed while the lock was waited for: the next look merges.
    if (survivor === undefined && (await findNear(prisma, incident)).earlier.length > 0) return;
    await mergeHeld(tx, all, { id, survivorId: survivor?.id }, hash);
  });
}

/** Those that were received later were compared, perhaps, before this one was committed: then each of the two has seen nothing. */
async function compareAnew(prisma: PrismaClient, later: readonly Incident[]): Promise<void> {
  for (const { id, duplicateCheck, state } of later) {
    if (duplicateCheck || state !== 'REPORTED') continue;
    // One by one, each for itself: nothing is held while another is waited for.
    await prisma.incident.updateMany({
      where: { id, duplicateCheck: false, state: 'REPORTED' },
      data: { duplicateCheck: true },
    });
  }
}

async function mergeHeld(
  tx: StoreTransaction,
  all: ReadonlyMap<string, Held>,
  { id, survivorId }: { readonly id: string; readonly survivorId: string | undefined },
  hash: HashAlgorithm,
): Promise<void> {
  const held = all.get(id);
  if (held === undefined || !held.incident.duplicateCheck) return;
  const survivor = survivorId === undefined ? undefined : all.get(survivorId);
  const isReported = held.incident.state === 'REPORTED';
  const patch = { duplicateCheck: false };
  // Somebody has taken it up, or ended the other, while the lock was waited for: then a person decides.
  if (survivor === undefined || !isOpen(survivor.incident) || !isReported) {
    const isLost = survivor !== undefined && !isOpen(survivor.incident) && isReported;
    const { sql, parameters } = updateIncident(id, patch);
    // The survivor has ended: there may be another one.
    if (!isLost) await tx.later.query(sql, parameters);
    return;
  }
  const at = new Date();
  const testimony = testimonyOfLibrary('DUPLICATE', hash);
  const merger = { by: BY, role: null, at, reason: `${METRES_MAX}米、24小时内同一事项`, testimony };
  const merged = await absorb(tx, held, survivor, merger);
  const facts = { ...merged.step, kind: 'MERGED', to: 'MERGED', at, by: BY } as const;
  await writeStep(tx, held, facts, {
    testimony: { ...testimony, ...(merged.told === undefined ? {} : { told: merged.told }) },
    patch: { ...merged.patch, ...patch },
    attemptPatch: merged.attemptPatch,
  });
}

interface Near {
  /** Received before it, the first in front: of many none waits for another in a circle. */
  readonly earlier: readonly Incident[];
  readonly later: readonly Incident[];
}

/** Open ones of the same place, day and matter. */
async function findNear(prisma: PrismaClient, incident: Incident): Promise<Near> {
  const { id, longitude, latitude, matter, reportedAt, receivedAt } = incident;
  if (longitude === null || latitude === null || matter === null || !isMatter(matter))
    return { earlier: [], later: [] };
  const place = { longitude, latitude };
  const { west, east, south, north } = boxAround(place);
  const candidates = await prisma.incident.findMany({
    where: {
      id: { not: id },
      latitude: { gte: south, lte: north },
      longitude: { gte: west, lte: east },
      matter,
      confidential: false,
      state: { in: [...OPEN_STATES] },
      reportedAt: { gte: new Date(+reportedAt - APART_MS_MAX), lte: new Date(+reportedAt + APART_MS_MAX) },
    },
    orderBy: [{ receivedAt: 'asc' }, { id: 'asc' }],
    take: CANDIDATES_MAX,
  });
  const near = candidates.filter((candidate) => isNear(place, candidate));
  const isEarlier = (other: Incident) =>
    +other.receivedAt < +receivedAt || (+other.receivedAt === +receivedAt && other.id < id);
  return { earlier: near.filter(isEarlier), later: near.filter((other) => !isEarlier(other)) };
}

function isOpen({ state }: Incident): boolean {
  return (OPEN_STATES as readonly string[]).includes(state);
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
