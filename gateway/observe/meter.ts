// What an engine tells of itself while it works: the seam between what runs and whoever counts it.
import type { ErrorCode } from '@weft/core/errors';
import type { BreakerState } from '../fetch/breaker.ts';

/** `errors`: an answer came that has errors in it. */
export type FetchOutcome = 'ok' | 'errors' | ErrorCode;

/** Called while operations run: cheap, and never throws. */
export interface EngineMeter {
  /** One request to a subgraph has ended. */
  fetched(system: string, outcome: FetchOutcome, durationMs: number): void;
  /** A fetch was answered by an equal one that was under way. */
  shared(system: string): void;
  /** An operation was asked for: it was known, or being planned for another, or neither. */
  lookedUp(found: 'hit' | 'pending' | 'miss'): void;
  /** An operation that was not known has been parsed, validated and planned, or refused. */
  prepared(outcome: 'ok' | ErrorCode, durationMs: number): void;
}

/** Undefined when there is none. */
export function joinMeters(...given: readonly (EngineMeter | undefined)[]): EngineMeter | undefined {
  const meters = given.filter((meter) => meter !== undefined);
  const [only, ...others] = meters;
  if (others.length === 0) return only;
  return {
    fetched(...told) {
      for (const meter of meters) meter.fetched(...told);
    },
    shared(system) {
      for (const meter of meters) meter.shared(system);
    },
    lookedUp(found) {
      for (const meter of meters) meter.lookedUp(found);
    },
    prepared(...told) {
      for (const meter of meters) meter.prepared(...told);
    },
  };
}

/** How an engine stands at one moment. */
export interface EngineStatus {
  /** Prepared operations that are kept. */
  readonly cachedOperations: number;
  /** Operations that wait to be planned. */
  readonly planQueue: number;
  readonly breakers: readonly { readonly system: string; readonly state: BreakerState }[];
}
