// What the clients of one load process have received: deliveries, their delays, and whatever is wrong with them.
import { STAMP_MARK } from './events.ts';

const MARK = Buffer.from(STAMP_MARK);
const AT = 0x40;
const ZERO = 0x30;
const COLON = 0x3a;
const NS_PER_MS = 1_000_000;
const US_PER_MS = 1_000;

export interface Deliveries {
  readonly delivered: number;
  /** An event that its client had already. */
  readonly duplicates: number;
  /** An event that came after a later one of the same client. */
  readonly misordered: number;
  /** Delays in ms, unsorted. */
  readonly delaysMs: Float64Array;
  /** The same from when the event was due, in the same order. */
  readonly dueDelaysMs: Float64Array;
  /** From the stamp of each event to that of the next one, in ms: how evenly their source emits. */
  readonly stampGapsMs: readonly number[];
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
  const digits = new Digits();
  let reached = 0;
  let firstSeq = 0;
  let offset = 0;
  let delays = createDelays(0);
  let stampGapsMs: number[] = [];
  let lastStamp = { seq: -1, ns: 0 };
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
      delays = createDelays(deliveriesMax);
      stampGapsMs = [];
      lastStamp = { seq: -1, ns: 0 };
      state = { delivered: 0, duplicates: 0, misordered: 0, lastAtNs: 0, sample: '' };
    },
    record(client, bytes, start, stop, nowNs) {
      // Mostly it stands where it stood in the delivery before: at tens of thousands a second a search is dear.
      const guess = start + offset;
      const isGuessed = guess + 1 < stop && bytes[guess] === AT && bytes[guess + 1] === AT;
      const mark = isGuessed ? guess : bytes.indexOf(MARK, start);
      if (mark < 0 || mark >= stop) return false;
      offset = mark - start;
      digits.at = mark + MARK.length;
      const seq = digits.read(bytes);
      if (!note(client, seq) || seq < firstSeq) return true;
      const stampNs = digits.readBehindColon(bytes);
      const lateUs = digits.readBehindColon(bytes);
      if (seq > lastStamp.seq) {
        if (lastStamp.ns > 0) stampGapsMs.push((stampNs - lastStamp.ns) / NS_PER_MS);
        lastStamp = { seq, ns: stampNs };
      }
      const delayMs = (nowNs - stampNs) / NS_PER_MS;
      if (state.delivered < delays.due.length) {
        delays.emitted[state.delivered] = delayMs;
        delays.due[state.delivered] = delayMs + lateUs / US_PER_MS;
      }
      state.delivered += 1;
      state.lastAtNs = nowNs;
      if (state.sample === '') state.sample = bytes.toString('utf8', start, stop);
      return true;
    },
    read() {
      const delaysMs = delays.emitted.subarray(0, state.delivered);
      const dueDelaysMs = delays.due.subarray(0, state.delivered);
      return { ...state, stampGapsMs, delaysMs, dueDelaysMs };
    },
  };
}

/** From the stamp, and from when the event was due. */
function createDelays(deliveriesMax: number) {
  return { emitted: new Float64Array(deliveriesMax), due: new Float64Array(deliveriesMax) };
}

/** Reads numbers one after the other, without an object for each: there are tens of thousands a second. */
class Digits {
  at = 0;

  /** A double keeps the precision of nanoseconds since the machine's start for a hundred days. */
  read(bytes: Buffer): number {
    let number = 0;
    for (; isDigit(bytes[this.at]); this.at += 1) number = number * 10 + (bytes[this.at] ?? 0) - ZERO;
    return number;
  }

  /** 0 where no colon is next. */
  readBehindColon(bytes: Buffer): number {
    if (bytes[this.at] !== COLON) return 0;
    this.at += 1;
    return this.read(bytes);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte < ZERO + 10;
}
