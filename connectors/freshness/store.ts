// Where answers are kept: in this process, and in Redis for all replicas.
import type { Row } from '../load/connect.ts';

/** One answer's place. Both are hashes: nothing of a key, an argument or a name is in them as it is. */
export interface Place {
  readonly entry: string;
  /** What it is about, and whose it is: what is dropped with either. */
  readonly groups: readonly [string, string];
}

export interface Kept {
  readonly rows: readonly Row[];
  /** Before the source was asked, by the store's clock, milliseconds since 1970. */
  readonly observedAtMs: number;
}

export interface Snapshot {
  /** By the store's clock. */
  readonly nowMs: number;
  /** For each place what is kept there, and was not dropped. */
  readonly found: readonly (Kept | undefined)[];
}

export interface Keeping extends Kept {
  readonly place: Place;
  readonly lifeMs: number;
}

/** What nobody else is asking for, of what one wants to ask. */
export interface Claims {
  readonly mine: readonly boolean[];
  /** To be called when the answers are kept, or will not come. */
  release(): void;
}

export interface FreshStore {
  read(places: readonly Place[]): Promise<Snapshot>;
  /** Rows that are not plain JSON, or too long, are not kept. */
  write(entries: readonly Keeping[]): Promise<void>;
  /** What was observed of these groups up to now does not hold any more. @param lifeMs of the longest-lived answer */
  drop(groups: readonly string[], lifeMs: number): Promise<void>;
  /** Between replicas; within a process nobody asks twice. */
  claim(places: readonly Place[]): Promise<Claims>;
  close(): Promise<void>;
}

/** The JSON of rows, or undefined when reading it would not give the same rows. */
export function encodeRows(rows: readonly Row[], bytesMax: number): string | undefined {
  if (!isPlain(rows)) return undefined;
  const text = JSON.stringify(rows);
  return Buffer.byteLength(text) <= bytesMax ? text : undefined;
}

function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object': {
      if (value === null) return true;
      if (Array.isArray(value)) return value.every(isPlain);
      const prototype: unknown = Object.getPrototypeOf(value);
      return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlain);
    }
    default:
      return false;
  }
}
