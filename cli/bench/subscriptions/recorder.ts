// What the clients of one load process have received: deliveries, their delays, and whatever is wrong with them.
import { STAMP_MARK } from './events.ts';

const MARK = Buffer.from(STAMP_MARK);
const AT = 0x40;
const ZERO = 0x30;
const NS_PER_MS = 1_000_000;

export interface Deliveries {
  readonly delivered: number;
  /** An event that its client had already. */
  readonly duplicates: number;
  /** An event that came after a later one of the same client. */
  readonly misordered: number;
  /** Delays in ms, unsorted. */
  readonly delaysMs: Float64Array;
  /** CLOCK_MONOTONIC in ns; 0 while there is none. */
  readonly lastAtNs: number;
  /** The first delivery as it came. */
  readonly sample: string;
}

export interface Recorder {
  /** Clients that were ever brought an event. */
  readonly reached: number;
  /** Since `begin`. */
  readonly delivered: number;
  /** Counts anew, and only events from this number on. */
  begin(firstSeq: number, deliveriesMax: number): void;
  /** Whether the bytes are an event; if so it is recorded. */
  record(client: number, bytes: Buffer, start: number, stop: number, nowNs: number): boolean;
  read(): Deliveries;
}

export function createRecorder(clients: number): Recorder {
  const lastSeq = new Int32Array(clients).fill(-1);
  let reached = 0;
  let firstSeq = 0;
  let offset = 0;
  let delays = new Float64Array(0);
  let state = { delivered: 0, duplicates: 0, misordered: 0, lastAtNs: 0, sample: '' };
  const note = (client: number, seq: number): boolean => {
    const last = lastSeq[client] ?? -1;
    if (seq > last) {
      if (last < 0) reached += 1;
      lastSeq[client] = seq;
      return true;
    }
    if (seq === last) state.duplicates += 1;
    else state.misordered += 1;
    return false;
  };
  return {
    get reached() {
      return reached;
    },
    get delivered() {
      return state.delivered;
    },
    begin(seq, deliveriesMax) {
      firstSeq = seq;
      delays = new Float64Array(deliveriesMax);
      state = { delivered: 0, duplicates: 0, misordered: 0, lastAtNs: 0, sample: '' };
    },
    record(client, bytes, start, stop, nowNs) {
      // Mostly it stands where it stood in the delivery before: at tens of thousands a second a search is dear.
      const guess = start + offset;
      const isGuessed = guess + 1 < stop && bytes[guess] === AT && bytes[guess + 1] === AT;
      const mark = isGuessed ? guess : bytes.indexOf(MARK, start);
      if (mark < 0 || mark >= stop) return false;
      offset = mark - start;
      let at = mark + MARK.length;
      let seq = 0;
      for (; isDigit(bytes[at]); at++) seq = seq * 10 + (bytes[at] ?? 0) - ZERO;
      if (!note(client, seq) || seq < firstSeq) return true;
      // A double keeps the precision of nanoseconds since the machine's start for a hundred days.
      let stampNs = 0;
      for (at++; isDigit(bytes[at]); at++) stampNs = stampNs * 10 + (bytes[at] ?? 0) - ZERO;
      if (state.delivered < delays.length) delays[state.delivered] = (nowNs - stampNs) / NS_PER_MS;
      state.delivered += 1;
      state.lastAtNs = nowNs;
      if (state.sample === '') state.sample = bytes.toString('utf8', start, stop);
      return true;
    },
    read: () => ({ ...state, delaysMs: delays.subarray(0, Math.min(state.delivered, delays.length)) }),
  };
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte < ZERO + 10;
}
