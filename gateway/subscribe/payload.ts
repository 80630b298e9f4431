// One result for all of a group: its JSON, made once, with holes where the principal's mark of a cursor stands.
import { randomBytes } from 'node:crypto';
import type { Position } from '@weft/events/event-log';
import type { ExecutionResult } from 'graphql';
import type { LivePayload } from './sink.ts';

/**
 * Stands for the principal's mark while a result is executed. Of this process alone and never sent: nobody can have
 * it written into a datum.
 */
export const MARK_HOLE: string = randomBytes(24).toString('base64url');

/** A payload, and where it stands. */
export interface GroupPayload extends LivePayload {
  /** Undefined where the source has no places. */
  readonly position: Position | undefined;
  /** What its event is about; undefined for a gap. */
  readonly subject: string | undefined;
}

export interface PayloadPlace {
  readonly position: Position | undefined;
  readonly subject: string | undefined;
  /** The cursor but for the principal's mark; undefined where the source has no places. */
  readonly stem: string | undefined;
}

/** @param result in it `MARK_HOLE` stands wherever the principal's mark belongs */
export function createPayload(result: ExecutionResult, place: PayloadPlace): GroupPayload {
  const parts = JSON.stringify(result).split(MARK_HOLE);
  return new Payload(parts, place, {
    list: result.errors ?? [],
    hasData: result.data !== null && result.data !== undefined,
  });
}

class Payload implements GroupPayload {
  readonly position: Position | undefined;
  readonly subject: string | undefined;
  readonly length: number;
  readonly outcome: LivePayload['outcome'];
  readonly #parts: readonly string[];
  readonly #stem: string | undefined;

  constructor(parts: readonly string[], place: PayloadPlace, outcome: LivePayload['outcome']) {
    this.#parts = parts;
    this.#stem = place.stem;
    this.position = place.position;
    this.subject = place.subject;
    this.outcome = outcome;
    this.length = parts.reduce((sum, part) => sum + part.length + MARK_CHARS, -MARK_CHARS);
  }

  json(cursorMark: string): string {
    // Not kept: what waits and what is kept for those who come back would be there twice. Transports keep the last one.
    return this.#parts.join(cursorMark);
  }

  cursor(cursorMark: string): string | undefined {
    return this.#stem === undefined ? undefined : this.#stem + cursorMark;
  }
}

/** Those that are written together, in order. */
export function runsOf(
  payloads: readonly GroupPayload[],
  charsMax: number,
): readonly (readonly GroupPayload[])[] {
  const runs: GroupPayload[][] = [];
  let chars = 0;
  for (const payload of payloads) {
    const last = runs.at(-1);
    if (last === undefined || chars + payload.length > charsMax) {
      runs.push([payload]);
      chars = payload.length;
    } else {
      last.push(payload);
      chars += payload.length;
    }
  }
  return runs;
}

/** As `CursorCodec.mark` writes them. */
const MARK_CHARS = 22;
