// The case of a write whose answer is lost: it is applied once, is not sent again, and its receipt says what is known.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { delay } from '@weft/core/deadline';
import { waitFor } from '../../support/wait.ts';
import { records, seed } from './case-steps.ts';
import type { SuiteHost } from './host.ts';

/** Longer than the outbox takes to send anew what it may send anew. */
const SENT_AGAIN_MS = 1_000;

export async function checkWriteUnknown(host: SuiteHost): Promise<void> {
  const { applied } = host.system;
  ok(applied !== undefined, 'the column cannot say how often a write was applied');
  const [record] = await seed(host, records('write', 1));
  ok(record);
  const requestId = `${record.id}-w`;
  await host.system.fault('write lost');
  // The fate may be found out before the answer must go: then it is known, and else it is told as unknown. Nothing else is true.
  ok(KNOWN_OR_NOT.includes(await rename(host, record.id, requestId)));
  await waitFor('the write to be applied', async () => (await applied.call(host.system, requestId)) === 1);
  await host.system.fault(undefined);
  await delay(SENT_AGAIN_MS);
  equal(await applied.call(host.system, requestId), 1);
  // The same number again is the same write.
  ok(KNOWN_OR_NOT.includes(await rename(host, record.id, requestId)));
  equal(await applied.call(host.system, requestId), 1);
}

const KNOWN_OR_NOT: readonly unknown[] = ['UNKNOWN', 'APPLIED'];

/** The outcome that the receipt tells. */
async function rename(host: SuiteHost, id: string, requestId: string): Promise<unknown> {
  const { data, errors } = await host.query(
    'mutation($id: ID!, $requestId: ID!) { renameRecord(id: $id, name: "新的名称", requestId: $requestId) { outcome } }',
    { id, requestId },
  );
  deepEqual(errors, []);
  return (data?.renameRecord as { readonly outcome?: unknown } | null)?.outcome;
}
