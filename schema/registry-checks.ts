// What the registry asks of a proposed graph before it publishes it.
import { type BoundedWorker, openBoundedWorker, type WorkerLimits } from './bounded-worker.ts';
import type { Subgraph } from './compose.ts';
import type { Problem, ProblemLocation } from './problem.ts';
import type { WantedVariant } from './registry-variants.ts';

/** The variant that is the whole graph. */
export const CURRENT_VARIANT = 'current';

/** A member of a proposed graph. */
export interface ProposedMember extends Subgraph {
  /** Code of the department that owns it. */
  readonly owner: string;
  /** Whether the proposal brings it, or brings it in another version. */
  readonly isChanged: boolean;
  /** Of the version that the graph has of it now; undefined when it comes anew. */
  readonly previousSdl?: string | undefined;
}

export interface Proposal {
  /** Every member of the graph as it would be. */
  readonly members: readonly ProposedMember[];
  /** The graph of now, whole; undefined when there is none yet. */
  readonly supergraphSdl: string | undefined;
  /** What is to be made of it besides the whole. Default none. */
  readonly variants?: readonly WantedVariant[] | undefined;
}

/** An operation that was used, of one client. */
export interface UsedOperation {
  /** SHA-256 hex of the normalised text. */
  readonly hash: string;
  readonly document: string | undefined;
  /** Empty for one without a name; those of the client likewise. */
  readonly name: string;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly count: number;
  /** Of the runs that `count` counts. */
  readonly errors: number;
  /** RFC 3339. */
  readonly lastSeen: string;
  readonly coordinates: readonly string[];
}

/** A used operation that a proposal would break, and why. */
export interface BrokenOperation {
  readonly operation: UsedOperation;
  /** `Type.field`, `Type.field(argument:)` or `Enum.VALUE`; `schema` where validation alone knows. */
  readonly coordinate: string;
  /** What validation says, or how it would be answered otherwise. */
  readonly message: string;
}

/**
 * A field that a changed member takes over from a system of another department (`@override`), or answers beside it, and did not
 * before.
 */
export interface Takeover {
  /** Of the member that takes. */
  readonly system: string;
  /** `Type.field` */
  readonly coordinate: string;
  /** The system that it is taken from. */
  readonly from: string;
  /** Where the member that takes writes it. */
  readonly location: ProblemLocation | undefined;
}

export interface CheckReport {
  /** By the name of the variant; empty when the proposal does not compose. */
  readonly supergraphs: Readonly<Record<string, string>>;
  /** Why it does not compose; empty when it does. */
  readonly errors: readonly Problem[];
  readonly hints: readonly Problem[];
  /** Personal information that a changed member opens to everybody, and did not before. */
  readonly unprotected: readonly Problem[];
  /** Of variants that the graph of now has, and this one has not. */
  readonly lostVariants: readonly Problem[];
  readonly broken: readonly BrokenOperation[];
  readonly takeovers: readonly Takeover[];
}

/** The seam between the registry, which stores and points, and what judges a graph. */
export interface RegistryChecks {
  /**
   * @param used what clients have used, within the window that the caller means
   * @throws OperatorError when it takes too long, too much memory, or falls
   */
  check(proposal: Proposal, used: readonly UsedOperation[]): Promise<CheckReport>;
  close(): Promise<void>;
}

export const CHECK_LIMITS: WorkerLimits = Object.freeze({
  timeoutMs: 30_000,
  heapMbMax: 1_024,
  waitingMax: 50,
});

/** What the thread of checks is given. */
export interface ProposalTask {
  readonly proposal: Proposal;
  readonly used: readonly UsedOperation[];
}

/** Checks in a thread, one at a time: composition, names that are reserved, lints, takeovers, and what is used. */
export function openRegistryChecks(limits: WorkerLimits = CHECK_LIMITS): RegistryChecks {
  const worker: BoundedWorker<ProposalTask, CheckReport> = openBoundedWorker(
    new URL('./registry-check-worker.ts', import.meta.url),
    limits,
    'the graph could not be composed',
  );
  return {
    check: (proposal, used) => worker.run({ proposal, used }),
    close: () => worker.close(),
  };
}
