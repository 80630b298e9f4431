// Rows of the incident library as SQL of our own reads and writes them, under the names that Prisma gives them.
import type { Attempt, Delivery, Incident, Progress } from './generated/client.ts';

/** A name and its column, which is the name in snake case. */
type Columns<Row> = Readonly<Record<keyof Row, string>>;

const INCIDENT = columns<Incident>({
  id: null,
  title: null,
  description: null,
  channel: null,
  state: null,
  version: null,
  matter: null,
  division: null,
  address: null,
  department: null,
  reportedAt: null,
  receivedAt: null,
  fingerprint: null,
  urgency: null,
  confidential: null,
  longitude: null,
  latitude: null,
  centre: null,
  mergedInto: null,
  round: null,
  attempt: null,
  returnCount: null,
  reworkCount: null,
  verifiedAt: null,
  extensionUntil: null,
  supervisedAt: null,
  rating: null,
  evaluation: null,
  closedAt: null,
  replyDueAt: null,
  replyByWeekdays: null,
  replyOverdueAt: null,
  dueAt: null,
  overdueCheckAt: null,
  duplicateCheck: null,
});

const ATTEMPT = columns<Attempt>({
  incidentId: null,
  number: null,
  round: null,
  department: null,
  routedAt: null,
  routedBy: null,
  overrideReason: null,
  signedAt: null,
  signedBy: null,
  returnedAt: null,
  returnReason: null,
  returnText: null,
  fedBackAt: null,
  result: null,
  reworkCount: null,
  extensionCount: null,
  outcome: null,
  externalKind: null,
  externalNumber: null,
  signDueAt: null,
  returnDueAt: null,
  handleDueAt: null,
  byWeekdays: null,
  signOverdueAt: null,
  handleOverdueAt: null,
  delivery: null,
  deliveredAt: null,
  deliveryCode: null,
  deliverySystem: null,
});

const DELIVERY = columns<Delivery>({
  commandId: null,
  incidentId: null,
  attempt: null,
  system: null,
  version: null,
  state: null,
  code: null,
  upstreamRef: null,
  numberKind: null,
  at: null,
  nextAt: null,
});

const PROGRESS = columns<Progress>({
  sequence: null,
  source: null,
  eventId: null,
  system: null,
  kind: null,
  number: null,
  state: null,
  at: null,
  reason: null,
  result: null,
  by: null,
  receivedAt: null,
  giveUpAt: null,
  nextAt: null,
  tries: null,
  incidentId: null,
  problem: null,
  problemAt: null,
});

function columns<Row>(names: Readonly<Record<keyof Row, null>>): Columns<Row> {
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.keys(names).map((name) => [name, snake(name)])) as Columns<Row>;
}

/** What `SELECT` names to read a whole incident from `alias`, as an `Incident`. */
export function incidentColumns(alias: string): string {
  return selected(INCIDENT, alias, '');
}

/** Likewise a delivery: the row is one. */
export function deliveryColumns(alias: string): string {
  return selected(DELIVERY, alias, '');
}

/** Likewise what was told; `sequence` comes as decimal digits. */
export function progressColumns(alias: string): string {
  return selected(PROGRESS, alias, '');
}

const ATTEMPT_PREFIX = 'attempt_';

/** Likewise an attempt, beside other things: `attemptOf` takes it from the row. */
export function attemptColumns(alias: string): string {
  return selected(ATTEMPT, alias, ATTEMPT_PREFIX);
}

function selected(names: Readonly<Record<string, string>>, alias: string, prefix: string): string {
  return Object.entries(names)
    .map(([name, column]) => `${alias}."${column}" AS "${prefix}${name}"`)
    .join(', ');
}

/** @returns null where an outer join found none */
export function attemptOf(row: Readonly<Record<string, unknown>>): Attempt | null {
  if (row[`${ATTEMPT_PREFIX}number`] === null) return null;
  return Object.fromEntries(
    Object.keys(ATTEMPT).map((name) => [name, row[ATTEMPT_PREFIX + name]]),
  ) as unknown as Attempt;
}

export function incidentOf(row: Readonly<Record<string, unknown>>): Incident {
  return Object.fromEntries(Object.keys(INCIDENT).map((name) => [name, row[name]])) as unknown as Incident;
}

/** A statement and its parameters. */
export interface Sql {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/**
 * Several inserts, updates and deletes as one statement: one round of parsing, planning and answering. They all see what was before
 * the first of them, and no two of them may write the same row.
 */
export function inOneStatement(writes: readonly Sql[]): Sql {
  const key = writes.map(({ sql }) => sql).join('\n;\n');
  const known = COMBINED.get(key) ?? combine(writes);
  if (COMBINED.size < COMBINED_MAX) COMBINED.set(key, known);
  return { sql: known, parameters: writes.flatMap(({ parameters }) => parameters) };
}

/** There is one for each set of columns that some action writes. */
const COMBINED_MAX = 200;
const COMBINED = new Map<string, string>();

function combine(writes: readonly Sql[]): string {
  let before = 0;
  const parts = writes.map(({ sql, parameters }, index) => {
    const offset = before;
    before += parameters.length;
    return `w${index} AS (${sql.replace(/\$(\d+)/g, (_, number: string) => `$${Number(number) + offset}`)})`;
  });
  return `WITH ${parts.join(',\n')} SELECT 1 AS written`;
}

/** @param patch columns that are undefined stay as they are; with none at all there is no statement */
export function updateIncident(id: string, patch: Partial<Incident>): Sql {
  const { sets, parameters } = assignments(INCIDENT, patch, 2);
  return { sql: `UPDATE incidents.incident SET ${sets} WHERE id = $1`, parameters: [id, ...parameters] };
}

/** The same of an attempt. */
export function updateAttempt(incidentId: string, number: number, patch: Partial<Attempt>): Sql {
  const { sets, parameters } = assignments(ATTEMPT, patch, 3);
  const sql = `UPDATE incidents.attempt SET ${sets} WHERE incident_id = $1 AND number = $2`;
  return { sql, parameters: [incidentId, number, ...parameters] };
}

const REPORTED = [
  'id',
  'title',
  'description',
  'channel',
  'state',
  'version',
  'matter',
  'division',
  'address',
  'reportedAt',
  'receivedAt',
  'fingerprint',
  'urgency',
  'confidential',
  'longitude',
  'latitude',
  'centre',
  'duplicateCheck',
] as const satisfies readonly (keyof Incident)[];

/** What is known of an incident when it is reported; the other columns begin with their defaults. */
export type ReportedIncident = Pick<Incident, (typeof REPORTED)[number]>;

const REPORTED_COLUMNS = REPORTED.map((name) => INCIDENT[name]).join(', ');
const INSERT_REPORTED = `INSERT INTO incidents.incident (${REPORTED_COLUMNS})
SELECT ${REPORTED_COLUMNS} FROM json_populate_recordset(NULL::incidents.incident, $1::json)
ON CONFLICT DO NOTHING RETURNING id`;

/** Answers the ids of those that were not there before. */
export function insertReported(incidents: readonly ReportedIncident[]): Sql {
  const rows = incidents.map((incident) =>
    Object.fromEntries(REPORTED.map((name) => [INCIDENT[name], incident[name]])),
  );
  return { sql: INSERT_REPORTED, parameters: [toJson(rows)] };
}

/** As one parameter, whatever their number. PostgreSQL reads no half of a surrogate pair from JSON. */
export function toJson(rows: readonly object[]): string {
  return JSON.stringify(rows, (_, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
}

const INSERT_ATTEMPT = `INSERT INTO incidents.attempt (${Object.values(ATTEMPT).join(', ')})
VALUES (${Object.keys(ATTEMPT)
  .map((_, index) => `$${index + 1}`)
  .join(', ')})`;

export function insertAttempt(attempt: Attempt): Sql {
  return {
    sql: INSERT_ATTEMPT,
    parameters: Object.keys(ATTEMPT).map((name) => attempt[name as keyof Attempt]),
  };
}

/** In the order of the table, so that equal sets of columns make equal texts. */
function assignments(
  names: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, unknown>>,
  from: number,
): { readonly sets: string; readonly parameters: readonly unknown[] } {
  const changed = Object.entries(names).filter(([name]) => patch[name] !== undefined);
  return {
    sets: changed.map(([, column], index) => `"${column}" = $${from + index}`).join(', '),
    parameters: changed.map(([name]) => patch[name]),
  };
}
