// One row of one round: the processes that it consists of, and the events that its source is asked for.
import type { Program } from '../program.ts';
import type { LiveCandidate, LiveWorkplace } from './candidates.ts';
import type { EmitQuestion } from './live-subgraphs.ts';
import type { LiveSettings } from './measurement.ts';

/** What all measurements of a bench have in common. */
export interface LiveWorkbench extends Omit<LiveWorkplace, 'port' | 'peerFolder' | 'redisUrl'> {
  readonly settings: LiveSettings;
  /** The subgraphs' program, which is the source of events too. */
  readonly subgraphs: Program;
  /** Absolute. */
  readonly folder: string;
  readonly logFolder: string;
  peerFolder(candidate: LiveCandidate): string;
}

/** One row of one round, with what it started. */
export interface Row {
  readonly bench: LiveWorkbench;
  readonly candidate: LiveCandidate;
  readonly groups: number;
  readonly gateway: Program;
  readonly beside: Program | undefined;
  readonly load: Program;
}

/** So many events, at a rate; resolves when they are out. */
export function emit(
  row: Row,
  firstSeq: number,
  events: number,
  eventsPerSecond: number,
  signal: AbortSignal,
) {
  const { bench, candidate, gateway, groups } = row;
  const question: EmitQuestion = {
    firstSeq,
    events,
    eventsPerSecond,
    groups,
    ...(candidate.source === 'outbox' ? { databaseUrl: bench.databaseUrl } : {}),
  };
  const source = candidate.source === 'own' ? gateway : bench.subgraphs;
  return source.ask<undefined>('emit', question, signal);
}

/** Client `i` is of group `i % groups`, event `n` of group `n % groups`. */
export function expectedDeliveries(
  firstSeq: number,
  events: number,
  clients: number,
  groups: number,
): number {
  const sizes = Array.from({ length: groups }, (_, group) => Math.ceil((clients - group) / groups));
  let expected = 0;
  for (let seq = firstSeq; seq < firstSeq + events; seq++) expected += sizes[seq % groups] ?? 0;
  return expected;
}
