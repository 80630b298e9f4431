// Dispatches by a connector host that is killed at any moment, judged by the book of the department's system.
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../differential/random.ts';
import { waitFor } from '../support/wait.ts';
import { startHostProcess } from './host.ts';
import { openRig, type Rig } from './rig.ts';

export interface DispatchCrashReport {
  readonly attempts: number;
  /** Sendings that a kill, or the time-out, left without an outcome. */
  readonly unknown: number;
  /** Incidents that the book does not have. */
  readonly lost: readonly string[];
  /** Incidents that it has more than once. */
  readonly doubled: readonly string[];
  /** Attempts whose number is not the book's. */
  readonly strange: readonly string[];
}

const INCIDENTS_A_KILL = 5;
/** From a routing to the answer of the system it takes some hundreds of milliseconds: kills fall on every part of that. */
const KILL_AFTER_MS_MAX = 700;
const ANSWERS_AFTER_MS = 50;
const DELIVERED_MS_MAX = 60_000;

/** Runs until every attempt is delivered. */
export async function runDispatchCrashes(kills: number, seed: number): Promise<DispatchCrashReport> {
  const rig = await openRig();
  // A second call would be a second record: nothing but the hub keeps each attempt to one.
  rig.urban.ignoresNumbers = true;
  rig.urban.answersAfterMs = ANSWERS_AFTER_MS;
  try {
    const titles = Array.from({ length: kills * INCIDENTS_A_KILL }, (_, index) => `第${index}件`);
    const ids = await Promise.all(titles.map((title) => rig.report(title)));
    await routeWhileKilled(rig, ids, kills, seed);
    return await judge(rig, ids);
  } finally {
    await rig.close();
  }
}

async function routeWhileKilled(
  rig: Rig,
  ids: readonly string[],
  kills: number,
  seed: number,
): Promise<void> {
  const random = createRandom(seed);
  const start = () => startHostProcess(rig.database.url, rig.env);
  let host = await start();
  try {
    for (let kill = 0; kill < kills; kill++) {
      const chunk = ids.slice(kill * INCIDENTS_A_KILL, (kill + 1) * INCIDENTS_A_KILL);
      const routed = Promise.all(chunk.map((id) => rig.route(id, 'urban-management')));
      await sleep(random.below(KILL_AFTER_MS_MAX));
      await host.kill();
      await routed;
      host = await start();
    }
    const sql = `SELECT count(*)::int AS count FROM incidents.attempt WHERE delivery = 'APPLIED'`;
    const isOver = async () =>
      (await rig.database.client.query<{ count: number }>(sql)).rows[0]?.count === ids.length;
    await waitFor('every delivery', isOver, DELIVERED_MS_MAX);
  } finally {
    await host.kill();
  }
}

async function judge(
  { urban: { book }, database }: Rig,
  ids: readonly string[],
): Promise<DispatchCrashReport> {
  const cases = Map.groupBy(book, ({ incident }) => incident);
  const { rows } = await database.client.query<{ incident_id: string; external_number: string }>(
    'SELECT incident_id, external_number FROM incidents.attempt',
  );
  const { rows: unknown } = await database.client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM connectors.command_attempt WHERE kind = 'SEND' AND outcome = 'UNKNOWN'`,
  );
  return {
    attempts: rows.length,
    unknown: unknown[0]?.count ?? 0,
    lost: ids.filter((id) => !cases.has(id)),
    doubled: ids.filter((id) => (cases.get(id)?.length ?? 0) > 1),
    strange: rows.flatMap((row) =>
      cases.get(row.incident_id)?.[0]?.caseNo === row.external_number ? [] : [row.incident_id],
    ),
  };
}
