// The case of a write whose answer is lost: it is applied once, is not sent again, and its receipt says what is known.
import { equal, ok } from 'node:assert/strict';
import { delay } from '@weft/core/deadline';
import { waitFor } from '../../support/wait.ts';
import { records, seed } from './case-steps.ts';
import type { SuiteHost } from './host.ts';

/** Longer than the outbox takes to send anew what it may send anew. */
const SENT_AGAIN_MS = 2_000;

export async function checkWriteUnknown(host: SuiteHost): Promise<void> {
  const { applied } = host.system;
  ok(applied !== undefined, 'the column cannot say how often a write was applied');
  const [record] = await seed(host, records('write', 1));
  ok(record);
  const requestId = `${record.id}-w`;
  await host.system.fault('write lost');
  const { data, errors } = await host.query(
    'mutation($id: ID!, $requestId: ID!) { renameRecord(id: $id, name: "新的名称", requestId: $requestId) { __typename } }',
    { id: record.id, requestId },
  );
  // Either a receipt that says that the fate is not known, or the error that says so: never a silent success or failure.
  if (errors.length > 0) equal(errors[0]?.extensions.code, 'WRITE_UNKNOWN');
  else ok(data?.renameRecord, 'expected a receipt');
  await waitFor('the write to be applied', async () => (await applied.call(host.system, requestId)) === 1);
  await host.system.fault(undefined);
  await delay(SENT_AGAIN_MS);
  equal(await applied.call(host.system, requestId), 1);
}
