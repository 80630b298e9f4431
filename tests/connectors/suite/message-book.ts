// The book of an old system that is asked by message: what it answers, with and without faults. It knows no protocol.
import iconv from 'iconv-lite';
import type { SuiteFault, SuiteRecord } from './column.ts';

/** `{ "ids": […] }` or `{ "area": "…" }` */
interface Question {
  readonly ids?: readonly string[];
  readonly area?: string;
}

export interface MessageBook {
  put(records: readonly SuiteRecord[]): void;
  /**
   * Answers one question: `reply` is called at most once, and not at all while it is slow.
   * @param cut breaks the connection of who asked
   */
  ask(question: Buffer, reply: (body: Buffer) => void, cut: () => void): Promise<void>;
  /** Undefined mends it. */
  fault: SuiteFault | undefined;
  reads(): number;
  concurrentMax(): number;
}

/** So that questions that are in work at once are seen to be. */
const WORK_MS = 20;

export function createMessageBook(): MessageBook {
  const records = new Map<string, SuiteRecord>();
  let [reads, busy, concurrentMax] = [0, 0, 0];
  const book: MessageBook = {
    fault: undefined,
    put(some) {
      for (const record of some) records.set(record.id, record);
    },
    async ask(question, reply, cut) {
      reads += 1;
      // The question lies there, and nobody works at it.
      if (book.fault === 'slow') return;
      busy += 1;
      concurrentMax = Math.max(concurrentMax, busy);
      const { fault } = book;
      await new Promise((resolve) => setTimeout(resolve, WORK_MS));
      busy -= 1;
      if (fault === 'reset') return cut();
      const { ids, area } = JSON.parse(question.toString('utf8')) as Question;
      const found = [...records.values()].filter((record) =>
        ids === undefined ? record.area === area : ids.map(String).includes(record.id),
      );
      reply(bodyOf(found, fault));
    },
    reads: () => reads,
    concurrentMax: () => concurrentMax,
  };
  return book;
}

function bodyOf(found: readonly SuiteRecord[], fault: SuiteFault | undefined): Buffer {
  const rows = fault === 'duplicate' ? [...found, ...found] : found;
  const text = JSON.stringify({ code: '0000', rows: rows.map((record) => rowOf(record, fault)) });
  if (fault === 'wrong charset') return iconv.encode(text, 'gb18030');
  const body = Buffer.from(text);
  return fault === 'half body' ? body.subarray(0, body.length / 2) : body;
}

/** A record in the words of the old system; also what it tells of a change. */
export function rowOf(record: SuiteRecord, fault?: SuiteFault): Readonly<Record<string, unknown>> {
  const { id, name, area, state, version, changedAt } = record;
  return {
    bh: id,
    mc: name,
    qh: area,
    zt: state === 'OPEN' ? '1' : '2',
    bb: fault === 'wrong type' ? 'no number' : version,
    gxsj: changedAt,
  };
}
