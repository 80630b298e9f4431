// What every simulated department has behind its own interface: books, changes to tell, people, and a control.
import type { FaultSwitches } from '../faults.ts';
import { decodeJson, json, type WebAnswer, type WebRequest } from '../web-server.ts';
import { type ChangeQueue, startChangeQueue } from './change-queue.ts';
import { type Handling, nextOn, startHandling, type Way } from './handling.ts';
import {
  openWorkBooks,
  type PendingChange,
  type Step,
  type Work,
  type WorkBooks,
  type WorkContent,
} from './work-books.ts';

export interface DeskOptions {
  readonly file: string;
  readonly prefix: string;
  readonly way: Way;
  /** Between two steps of its people on the average; 0: they do nothing. */
  readonly paceMs: number;
  readonly switches: FaultSwitches;
  /** Resolves with whether a change was taken; undefined: changes wait in the queue. */
  readonly deliver: ((change: PendingChange) => Promise<boolean>) | undefined;
}

export interface Desk {
  readonly books: WorkBooks;
  take(work: { readonly clientNo: string; readonly content: WorkContent }): Work;
  change(no: string, step: Step): Work | undefined;
  /** 未结: how many lie below an area and are neither settled nor given back. @param name of the field with the area's code */
  countOpen(name: string, area: string): number;
  /** `POST /_control/works/{no}/state`, `POST /_control/people` and `GET /_control/stats`. */
  answerControl(request: WebRequest, stats: object): WebAnswer | undefined;
  close(): Promise<void>;
}

const STATE_PATH = /^\/_control\/works\/(\w+)\/state$/;
const OPEN_MAX = 100;

export function openDesk(options: DeskOptions): Desk {
  const { way, switches, deliver } = options;
  const [first] = way.states;
  if (first === undefined) throw new Error('work needs a state to begin in');
  const books = openWorkBooks({ file: options.file, prefix: options.prefix, state: first });
  const queue: ChangeQueue | undefined =
    deliver === undefined ? undefined : startChangeQueue({ books, switches, deliver });
  const change = (no: string, step: Step) => {
    const changed = books.change(no, step, Date.now());
    queue?.wake();
    return changed;
  };
  const handling: Handling = startHandling({
    paceMs: options.paceMs,
    findOpen: () => books.findIn(way.states.slice(0, -1), OPEN_MAX),
    next: (work, random) => nextOn(way, work.state, random),
    apply: (work, step) => change(work.no, step),
  });
  return {
    books,
    take(work) {
      const taken = books.take(work, Date.now());
      queue?.wake();
      return taken;
    },
    change,
    countOpen: (name, prefix) => books.countIn(openStatesOf(way), { name, prefix }),
    answerControl(request, stats) {
      if (request.method === 'GET' && request.path === '/_control/stats')
        return json(200, { ...books.count(), ...stats });
      if (request.method === 'POST' && request.path === '/_control/people') {
        const { holder, awayMs } = decodeAway(decodeJson(request.body));
        handling.stayAway(holder, awayMs);
        return json(200, { holder, awayMs });
      }
      const no = request.method === 'POST' ? STATE_PATH.exec(request.path)?.[1] : undefined;
      if (no === undefined) return undefined;
      const changed = change(no, decodeStep(decodeJson(request.body), way));
      return changed === undefined ? undefined : json(200, changed);
    },
    async close() {
      handling.close();
      await queue?.close();
      books.close();
    },
  };
}

/** Before the one in which it is settled. */
function openStatesOf({ states, settled }: Way): readonly string[] {
  return states.slice(0, states.indexOf(settled));
}

/** Whoever sends the people away may forget to bring them back. */
const AWAY_MS_MAX = 600_000;
const HOLDER_CHARS_MAX = 100;

function decodeAway(value: unknown): { readonly holder: string; readonly awayMs: number } {
  const { holder = '', awayMs } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof holder !== 'string' || holder.length > HOLDER_CHARS_MAX)
    throw new TypeError(`holder: expected a text of at most ${HOLDER_CHARS_MAX} characters`);
  if (typeof awayMs !== 'number' || !(awayMs >= 0 && awayMs <= AWAY_MS_MAX))
    throw new TypeError(`awayMs: expected 0 to ${AWAY_MS_MAX} milliseconds`);
  return { holder, awayMs };
}

/** Reads the body of a change of state; throws TypeError naming the field. Codes are checked by form only. */
function decodeStep(value: unknown, way: Way): Step {
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  const { state, reason = null, result = null } = given;
  if (typeof state !== 'string' || !/^\w{1,10}$/.test(state))
    throw new TypeError(
      `state: expected the text of a code, such as ${way.states.join(', ')}, or ${way.returned} for what is given back`,
    );
  for (const [name, text] of [
    ['reason', reason],
    ['result', result],
  ] as const) {
    if (text !== null && typeof text !== 'string') throw new TypeError(`${name}: expected a text`);
  }
  return { state, reason: reason as string | null, result: result as string | null };
}
