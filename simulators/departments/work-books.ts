// A department's books: the work that it took, with the queue of changes that are still to be told.
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { COUNTER_TABLE, inTransaction, nextNumber, openBookFile } from '../book-file.ts';
import { toLocalDay } from '../local-time.ts';

/** What stands on a piece of work and never changes, by the department's own names. */
export type WorkContent = Readonly<Record<string, string | number | null>>;

export interface Work {
  /** The department's own number. */
  readonly no: string;
  /** The number under which whoever handed it over knows it. */
  readonly clientNo: string;
  /** A state code of the department. */
  readonly state: string;
  readonly reason: string | null;
  readonly result: string | null;
  /** From 1. */
  readonly version: number;
  readonly takenAtMs: number;
  readonly changedAtMs: number;
  readonly content: WorkContent;
}

/** Where a piece of work goes: a state, when it is given back with a reason, when it is settled with a result. */
export interface Step {
  readonly state: string;
  readonly reason?: string | null;
  readonly result?: string | null;
}

export interface PendingChange {
  /** Position in the queue; grows. */
  readonly id: number;
  readonly eventId: string;
  /** The work as it was after the change. */
  readonly work: Work;
}

export interface WorkBooks {
  take(work: { readonly clientNo: string; readonly content: WorkContent }, nowMs: number): Work;
  /** The changed work, or undefined when there is none of that number. */
  change(no: string, step: Step, nowMs: number): Work | undefined;
  find(nos: readonly string[]): readonly Work[];
  /** The oldest first: a department that ignores client numbers may have several of one. */
  findByClient(clientNo: string): readonly Work[];
  /** In one of these states, the oldest first. */
  findIn(states: readonly string[], limit: number): readonly Work[];
  /** In one of these states whose content has a text that begins so under this name. */
  countIn(states: readonly string[], area: { readonly name: string; readonly prefix: string }): number;
  readPending(limit: number): readonly PendingChange[];
  markTold(id: number): void;
  count(): { readonly works: number; readonly told: number; readonly pending: number };
  close(): void;
}

export interface WorkBooksOptions {
  readonly file: string;
  /** Before the day and the running number. */
  readonly prefix: string;
  /** In which work begins. */
  readonly state: string;
}

const TABLES = `
  ${COUNTER_TABLE};
  create table if not exists work (
    no text primary key, client_no text not null, state text not null, changed_at integer not null, body text not null
  ) without rowid;
  create index if not exists work_by_client on work (client_no);
  create index if not exists work_by_state on work (state, changed_at);
  create table if not exists change (
    id integer primary key autoincrement, event_id text not null, body text not null, done integer not null default 0
  );
  create index if not exists change_pending on change (id) where done = 0;
`;

export function openWorkBooks(options: WorkBooksOptions): WorkBooks {
  const database = openBookFile(options.file, TABLES);
  return {
    ...writing(database, options),
    ...reading(database),
    ...telling(database),
    close: () => database.close(),
  };
}

function writing(
  database: DatabaseSync,
  { prefix, state }: WorkBooksOptions,
): Pick<WorkBooks, 'take' | 'change'> {
  const put = database.prepare('insert or replace into work values (?, ?, ?, ?, ?)');
  const find = database.prepare('select body from work where no = ?');
  const enqueue = database.prepare('insert into change (event_id, body) values (?, ?)');
  const store = (work: Work): Work => {
    const body = JSON.stringify(work);
    put.run(work.no, work.clientNo, work.state, work.changedAtMs, body);
    enqueue.run(randomUUID(), body);
    return work;
  };
  return {
    take: ({ clientNo, content }, nowMs) =>
      inTransaction(database, () =>
        store({
          no: nextNumber(database, `${prefix}${toLocalDay(nowMs)}`),
          clientNo,
          state,
          reason: null,
          result: null,
          version: 1,
          takenAtMs: nowMs,
          changedAtMs: nowMs,
          content,
        }),
      ),
    change: (no, step, nowMs) =>
      inTransaction(database, () => {
        const found = find.get(no);
        if (found === undefined) return undefined;
        const before = decodeWork(found);
        return store({
          ...before,
          state: step.state,
          reason: step.reason ?? null,
          result: step.result ?? null,
          version: before.version + 1,
          changedAtMs: nowMs,
        });
      }),
  };
}

function reading(database: DatabaseSync): Pick<WorkBooks, 'find' | 'findByClient' | 'findIn' | 'countIn'> {
  const byNumbers = database.prepare(
    'select body from work where no in (select value from json_each(?)) order by no',
  );
  const byClient = database.prepare('select body from work where client_no = ? order by no');
  const byState = database.prepare(
    'select body from work where state in (select value from json_each(?)) order by changed_at limit ?',
  );
  const inArea = database.prepare(
    'select count(*) as total from work where state in (select value from json_each(?)) ' +
      "and body ->> ('$.content.' || ?) between ? and ? || ':'",
  );
  return {
    countIn: (states, { name, prefix }) =>
      Number(inArea.get(JSON.stringify(states), name, prefix, prefix)?.total),
    find: (nos) => byNumbers.all(JSON.stringify(nos)).map(decodeWork),
    findByClient: (clientNo) => byClient.all(clientNo).map(decodeWork),
    findIn: (states, limit) => byState.all(JSON.stringify(states), limit).map(decodeWork),
  };
}

function telling(database: DatabaseSync): Pick<WorkBooks, 'readPending' | 'markTold' | 'count'> {
  const pending = database.prepare(
    'select id, event_id, body from change where done = 0 order by id limit ?',
  );
  // What was told needs no body any more; the row stays as the proof.
  const mark = database.prepare("update change set done = 1, body = '' where id = ?");
  const counts = database.prepare(
    'select (select count(*) from work) as works, (select count(*) from change where done = 0) as pending, ' +
      '(select count(*) from change where done = 1) as told',
  );
  return {
    readPending: (limit) =>
      pending
        .all(limit)
        .map((row) => ({ id: Number(row.id), eventId: String(row.event_id), work: decodeWork(row) })),
    markTold: (id) => void mark.run(id),
    count: () => {
      const row = counts.get();
      return { works: Number(row?.works), told: Number(row?.told), pending: Number(row?.pending) };
    },
  };
}

function decodeWork(row: Readonly<Record<string, unknown>>): Work {
  return JSON.parse(String(row.body)) as Work;
}
