// Reads one root field with the page's token, and says in Chinese why there is nothing.
import { ask } from '../live/ask.js';
import { describeFailure, failuresBelow } from '../live/failures.js';
import { readToken } from '../live/token.js';

/**
 * What of the answer is missing stands in `failures`.
 * @template Data
 * @param {import('../live/documents.js').Document<Data>} query @param {keyof Data & string} field
 * @param {Readonly<Record<string, unknown>>} [variables]
 * @returns {Promise<{ value: NonNullable<Data[keyof Data & string]>, failures: readonly import('../live/failures.js').Failure[] }>}
 * @throws when the field is null, with what a person reads
 */
export async function read(query, field, variables) {
  const token = readToken();
  const { data, errors } = await ask(query, { variables, ...(token === null ? {} : { token }) });
  const value = data?.[field] ?? undefined;
  const failures = failuresBelow(errors, []);
  if (value === undefined || value === null) {
    const first = failures[0];
    throw new TypeError(first === undefined ? '没有内容' : describeFailure(first));
  }
  return { value, failures };
}
