// The book of an old system that is asked by message: what it answers, with and without faults. It knows no protocol.
import iconv from 'iconv-lite';
import type { SuiteFault, SuiteRecord } from './column.ts';

/** One of these. */
interface Question {
  readonly ids?: readonly string[];
  readonly area?: string;
  /** A write: `no` is the client's number. */
  readonly rename?: { readonly no: string; readonly bh: string; readonly mc: string };
  /** Whether a client's number is known. */
  readonly renaming?: string;
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
  /** How often a write with this client's number was applied. */
  applied(no: string): number;
  reads(): number;
  concurrentMax(): number;
}

/** So that questions that are in work at once are seen to be. */
const WORK_MS = 10;

export function createMessageBook(): MessageBook {
  const records = new Map<string, SuiteRecord>();
  const writes: string[] = [];
  const answer = ({ ids, area, rename, renaming }: Question) => {
    if (renaming !== undefined)
      return { rows: writes.includes(renaming) ? [{ receipt: `R-${renaming}` }] : [] };
    if (rename !== undefined) {
      writes.push(rename.no);
      const record = records.get(rename.bh);
      if (record !== undefined) records.set(record.id, { ...record, name: rename.mc });
      return { receipt: `R-${rename.no}` };
    }
    const found = [...records.values()].filter((record) =>
      ids === undefined ? record.area === area : ids.map(String).includes(record.id),
    );
    const rows = found.map((record) => rowOf(record, book.fault));
    return { rows: book.fault === 'duplicate' ? [...rows, ...rows] : rows };
  };
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
      const asked = JSON.parse(question.toString('utf8')) as Question;
      const body = bodyOf(answer(asked), fault);
      if (fault === 'write lost' && asked.rename !== undefined) cut();
      else reply(body);
    },
    applied: (no) => writes.filter((written) => written === no).length,
    reads: () => reads,
    concurrentMax: () => concurrentMax,
  };
  return book;
}

function bodyOf(answer: object, fault: SuiteFault | undefined): Buffer {
  const text = JSON.stringify({ code: '0000', ...answer });
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
