// The refusal of an argument, which names it.
import { HubError } from '@weft/core/errors';

/** An argument that is not acceptable. */
export function badInput(
  argument: string,
  problem: string,
  details: Readonly<Record<string, string>> = {},
): HubError {
  return new HubError('BAD_USER_INPUT', `${argument}: ${problem}`, { details: { argument, ...details } });
}
