// The grid platform: tables that the hub reads for itself, and a control for whoever plays the city.
import { join } from 'node:path';
import { type FaultSwitches, NO_FAULTS } from '../faults.ts';
import {
  decodeJson,
  decodeList,
  json,
  startWebServer,
  type WebAnswer,
  type WebRequest,
} from '../web-server.ts';
import { type CreatedEvent, type GridBooks, openGridBooks } from './books.ts';
import { decodeEventState, decodeGridEvent } from './event.ts';
import { openMariadbEngine } from './mariadb.ts';
import { decodePatrol } from './patrol.ts';
import { openSqliteEngine } from './sqlite.ts';
import { decodeGridTask } from './task.ts';

export interface GridOptions {
  /** Where `grid.db` is kept. */
  readonly directory: string;
  readonly controlPort: number;
  /** `mysql://…/database` in place of the SQLite file. */
  readonly mariadbUrl: string | undefined;
}

export interface Grid {
  readonly controlUrl: string;
  /** Where the tables are. */
  readonly dsn: string;
  /** Takes events in the form of `POST /_control/events`. */
  reportEvents(events: readonly unknown[]): Promise<readonly CreatedEvent[]>;
  changeState(eventNo: string, state: string): Promise<boolean>;
  close(): Promise<void>;
}

const THINGS_PER_POST_MAX = 1_000;
const STATE_PATH = /^\/_control\/(events|tasks)\/(\w+)\/state$/;

export async function startGrid(options: GridOptions): Promise<Grid> {
  const { mariadbUrl, directory } = options;
  const engine =
    mariadbUrl === undefined
      ? openSqliteEngine(join(directory, 'grid.db'))
      : await openMariadbEngine(mariadbUrl);
  const switches: FaultSwitches = { current: NO_FAULTS };
  const books = await openGridBooks(engine, NO_FAULTS);
  const reportEvents = async (events: readonly unknown[]) => {
    const nowMs = Date.now();
    return books.report(events.map((event) => decodeGridEvent(event, nowMs)));
  };
  const grid = { reportEvents, changeState: books.changeState.bind(books) };
  const server = await startWebServer({
    port: options.controlPort,
    switches,
    onFaults: (faults) => books.setFaults(faults),
    api: () => json(404, { error: 'the platform is reached by SQL' }),
    garble: (answer) => answer,
    control: (request) => answerControl(request, books, reportEvents),
  }).catch(async (thrown: unknown) => {
    await books.close();
    throw thrown;
  });
  const close = async () => {
    await server.close();
    await books.close();
  };
  return { controlUrl: server.url, dsn: engine.dsn, ...grid, close };
}

async function answerControl(
  request: WebRequest,
  books: GridBooks,
  reportEvents: Grid['reportEvents'],
): Promise<WebAnswer | undefined> {
  if (request.method === 'GET' && request.path === '/_control/stats') return json(200, await books.count());
  if (request.method !== 'POST') return undefined;
  if (request.path === '/_control/events') {
    return json(201, await reportEvents(decodeList(decodeJson(request.body), THINGS_PER_POST_MAX)));
  }
  if (request.path === '/_control/patrols') {
    const patrols = decodeList(decodeJson(request.body), THINGS_PER_POST_MAX);
    return json(201, await books.patrol(patrols.map(decodePatrol)));
  }
  if (request.path === '/_control/tasks') {
    const tasks = decodeList(decodeJson(request.body), THINGS_PER_POST_MAX);
    return json(201, await books.assign(tasks.map(decodeGridTask)));
  }
  const [, things, number] = STATE_PATH.exec(request.path) ?? [];
  if (number === undefined) return undefined;
  const state = decodeEventState(decodeJson(request.body));
  if (things === 'tasks')
    return (await books.changeTaskState(number, state)) ? json(200, { taskNo: number, state }) : undefined;
  return (await books.changeState(number, state)) ? json(200, { eventNo: number, state }) : undefined;
}
