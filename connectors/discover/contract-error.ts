// Says in one line what is wrong with a contract and where.
import { OperatorError } from '@weft/core/errors';
import { showFile } from '../compile/sdl-folder.ts';

/** Where in a file; both from 1. */
export interface ContractPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * A contract that cannot be read: `file:line:column what is wrong — how to mend it`, without a place where none is known.
 * @param mend what the reader can do about it, as an imperative
 */
export function contractError(
  file: string,
  place: ContractPlace | undefined,
  what: string,
  mend: string,
): OperatorError {
  const at = place === undefined ? showFile(file) : `${showFile(file)}:${place.line}:${place.column}`;
  const line = `${at} ${what} — ${mend}`;
  return new OperatorError(line.replaceAll(/\s+/g, ' '), { exitCode: 1 });
}

/** The place of an offset into a text. */
export function placeOf(text: string, offset: number): ContractPlace {
  const before = text.slice(0, Math.max(0, offset));
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}
