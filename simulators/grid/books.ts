// The grid platform's books: events reported by grid workers, their states, patrols, and tasks of workers.
import { type Community, readCommunities } from '../city/divisions.ts';
import type { Faults } from '../faults.ts';
import { toLocalDay, toLocalMilliseconds } from '../local-time.ts';
import type { GridEngine } from './engine.ts';
import type { NewGridEvent } from './event.ts';
import type { NewPatrol } from './patrol.ts';
import { applyTableFaults, findRealTable } from './table-faults.ts';
import { createTables, fillStatistics, fillTables } from './tables.ts';
import type { NewGridTask } from './task.ts';

export interface CreatedEvent {
  readonly externalRef: string;
  readonly eventNo: string;
  readonly created: boolean;
}

export interface CreatedPatrol {
  readonly gridCode: string;
  readonly patrolNo: string;
}

export interface CreatedTask {
  readonly gridCode: string;
  readonly taskNo: string;
  readonly worker: string;
}

type Counts = Readonly<Record<'grids' | 'workers' | 'patrols' | 'events' | 'tasks', number>>;

export interface GridBooks {
  readonly communities: readonly Community[];
  /**
   * One transaction for all; an `externalRef` seen before answers with the event it made then. Throws TypeError on an
   * unknown grid.
   */
  report(events: readonly NewGridEvent[]): Promise<readonly CreatedEvent[]>;
  /** False when there is no such event. */
  changeState(eventNo: string, state: string): Promise<boolean>;
  /** One transaction for all. Throws TypeError on an unknown grid. */
  patrol(patrols: readonly NewPatrol[]): Promise<readonly CreatedPatrol[]>;
  /** Tasks for the workers of grids; one transaction for all. Throws TypeError on an unknown grid. */
  assign(tasks: readonly NewGridTask[]): Promise<readonly CreatedTask[]>;
  /** False when there is no such task. */
  changeTaskState(taskNo: string, state: string): Promise<boolean>;
  setFaults(faults: Faults): Promise<void>;
  count(): Promise<Counts>;
  close(): Promise<void>;
}

/** With the out-of-order switch on, a new row is dated back by this: it was committed late. */
const LATE_MS = 2_000;
/** With the out-of-order switch on, the older version of a row comes back after this. */
const RELAPSE_MS = 700;

/** Of a district, a street and a community. */
const LEVEL_DIGITS = [6, 9, 12] as const;
const EVERYWHERE = '0';
/** 已上报, 处置中. */
const OPEN_STATES = ['1', '2'];

export async function openGridBooks(engine: GridEngine, noFaults: Faults): Promise<GridBooks> {
  const books = new SqlGridBooks(engine, readCommunities(), noFaults);
  await books.setFaults(noFaults);
  return books;
}

class SqlGridBooks implements GridBooks {
  readonly communities: readonly Community[];
  readonly #engine: GridEngine;
  readonly #relapses = new Set<NodeJS.Timeout>();
  #faults: Faults;
  /** One after the other: the engine has one connection, and transactions must not overlap. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: GridEngine, communities: readonly Community[], noFaults: Faults) {
    this.#engine = engine;
    this.communities = communities;
    this.#faults = noFaults;
  }

  report(events: readonly NewGridEvent[]): Promise<readonly CreatedEvent[]> {
    return this.#queue(() =>
      this.#engine.transaction(async () => {
        const created: CreatedEvent[] = [];
        for (const event of events) created.push(await this.#report(event));
        return created;
      }),
    );
  }

  changeState(eventNo: string, state: string): Promise<boolean> {
    return this.#queue(() => this.#engine.transaction(() => this.#changeState(eventNo, state)));
  }

  patrol(patrols: readonly NewPatrol[]): Promise<readonly CreatedPatrol[]> {
    return this.#queue(() =>
      this.#engine.transaction(async () => {
        const created: CreatedPatrol[] = [];
        for (const patrol of patrols) created.push(await this.#patrol(patrol));
        return created;
      }),
    );
  }

  assign(tasks: readonly NewGridTask[]): Promise<readonly CreatedTask[]> {
    return this.#queue(() =>
      this.#engine.transaction(async () => {
        const created: CreatedTask[] = [];
        for (const task of tasks) created.push(await this.#assign(task));
        return created;
      }),
    );
  }

  changeTaskState(taskNo: string, state: string): Promise<boolean> {
    return this.#queue(() =>
      this.#engine.transaction(async () => {
        const table = await findRealTable(this.#engine, 'wg_renwu');
        const found = await this.#engine.all(`select bb from ${table} where rwbh = ?`, [taskNo]);
        if (found[0] === undefined) return false;
        const values = [state, toLocalMilliseconds(Date.now()), Number(found[0].bb) + 1, taskNo];
        await this.#engine.run(`update ${table} set zt = ?, gxsj = ?, bb = ? where rwbh = ?`, values);
        return true;
      }),
    );
  }

  setFaults(faults: Faults): Promise<void> {
    return this.#queue(async () => {
      for (const relapse of this.#relapses) clearTimeout(relapse);
      this.#relapses.clear();
      await applyTableFaults(this.#engine, { ...faults, ...NO_TABLE_FAULTS });
      await createTables(this.#engine);
      await fillTables(this.#engine, this.communities, Date.now());
      await fillStatistics(this.#engine, Date.now());
      await this.#correct();
      await applyTableFaults(this.#engine, faults);
      this.#faults = faults;
    });
  }

  count(): Promise<Counts> {
    return this.#queue(async () => {
      const count = async (table: Parameters<typeof findRealTable>[1]) => {
        const rows = await this.#engine.all(
          `select count(*) as n from ${await findRealTable(this.#engine, table)}`,
        );
        return Number(rows[0]?.n);
      };
      const [grids, workers] = [await count('wg_wangge'), await count('wg_wanggeyuan')];
      const [patrols, events] = [await count('wg_xuncha'), await count('wg_shijian')];
      return { grids, workers, patrols, events, tasks: await count('wg_renwu') };
    });
  }

  async close(): Promise<void> {
    for (const relapse of this.#relapses) clearTimeout(relapse);
    await this.#last;
    await this.#engine.close();
  }

  async #report(event: NewGridEvent): Promise<CreatedEvent> {
    const { externalRef, gridCode } = event;
    const known = await this.#engine.all('select sjbh from wg_waibu where wbh = ?', [externalRef]);
    if (known[0] !== undefined) return { externalRef, eventNo: String(known[0].sjbh), created: false };
    const worker = await this.#findWorker(gridCode);
    const eventNo = await this.#nextNumber(`SJ${toLocalDay(event.reportedAtMs)}`);
    const changedAtMs = Date.now() - (this.#faults.outOfOrder ? LATE_MS : 0);
    const table = await findRealTable(this.#engine, 'wg_shijian');
    await this.#engine.run(`insert into ${table} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, [
      eventNo,
      gridCode,
      worker,
      event.title,
      event.description,
      event.matter,
      gridCode.slice(0, 12),
      event.address,
      '1',
      toLocalMilliseconds(event.reportedAtMs),
      toLocalMilliseconds(changedAtMs),
      1,
    ]);
    await this.#engine.run('insert into wg_waibu values (?, ?)', [externalRef, eventNo]);
    await this.#tally(gridCode.slice(0, 12), 1);
    return { externalRef, eventNo, created: true };
  }

  async #patrol({ gridCode, startedAtMs, endedAtMs, metres }: NewPatrol): Promise<CreatedPatrol> {
    const worker = await this.#findWorker(gridCode);
    const patrolNo = await this.#nextNumber(`XC${toLocalDay(startedAtMs)}`);
    const times = [startedAtMs, endedAtMs].map(toLocalMilliseconds);
    const values = [patrolNo, gridCode, worker, ...times, metres, toLocalMilliseconds(Date.now())];
    const table = await findRealTable(this.#engine, 'wg_xuncha');
    await this.#engine.run(`insert into ${table} values (?, ?, ?, ?, ?, ?, ?)`, values);
    return { gridCode, patrolNo };
  }

  async #assign({ gridCode, kind, title, content, urgency, dueAtMs }: NewGridTask): Promise<CreatedTask> {
    const worker = await this.#findWorker(gridCode);
    const nowMs = Date.now();
    const taskNo = await this.#nextNumber(`RW${toLocalDay(nowMs)}`);
    const now = toLocalMilliseconds(nowMs);
    const due = dueAtMs === null ? null : toLocalMilliseconds(dueAtMs);
    const values = [taskNo, gridCode, worker, kind, title, content, urgency, '0', now, due, now, 1];
    const table = await findRealTable(this.#engine, 'wg_renwu');
    await this.#engine.run(`insert into ${table} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, values);
    return { gridCode, taskNo, worker };
  }

  async #changeState(eventNo: string, state: string): Promise<boolean> {
    const table = await findRealTable(this.#engine, 'wg_shijian');
    const found = await this.#engine.all(`select zt, gxsj, bb, sqdm from ${table} where sjbh = ?`, [eventNo]);
    const before = found[0];
    if (before === undefined) return false;
    const version = Number(before.bb) + 1;
    const changedAt = toLocalMilliseconds(Date.now());
    await this.#engine.run(`update ${table} set zt = ?, gxsj = ?, bb = ? where sjbh = ?`, [
      state,
      changedAt,
      version,
      eventNo,
    ]);
    const change = Number(OPEN_STATES.includes(state)) - Number(OPEN_STATES.includes(String(before.zt)));
    await this.#tally(String(before.sqdm), change);
    if (!this.#faults.outOfOrder) return true;
    await this.#engine.run('replace into wg_gengzheng values (?, ?, ?, ?)', [
      eventNo,
      state,
      changedAt,
      version,
    ]);
    this.#relapseLater(eventNo, String(before.zt), version - 1);
    return true;
  }

  /** The platform's own statistics, of the community and of all that it lies in. */
  async #tally(community: string, change: number): Promise<void> {
    if (change === 0) return;
    const table = await findRealTable(this.#engine, 'wg_tongji');
    for (const division of [...LEVEL_DIGITS.map((digits) => community.slice(0, digits)), EVERYWHERE]) {
      const rows = await this.#engine.all(`select wjs from ${table} where qhdm = ?`, [division]);
      const values = [division, Number(rows[0]?.wjs ?? 0) + change, toLocalMilliseconds(Date.now())];
      await this.#engine.run(`replace into ${table} values (?, ?, ?)`, values);
    }
  }

  /** A late writer puts the older version back, with a time that a poll looks at once more. */
  #relapseLater(eventNo: string, state: string, version: number): void {
    const relapse = setTimeout(() => {
      this.#relapses.delete(relapse);
      const changedAt = toLocalMilliseconds(Date.now() - LATE_MS);
      const values = [state, changedAt, version, eventNo];
      void this.#queue(async () => {
        const table = await findRealTable(this.#engine, 'wg_shijian');
        await this.#engine.run(`update ${table} set zt = ?, gxsj = ?, bb = ? where sjbh = ?`, values);
      });
    }, RELAPSE_MS);
    this.#relapses.add(relapse);
  }

  /** Ends what the out-of-order switch began: the newest version of each row stands again. */
  async #correct(): Promise<void> {
    for (const row of await this.#engine.all('select sjbh, zt, gxsj, bb from wg_gengzheng')) {
      const values = [String(row.zt), String(row.gxsj), Number(row.bb), String(row.sjbh)];
      await this.#engine.run('update wg_shijian set zt = ?, gxsj = ?, bb = ? where sjbh = ?', values);
    }
    await this.#engine.run('delete from wg_gengzheng');
  }

  async #findWorker(gridCode: string): Promise<string> {
    const table = await findRealTable(this.#engine, 'wg_wangge');
    const found = await this.#engine.all(`select wgybh from ${table} where wgbm = ?`, [gridCode]);
    if (found[0] === undefined) throw new TypeError(`gridCode: there is no grid ${gridCode}`);
    return String(found[0].wgybh);
  }

  async #nextNumber(prefix: string): Promise<string> {
    const found = await this.#engine.all('select xh from wg_bianhao where qz = ?', [prefix]);
    const number = Number(found[0]?.xh ?? 0) + 1;
    await this.#engine.run('replace into wg_bianhao values (?, ?)', [prefix, number]);
    return `${prefix}${String(number).padStart(6, '0')}`;
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // The caller sees the failure; the next in the queue must not.
    this.#last = result.catch(() => undefined);
    return result;
  }
}

const NO_TABLE_FAULTS = {
  latencyMs: 0,
  refuse: false,
  garbage: false,
  duplicate: false,
  half: false,
} as const;
