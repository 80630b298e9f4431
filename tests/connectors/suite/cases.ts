// Every case of the suite, written once: none knows which protocol it runs on.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { compileSystem } from '@weft/connectors/compile/compile';
import { waitFor } from '../../support/wait.ts';
import { askPatiently, breakAndRead, namedRecord, records, seed, tell, untilStored } from './case-steps.ts';
import { type CaseName, SUITE_GUARD, type SuiteFault, type SuiteRecord } from './column.ts';
import { checkDiscover } from './discover-case.ts';
import type { SuiteAnswer, SuiteError, SuiteHost } from './host.ts';
import { checkWriteUnknown } from './write-case.ts';

export type Case = (host: SuiteHost) => Promise<void>;

/** A machine that is busy with other things may take this much longer than the guard's time-out. */
const SLACK_MS = 2_000;
const WHOLE = 'id name area state version changedAt';

export const RUN: Readonly<Record<CaseName, Case>> = {
  check,
  discover: checkDiscover,
  fetch: fetchOne,
  batch,
  missing,
  duplicate,
  slow: (host) => failing(host, 'slow', ['DEADLINE_EXCEEDED', 'UPSTREAM_UNAVAILABLE']),
  'half body': (host) => failing(host, 'half body', ['UPSTREAM_INVALID', 'UPSTREAM_UNAVAILABLE']),
  reset: (host) => failing(host, 'reset', ['UPSTREAM_UNAVAILABLE']),
  'wrong charset': wrongCharset,
  'wrong type': wrongType,
  'auth expired': authExpired,
  'budget kept': budgetKept,
  'write unknown': checkWriteUnknown,
  'ingest twice': ingestTwice,
  'ingest out of order': ingestOutOfOrder,
  'restart in the middle': restartInTheMiddle,
};

async function check({ system }: SuiteHost): Promise<void> {
  deepEqual(compileSystem(system.folder).warnings, []);
}

async function fetchOne(host: SuiteHost): Promise<void> {
  const [record] = await seed(host, records('fetch', 1));
  ok(record);
  const { data, errors } = await askPatiently(() =>
    host.query(`query($id: ID!) { record(id: $id) { ${WHOLE} } }`, { id: record.id }),
  );
  deepEqual(errors, []);
  sameRecord(data?.record, record);
  if (host.system.readsStore) return;
  const answer = await askPatiently(() =>
    host.query('query($area: ID!) { records(area: $area) { id name } }', { area: record.area }),
  );
  deepEqual(answer.errors, []);
  deepEqual(answer.data?.records, [{ id: record.id, name: record.name }]);
}

function sameRecord(got: unknown, expected: SuiteRecord): void {
  const { changedAt, ...rest } = got as SuiteRecord;
  const { changedAt: expectedAt, ...expectedRest } = expected;
  deepEqual({ ...rest }, expectedRest);
  equal(
    Date.parse(changedAt),
    Date.parse(expectedAt),
    `expected the instant ${expectedAt}, got ${changedAt}`,
  );
}

async function batch(host: SuiteHost): Promise<void> {
  const COUNT = 50;
  const known = await seed(host, records('batch', COUNT));
  let before = 0;
  const { data, errors } = await askPatiently(async () => {
    before = await host.system.reads();
    return host.entities(
      known.map(({ id }) => id),
      'id name',
    );
  });
  const reads = (await host.system.reads()) - before;
  deepEqual(errors, []);
  deepEqual(
    data?._entities,
    known.map(({ id, name }) => ({ id, name })),
  );
  const readsMax = Math.ceil(COUNT / SUITE_GUARD.batchMax);
  ok(reads <= readsMax, `expected at most ${readsMax} reads for ${COUNT} keys, got ${reads}`);
  if (!host.system.readsStore) ok(reads > 0, 'the old system was not asked at all');
}

async function missing(host: SuiteHost): Promise<void> {
  const [first, last] = await seed(host, records('missing', 2));
  ok(first && last);
  const { data, errors } = await askPatiently(() =>
    host.entities([first.id, 'missing-nowhere', last.id], 'id name'),
  );
  deepEqual(errors, []);
  deepEqual(data?._entities, [{ id: first.id, name: first.name }, null, { id: last.id, name: last.name }]);
}

/** Every key fails by itself: each error has its own path, and who asks for nothing but the key is answered. */
async function duplicate(host: SuiteHost): Promise<void> {
  if (host.system.readsStore) return ingestTwice(host);
  const [one, two] = await seed(host, records('duplicate', 2));
  ok(one && two);
  await host.system.fault('duplicate');
  const { data, errors } = await host.query(
    'query($one: ID!, $two: ID!) { a: record(id: $one) { name } b: record(id: $two) { name } c: record(id: $two) { id } }',
    { one: one.id, two: two.id },
  );
  deepEqual(data?.c, { id: two.id });
  equal(namedRecord(data?.a), null);
  equal(namedRecord(data?.b), null);
  deepEqual(errors.map(({ path }) => path?.[0]).toSorted(), ['a', 'b']);
  for (const error of errors) expectError(host, error, ['UPSTREAM_INVALID']);
}

/** A read that fails is told by code in time, takes nothing with it, and works again when the fault is over. */
async function failing(host: SuiteHost, fault: SuiteFault, codes: readonly string[]): Promise<void> {
  if (host.system.readsStore) return pushedUnder(host, fault);
  const [record] = await seed(host, records(slug(fault), 1));
  ok(record);
  const startedAt = performance.now();
  const answer = await breakAndRead(host, fault, record);
  const tookMs = performance.now() - startedAt;
  ok(tookMs < SUITE_GUARD.timeoutMs + SLACK_MS, `answered after ${Math.round(tookMs)} ms only`);
  expectFailed(host, answer, record, codes);
  await host.system.fault(undefined);
  await readsAgain(host, record);
}

function expectFailed(
  host: SuiteHost,
  { data, errors }: SuiteAnswer,
  record: SuiteRecord,
  codes: readonly string[],
): void {
  deepEqual(data?.known, { id: record.id });
  equal(namedRecord(data?.asked), null);
  equal(errors.length, 1, `expected one error, got ${JSON.stringify(errors)}`);
  for (const error of errors) {
    equal(error.path?.[0], 'asked');
    expectError(host, error, codes);
  }
}

/** An error names its system and its code, and holds nothing of what the old system said. */
function expectError(host: SuiteHost, { message, extensions }: SuiteError, codes: readonly string[]): void {
  ok(codes.includes(String(extensions.code)), `expected ${codes.join(' or ')}, got ${extensions.code}`);
  equal(extensions.system, host.name);
  ok(!/路灯|平江/.test(message + JSON.stringify(extensions)), 'an error repeats what the old system holds');
}

async function readsAgain(host: SuiteHost, record: SuiteRecord): Promise<void> {
  await waitFor('the old system to be read again', async () => {
    const { data } = await host.entities([record.id], 'name');
    return namedRecord((data?._entities as unknown[] | undefined)?.[0]) === record.name;
  });
}

/** What is pushed while something is wrong is told or comes later; it is never half there, and hinders nothing. */
async function pushedUnder(host: SuiteHost, fault: SuiteFault): Promise<void> {
  const [record, next] = records(slug(fault), 2);
  ok(record && next);
  const quarantinedBefore = await host.quarantineCount();
  await host.system.fault(fault);
  const pushed = await tell(host, record).then(
    () => true,
    () => false,
  );
  await host.system.fault(undefined);
  await seed(host, [next]);
  // The old system sends what was not taken once more, as every one does.
  if (!pushed) await seed(host, [record]);
  const settled = await waitFor('what was pushed to be told or to come', async () => {
    const isThere = (await host.stored(record.id)) !== undefined;
    return isThere || (await host.quarantineCount()) > quarantinedBefore ? { isThere } : undefined;
  });
  const { data, errors } = await host.entities([record.id], WHOLE);
  deepEqual(errors, []);
  const [got] = (data?._entities ?? []) as unknown[];
  if (settled.isThere && got !== null) sameRecord(got, record);
  ok((await host.eventCount(record.id)) <= 1);
}

/** A text that is not in the charset is null or an error: it never becomes another text. */
async function wrongCharset(host: SuiteHost): Promise<void> {
  if (host.system.readsStore) return pushedUnder(host, 'wrong charset');
  const [record] = await seed(host, records('wrong-charset', 1));
  ok(record);
  const { data, errors } = await breakAndRead(host, 'wrong charset', record);
  deepEqual(data?.known, { id: record.id });
  equal(namedRecord(data?.asked), null);
  for (const error of errors) expectError(host, error, ['UPSTREAM_INVALID']);
  await host.system.fault(undefined);
  await readsAgain(host, record);
}

/** Text where a number belongs is null or an error of that field: it never becomes a value, and the rest stays. */
async function wrongType(host: SuiteHost): Promise<void> {
  if (host.system.readsStore) return pushedUnder(host, 'wrong type');
  const [record] = await seed(host, records('wrong-type', 1));
  ok(record);
  await host.system.fault('wrong type');
  const { data, errors } = await askPatiently(() =>
    host.query('query($id: ID!) { record(id: $id) { name version } }', { id: record.id }),
  );
  deepEqual(data?.record, { name: record.name, version: null });
  for (const error of errors) {
    deepEqual(error.path, ['record', 'version']);
    expectError(host, error, ['UPSTREAM_INVALID']);
  }
}

async function authExpired(host: SuiteHost): Promise<void> {
  if (host.system.readsStore) return pushedUnder(host, 'auth expired');
  const [record] = await seed(host, records('auth-expired', 1));
  ok(record);
  const answer = await breakAndRead(host, 'auth expired', record);
  expectFailed(host, answer, record, ['UPSTREAM_UNAVAILABLE']);
  // The first read may still have met a session that ended.
  await waitFor('the refusal to be told', async () => {
    const { errors } = await host.entities([record.id], 'name');
    return errors[0]?.extensions.reason === 'CREDENTIALS_REFUSED';
  });
  await host.system.fault(undefined);
  await readsAgain(host, record);
}

async function budgetKept(host: SuiteHost): Promise<void> {
  const known = await seed(host, records('budget', 40));
  const answers = await Promise.all(
    known.map(({ id }) => askPatiently(() => host.entities([id], 'id name'))),
  );
  for (const [index, { data, errors }] of answers.entries()) {
    deepEqual(errors, []);
    deepEqual(data?._entities, [{ id: known[index]?.id, name: known[index]?.name }]);
  }
  const most = await host.system.concurrentReadsMax();
  ok(
    most <= SUITE_GUARD.concurrency,
    `expected at most ${SUITE_GUARD.concurrency} calls at once, got ${most}`,
  );
  if (!host.system.readsStore) ok(most > 0, 'no call was counted');
}

async function ingestTwice(host: SuiteHost): Promise<void> {
  const [record, marker] = records('twice', 2);
  ok(record && marker);
  await tell(host, record);
  await tell(host, record);
  await tell(host, marker);
  await untilStored(host, [record, marker]);
  equal(await host.eventCount(record.id), 1);
}

async function ingestOutOfOrder(host: SuiteHost): Promise<void> {
  const [newer, marker] = records('order', 2);
  ok(newer && marker);
  await tell(host, { ...newer, version: 3 });
  await untilStored(host, [newer]);
  await tell(host, { ...newer, version: 2, name: '旧的名称' });
  await tell(host, marker);
  await untilStored(host, [marker]);
  const stored = await waitFor('the late version to be counted', async () => {
    const found = await host.stored(newer.id);
    return found !== undefined && found.lateCount > 0 ? found : undefined;
  });
  equal(Number(stored.data.version), 3);
  equal(stored.lateCount, 1);
  equal(await host.eventCount(newer.id), 1);
}

/** The old system ends between two halves of a hundred: each record is read, and each change is an event once. */
async function restartInTheMiddle(host: SuiteHost): Promise<void> {
  const all = records('restart', 100);
  const halves = [all.slice(0, 50), all.slice(50)] as const;
  if (host.system.push !== undefined) {
    for (const record of halves[0]) await tell(host, record);
    await host.system.restart();
    for (const record of halves[1]) await tell(host, record);
    await untilStored(host, all);
    for (const { id } of all) equal(await host.eventCount(id), 1, `events of ${id}`);
  }
  if (host.system.readsStore) return;
  await host.system.put(all);
  for (const half of halves) {
    await Promise.all(half.map((record) => readsAgain(host, record)));
    await host.system.restart();
  }
  await readsAgain(host, all[0] as SuiteRecord);
}

function slug(fault: SuiteFault): string {
  return fault.replaceAll(' ', '-');
}
