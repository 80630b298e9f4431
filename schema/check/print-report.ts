// Writes what a check found, for people: what changed, whom it breaks, and when that last ran.
import type { BrokenOperation, CheckReport } from './check.ts';
import type { UsedOperation } from './used-operations.ts';

/** Hex digits of a hash that tell operations apart in a text. */
const HASH_DIGITS = 12;

/** `Latest (3f2a91c0d1e2) of dashboard 1.4.0, last run 2026-11-28T10:00:00.000Z, 312 times`: the client that used it last, and how many more. */
export function printUse({ name, hash, clients, lastSeen, count }: UsedOperation): string {
  const [latest] = clients;
  const client = [latest?.name ?? 'a client without a name', latest?.version].filter(Boolean).join(' ');
  const others = clients.length > 1 ? ` and ${clients.length - 1} more` : '';
  const times = count === 1 ? 'once' : `${count} times`;
  return `${name ?? 'unnamed'} (${hash.slice(0, HASH_DIGITS)}) of ${client}${others}, last run ${lastSeen.toISOString()}, ${times}`;
}

/** One sentence: what is broken, by whom it is used, and why. */
export function printBroken({ operation, errors, coordinates }: BrokenOperation): string {
  const why = errors[0] ?? `${coordinates.join(', ')} would be answered or taken otherwise`;
  return `breaks ${printUse(operation)}: ${why}`;
}

/** The verdict first, then each operation that is broken, then each change that is not SAFE. */
export function printReport({ passes, changes, broken, operations }: CheckReport): readonly string[] {
  const of = `of ${operations.checked} used operation${operations.checked === 1 ? '' : 's'}`;
  const verdict = passes ? `passes: none ${of} is broken` : `refused: ${broken.length} ${of} would be broken`;
  const unread =
    operations.notChecked > 0 ? [`not checked: ${operations.notChecked} operations less used`] : [];
  const seen = changes.filter(({ effect }) => effect !== 'SAFE');
  return [
    verdict,
    ...unread,
    ...broken.map(printBroken),
    ...seen.map(
      ({ effect, coordinate, message, code }) => `${effect} ${coordinate ?? 'schema'}: ${message} [${code}]`,
    ),
  ];
}
