// What a client is told of an error that a subgraph did not mean for it: an exception that nobody caught there.
import type { Logger } from '@weft/core/logger';

/**
 * A subgraph that means an error for clients gives it a code of docs/errors.md; the message of any other may hold an address,
 * a statement or a password. Called with that message; returns the one that is told.
 */
export type TellOwnWords = (message: string) => string;

export const tellAll: TellOwnWords = (message) => message;

/** Keeps them in the log. */
export function keepBack(system: string, logger: Logger | undefined): TellOwnWords {
  return (message) => {
    logger?.warn({ system, upstreamMessage: message }, 'a subgraph failed in its own words');
    return `${system} failed: its reason is in the log of the hub`;
  };
}
