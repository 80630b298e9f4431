// The steps that the suite's cases share: making records, filling the old system, reading under a fault.
import { ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { waitFor } from '../../support/wait.ts';
import type { SuiteFault, SuiteRecord } from './column.ts';
import type { SuiteAnswer, SuiteHost } from './host.ts';

/** Longer than any protocol's own repeated attempt to reach the hub. */
const TELL_MS_MAX = 15_000;

/** Records with ids and an area that no other case uses. */
export function records(prefix: string, count: number): readonly SuiteRecord[] {
  const area = `3205${randomBytes(4).readUInt32BE().toString().padStart(10, '0').slice(0, 8)}`;
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}-${area.slice(-6)}-${index}`,
    name: `平江路${index}号路灯不亮𠮷`,
    area,
    state: index % 2 === 0 ? ('OPEN' as const) : ('CLOSED' as const),
    version: index + 1,
    changedAt: '2026-11-22T08:00:00+08:00',
  }));
}

/** Fills the old system so that the graph has the records. */
export async function seed(host: SuiteHost, fill: readonly SuiteRecord[]): Promise<readonly SuiteRecord[]> {
  await host.system.put(fill);
  if (!host.system.readsStore) return fill;
  for (const record of fill) await tell(host, record);
  await untilStored(host, fill);
  return fill;
}

/** Waits until every one of the records has come to the connectors' store. */
export async function untilStored(host: SuiteHost, told: readonly SuiteRecord[]): Promise<void> {
  for (const { id } of told) {
    await waitFor(`${id} to be stored`, async () => (await host.stored(id)) !== undefined);
  }
}

/** Tells the hub of a change, as often as the old system must until it is taken. */
export async function tell(host: SuiteHost, record: SuiteRecord): Promise<void> {
  const { push } = host.system;
  ok(push !== undefined, 'the column has no push');
  await waitFor(
    `${record.id} to be taken`,
    async () => {
      await push.call(host.system, record, host.ingestUrl);
      return true;
    },
    TELL_MS_MAX,
  );
}

/** A machine that is busy lets a sound old system miss the guard's time-out: then it is asked again, this often at the most. */
const PATIENCE = 8;

/** An answer of an old system that is sound. */
export async function askPatiently(ask: () => Promise<SuiteAnswer>): Promise<SuiteAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    const isLate = answer.errors.some(({ extensions }) => extensions.code === 'DEADLINE_EXCEEDED');
    if (!isLate || attempt === PATIENCE) return answer;
  }
}

/** Reads a record under a fault: `asked` needs the old system, `known` only its key, which is known already. */
export async function breakAndRead(
  host: SuiteHost,
  fault: SuiteFault,
  { id }: SuiteRecord,
): Promise<SuiteAnswer> {
  await host.system.fault(fault);
  return host.query('query($id: ID!) { asked: record(id: $id) { id name } known: record(id: $id) { id } }', {
    id,
  });
}

/** The name that an answer gives: null when there is none, or no record. */
export function namedRecord(record: unknown): unknown {
  return (record as { name?: unknown } | null | undefined)?.name ?? null;
}
