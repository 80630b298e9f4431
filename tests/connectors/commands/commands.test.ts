import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Started } from '@weft/core/process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../../support/engines.ts';
import { waitFor } from '../../support/wait.ts';
import { type FaultPlan, type Ledger, startLedger } from './old-ledger.ts';
import { type Answer, ask, type CommandDatabase, createCommandDatabase, startLedgerHost } from './rig.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const noPostgres = await whyNoPostgres();

const ADD = `mutation ($subject: ID!, $text: String!, $requestId: ID!) {
  addEntry(subject: $subject, text: $text, requestId: $requestId) { commandId outcome upstreamRef code command { id } }
}`;
const UNASKABLE = `mutation ($text: String!, $requestId: ID!) {
  addUnaskable(text: $text, requestId: $requestId) { commandId outcome upstreamRef code }
}`;
const PUT = `mutation ($text: String!, $requestId: ID!) {
  putEntry(text: $text, requestId: $requestId) { commandId outcome upstreamRef text }
}`;

interface CommandAnswer {
  readonly data: {
    readonly command: {
      readonly state: string;
      readonly code: string | null;
      readonly mayBeApplied: boolean;
      readonly upstreamRef: string | null;
      readonly attempts: readonly {
        readonly kind: string;
        readonly outcome: string;
        readonly code: string | null;
      }[];
    };
  };
}

describe.skipIf(noPostgres !== undefined)('a write to an old system', () => {
  let ledger: Ledger;
  let database: CommandDatabase;
  let host: Started;
  let count = 0;
  beforeAll(async () => {
    ledger = await startLedger();
    database = await createCommandDatabase();
    host = await startLedgerHost(database.url, ledger.url);
  });
  afterAll(async () => {
    await host?.close();
    await ledger?.close();
    await database?.drop();
  });
  afterEach(() => {
    ledger.next.length = 0;
    ledger.answersQuestions = true;
  });

  const newNo = () => {
    count += 1;
    return `no-${count}`;
  };
  const add = async (requestId: string, fields: object = {}, headers = {}) => {
    const variables = { subject: requestId, text: '更名', requestId, ...fields };
    return await ask<Answer>(host.urls.ledger, ADD, variables, headers);
  };
  const entriesOf = (no: string) => ledger.book.filter((entry) => entry.no === no);
  const command = async (id: string | undefined) =>
    (
      await ask<CommandAnswer>(
        host.urls.connectors,
        'query ($id: ID!) { command(id: $id) { state code mayBeApplied upstreamRef attempts { kind outcome code } } }',
        { id },
      )
    ).data.command;
  const untilState = (id: string | undefined, state: string, msMax = 10_000) =>
    waitFor(
      `the command to be ${state}`,
      async () => {
        const found = await command(id);
        return found.state === state ? found : undefined;
      },
      msMax,
    );

  it('is answered with a receipt that says what became of it', async () => {
    const no = newNo();
    const { data, errors } = await add(no);
    expect(errors).toBeUndefined();
    const [entry] = entriesOf(no);
    expect(data?.addEntry).toEqual({
      commandId: expect.any(String),
      command: { id: data?.addEntry?.commandId },
      outcome: 'APPLIED',
      upstreamRef: entry?.ref,
      code: null,
    });
    expect(await command(data?.addEntry?.commandId)).toEqual({
      state: 'APPLIED',
      code: null,
      mayBeApplied: true,
      upstreamRef: entry?.ref,
      attempts: [{ kind: 'SEND', outcome: 'APPLIED', code: null }],
    });
  });

  it('is the same one under the same client number, and a conflict with another content or from another one', async () => {
    const no = newNo();
    const first = await add(no);
    const [again, other, foreign] = await Promise.all([
      add(no),
      add(no, { text: '另一个' }),
      add(no, {}, { 'weft-principal': Buffer.from('{"subject":"other"}').toString('base64') }),
    ]);
    expect(again).toEqual(first);
    for (const { errors } of [other, foreign]) expect(errors?.[0]?.extensions.code).toBe('CONFLICT');
    expect(entriesOf(no)).toHaveLength(1);
  });

  it('that comes twice at one moment is sent once', async () => {
    const no = newNo();
    const answers = await Promise.all(Array.from({ length: 8 }, () => add(no)));
    expect(new Set(answers.map(({ data }) => data?.addEntry?.commandId)).size).toBe(1);
    expect(entriesOf(no)).toHaveLength(1);
  });

  it('that the old system refuses is REJECTED with its code, and is not sent again', async () => {
    ledger.next.push({ fault: 'refuse', isCommitted: false });
    const { data, errors } = await add(newNo());
    expect(errors).toBeUndefined();
    expect(data?.addEntry).toMatchObject({ outcome: 'REJECTED', code: '1042', upstreamRef: null });
  });

  it.each<[string, FaultPlan, string]>([
    ['500 after the commit', { fault: '500', isCommitted: true }, 'HTTP_500'],
    ['reset after the commit', { fault: 'reset', isCommitted: true }, 'UND_ERR_SOCKET'],
    ['half a body after the commit', { fault: 'half', isCommitted: true }, 'HTTP_200'],
    ['no answer after the commit', { fault: 'hang', isCommitted: true }, 'DEADLINE_EXCEEDED'],
  ])('%s: is asked about, and is APPLIED once', async (_, plan, code) => {
    const no = newNo();
    ledger.next.push(plan);
    const { data } = await add(no);
    expect(data?.addEntry).toMatchObject({ outcome: 'APPLIED', upstreamRef: entriesOf(no)[0]?.ref });
    expect(entriesOf(no)).toHaveLength(1);
    const { attempts } = await command(data?.addEntry?.commandId);
    expect(attempts).toEqual([
      { kind: 'SEND', outcome: 'UNKNOWN', code: expect.stringMatching(`${code}|ECONNRESET`) },
      { kind: 'ASK', outcome: 'FOUND', code: null },
    ]);
  });

  it.each<[string, FaultPlan, number]>([
    ['500 before any commit', { fault: '500', isCommitted: false }, 2],
    ['a commit after the caller has gone', { fault: 'late', isCommitted: true }, 1],
  ])('%s: is sent again only when it is not known after the time of late commits', async (_, plan, sent) => {
    const no = newNo();
    const before = ledger.writes();
    ledger.next.push(plan);
    const { data } = await add(no);
    await untilState(data?.addEntry?.commandId, 'APPLIED');
    expect(entriesOf(no)).toHaveLength(1);
    expect(ledger.writes() - before).toBe(sent);
    const { attempts } = await command(data?.addEntry?.commandId);
    expect(attempts.slice(0, 2).map(({ outcome }) => outcome)).toEqual(['UNKNOWN', 'NOT_FOUND']);
  });

  it('stays UNKNOWN while its system cannot be asked, and holds up its subject alone', async () => {
    const [no, next, free] = [newNo(), newNo(), newNo()];
    ledger.answersQuestions = false;
    ledger.next.push({ fault: '500', isCommitted: true });
    const soon = { 'x-weft-deadline-ms': '800' };
    const { data } = await add(no, {}, soon);
    expect(data?.addEntry).toMatchObject({ outcome: 'UNKNOWN', code: 'HTTP_500' });
    const waiting = await add(next, { subject: no }, soon);
    expect(waiting.data?.addEntry?.outcome).toBe('PENDING');
    expect((await add(free)).data?.addEntry?.outcome).toBe('APPLIED');
    expect(entriesOf(next)).toHaveLength(0);
    ledger.answersQuestions = true;
    await untilState(waiting.data?.addEntry?.commandId, 'APPLIED');
    expect(ledger.book.filter(({ subject }) => subject === no).map((entry) => entry.no)).toEqual([no, next]);
  });

  it('without a way to ask waits for a person, who sends it again by force, confirms or discards it', async () => {
    const [first, second, third] = [newNo(), newNo(), newNo()];
    const ids: (string | undefined)[] = [];
    for (const requestId of [first, second, third]) {
      ledger.next.push({ fault: '500', isCommitted: false });
      const { data } = await ask(host.urls.ledger, UNASKABLE, { text: '更名', requestId });
      expect(data?.addUnaskable).toMatchObject({ outcome: 'UNKNOWN', code: 'HTTP_500' });
      ids.push(data?.addUnaskable?.commandId);
    }
    const operate = (text: string, id: string | undefined) =>
      ask<Answer>(host.urls.connectors, `mutation ($id: ID!) { done: ${text} { state } }`, { id });
    const refused = await operate('redriveCommand(id: $id)', ids[0]);
    expect(refused.errors?.[0]?.extensions.code).toBe('CONFLICT');
    await operate('redriveCommand(id: $id, force: true)', ids[0]);
    await untilState(ids[0], 'APPLIED');
    expect(entriesOf(first)).toHaveLength(1);
    expect((await operate('confirmCommand(id: $id, upstreamRef: "R-7")', ids[1])).data?.done).toEqual({
      state: 'APPLIED',
    });
    expect((await operate('discardCommand(id: $id)', ids[2])).data?.done).toEqual({ state: 'DEAD' });
    expect((await operate('discardCommand(id: $id)', ids[1])).errors?.[0]?.extensions.code).toBe('CONFLICT');
  });

  it('is listed, shown and decided on by the command weft connect commands', async () => {
    const no = newNo();
    ledger.next.push({ fault: '500', isCommitted: true });
    const { data } = await ask(host.urls.ledger, UNASKABLE, { text: '更名', requestId: no });
    const id = data?.addUnaskable?.commandId ?? '';
    const weft = async (...parameters: readonly string[]) => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['cli/main.ts', 'connect', 'commands', ...parameters],
        { cwd: ROOT, env: { PATH: process.env.PATH, DATABASE_URL: database.url } },
      );
      return stdout;
    };
    const [shown, listed] = await Promise.all([weft('show', id), weft('list', '--state', 'UNKNOWN')]);
    expect(listed).toContain(`${id}\tUNKNOWN\tledger\taddUnaskable\t${no}\t`);
    expect(shown).toContain('the old system may have it; nothing is to come by itself');
    expect(shown).toMatch(/\tSEND\tUNKNOWN\tHTTP_500\n$/);
    expect(await weft('confirm', id, '--ref', 'R-9')).toMatch(/\tAPPLIED\t.*\tR-9\n$/);
  });

  it('that may be sent twice is sent again without a question', async () => {
    const no = newNo();
    const before = ledger.questions();
    ledger.next.push({ fault: 'reset', isCommitted: true }, { fault: '500', isCommitted: false });
    const { data } = await ask(host.urls.ledger, PUT, { text: '更名', requestId: no });
    expect(data?.putEntry).toMatchObject({ outcome: 'APPLIED', text: '更名' });
    expect(entriesOf(no)).toHaveLength(1);
    expect(ledger.questions()).toBe(before);
  });

  it('is kept while its system is away or too busy, and is sent when it is back', async () => {
    const [no, busy] = [newNo(), newNo()];
    await ledger.close();
    const { data } = await add(no, {}, { 'x-weft-deadline-ms': '700' });
    expect(data?.addEntry).toMatchObject({ outcome: 'PENDING', code: 'ECONNREFUSED' });
    await ledger.listen();
    await untilState(data?.addEntry?.commandId, 'APPLIED', 15_000);
    ledger.next.push({ fault: 'busy', isCommitted: false });
    const answer = await add(busy);
    expect(answer.data?.addEntry?.outcome).toBe('APPLIED');
    expect((await command(answer.data?.addEntry?.commandId)).attempts[0]?.outcome).toBe('NOT_SENT');
    expect([...entriesOf(no), ...entriesOf(busy)]).toHaveLength(2);
  });

  it('that is no command is sent once, and says when nobody knows whether it was applied', async () => {
    const plain = async (fault: FaultPlan['fault']) => {
      const requestId = newNo();
      ledger.next.push({ fault, isCommitted: true });
      const query =
        'mutation ($requestId: ID!) { addPlain(text: "更名", requestId: $requestId) { upstreamRef } }';
      const { errors } = await ask<Answer>(host.urls.ledger, query, { requestId });
      return { code: errors?.[0]?.extensions.code, entries: entriesOf(requestId).length };
    };
    expect(await plain('500')).toEqual({ code: 'WRITE_UNKNOWN', entries: 1 });
    expect(await plain('hang')).toEqual({ code: 'WRITE_UNKNOWN', entries: 1 });
    expect(await plain('refuse')).toEqual({ code: 'UPSTREAM_INVALID', entries: 0 });
    expect(await plain('busy')).toEqual({ code: 'UPSTREAM_UNAVAILABLE', entries: 0 });
  });

  it('tells each change once, in the order of the transitions', async () => {
    const no = newNo();
    ledger.next.push({ fault: '500', isCommitted: false });
    const { data } = await add(no);
    await untilState(data?.addEntry?.commandId, 'APPLIED');
    const rows = await database.rows<{
      envelope: { data: { change: { from: string | null; cause: string } } };
    }>(`SELECT envelope FROM events.event WHERE topic = 'Command' AND subject = $1 ORDER BY seq`, [
      `Command:${data?.addEntry?.commandId}`,
    ]);
    expect(rows.map(({ envelope }) => envelope.data.change.cause)).toEqual([
      ...['ACCEPTED', 'TAKEN', 'NOT_ANSWERED', 'NOT_FOUND', 'TAKEN', 'ANSWERED'],
    ]);
  });
});
