// Positions of the PostgreSQL log: `tx.seq`, the transaction's 64-bit number and the row's serial within it.
import { HubError } from '@weft/core/errors';
import { type Position, START } from '../event-log.ts';

const POSITION = /^(0|[1-9]\d{0,19})\.(0|[1-9]\d{0,18})$/;

/** The last position there can ever be. */
export const POSITION_MAX: Position = `${2n ** 64n - 1n}.${2n ** 63n - 1n}`;

/** The two numbers, as decimal digits: PostgreSQL takes them as xid8 and bigint. */
export interface PositionParts {
  readonly tx: string;
  readonly seq: string;
}

/** @throws HubError INVALID_CURSOR when the text is no position of this engine */
export function parsePosition(position: Position): PositionParts {
  const match = POSITION.exec(position);
  const [, tx, seq] = match ?? [];
  if (tx === undefined || seq === undefined) {
    throw new HubError(
      'INVALID_CURSOR',
      `expected a position such as ${START}, got ${JSON.stringify(position.slice(0, 50))}`,
    );
  }
  return { tx, seq };
}

export function formatPosition(parts: PositionParts): Position {
  return `${parts.tx}.${parts.seq}`;
}

/** Below 0 when `left` comes before `right`, 0 when they are the same. */
export function comparePositions(left: Position, right: Position): number {
  if (left === right) return 0;
  const a = parsePosition(left);
  const b = parsePosition(right);
  return compareDigits(a.tx, b.tx) || compareDigits(a.seq, b.seq);
}

/** Decimal digits without leading zeros: the longer is the greater. */
function compareDigits(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
