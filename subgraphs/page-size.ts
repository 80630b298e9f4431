// The one rule for the argument `first` of every list.
import { HubError } from '@weft/core/errors';

/** A list's bound: its name for the one who asks, the most items, and how many come when the argument is null. */
export interface PageLimit {
  readonly name: string;
  readonly itemsMax: number;
  readonly itemsUsual: number;
}

/**
 * @returns how many items to read
 * @throws HubError LIMIT_EXCEEDED above the limit, naming it; BAD_USER_INPUT below 0
 */
export function requirePageSize(first: number | null, { name, itemsMax, itemsUsual }: PageLimit): number {
  if (first === null) return itemsUsual;
  if (first < 0) {
    throw new HubError('BAD_USER_INPUT', `first: expected 0 to ${itemsMax}, got ${first}`, {
      details: { argument: 'first' },
    });
  }
  if (first > itemsMax) {
    throw new HubError('LIMIT_EXCEEDED', `first: at most ${itemsMax} a page, got ${first}`, {
      details: { argument: 'first', limit: name, max: itemsMax, got: first },
    });
  }
  return first;
}
