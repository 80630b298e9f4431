// The people of the departments, at the desks of their own systems: they sign, settle and give back what lies there.
import { setTimeout as sleep } from 'node:timers/promises';
import { type BookRecord, type Books, CODES } from './books.ts';
import { postJson } from './post.ts';
import { DEPARTMENTS, type DepartmentName, wayOf } from './ways.ts';

export interface People {
  /** Pieces of work that wait for them. */
  waiting(): number;
  /** When they did what, by `<number>:<SIGNED|FED_BACK|RETURNED>`, in milliseconds of the clock. */
  readonly done: ReadonlyMap<string, number>;
  /** They are called: what they had settled was not good. */
  settleAgain(department: DepartmentName, no: string): void;
  close(): Promise<void>;
}

export interface PeopleOptions {
  readonly books: Books;
  /** `/_control` of each department's system. */
  readonly controls: Readonly<Record<DepartmentName, string>>;
  readonly seed: number;
}

const LOOK_EVERY_MS = 150;
/** How long a piece of work lies before the next step with it. */
const LIES_MS = 400;
const AT_ONCE_MAX = 60;
const ANSWER_MS_MAX = 10_000;

export function startPeople({ books, controls, seed }: PeopleOptions): People {
  const stop = new AbortController();
  const done = new Map<string, number>();
  const waiting = new Map<DepartmentName, number>();
  const again = new Map(DEPARTMENTS.map((name) => [name, new Set<string>()] as const));
  const put = async (department: DepartmentName, no: string, body: object) => {
    const things = department === 'police' ? 'cases' : 'works';
    const url = `${controls[department]}/${things}/${no}/state`;
    const { status } = await postJson(url, body, { msMax: ANSWER_MS_MAX });
    if (status >= 300) throw new Error(`${department} ${no}: HTTP ${status}`);
  };
  const handle = async (department: DepartmentName, record: BookRecord) => {
    const { what, body } = nextStep(department, record, seed);
    const atMs = Date.now();
    await put(department, record.no, body);
    done.set(`${record.no}:${what}`, atMs);
  };
  const rework = async (department: DepartmentName, no: string) => {
    await put(department, no, { state: CODES[department].settled, result: '已返工' });
    again.get(department)?.delete(no);
  };
  const work = async (department: DepartmentName) => {
    while (!stop.signal.aborted) {
      const open = books.open(department, AT_ONCE_MAX);
      const called = [...(again.get(department) ?? [])].slice(0, AT_ONCE_MAX);
      waiting.set(department, open.length + called.length);
      const due = open.filter(({ changedAtMs }) => Date.now() - changedAtMs >= LIES_MS);
      // A system that is down is not to be worked with: at the next look they try again.
      await Promise.allSettled([
        ...due.map((record) => handle(department, record)),
        ...called.map((no) => rework(department, no)),
      ]);
      await sleep(LOOK_EVERY_MS);
    }
  };
  const working = DEPARTMENTS.map(work);
  return {
    waiting: () => [...waiting.values()].reduce((sum, count) => sum + count, 0),
    done,
    settleAgain: (department, no) => void again.get(department)?.add(no),
    async close() {
      stop.abort();
      await Promise.all(working);
    },
  };
}

function nextStep(department: DepartmentName, { clientNo, state }: BookRecord, seed: number) {
  const [incident = '', attempt] = clientNo.split(':');
  const { returns, signsFirst } = wayOf(incident, seed);
  const { begun, signed, settled, returned, reasons } = CODES[department];
  const isReturned = Number(attempt) <= returns;
  if (state === begun && !(isReturned && !signsFirst)) return { what: 'SIGNED', body: { state: signed } };
  if (isReturned) {
    const reason = reasons[clientNo.length % reasons.length];
    return { what: 'RETURNED', body: { state: returned, reason } };
  }
  return { what: 'FED_BACK', body: { state: settled, result: '已处置完毕' } };
}
