// Decides which entity fetches of a plan are sent together: those to one subgraph of which none needs another's answer.
import type { FetchStep, Step } from '../plan/planner.ts';
import { compareFetches } from './dependencies.ts';
import type { CompiledFetch } from './fetches.ts';
import { compileMergedRequests, type MergedRequests } from './merged-request.ts';

export interface Group {
  /** Among the operation's groups. */
  readonly number: number;
  readonly members: readonly CompiledFetch[];
  readonly merged: MergedRequests;
}

/** Fetches in one request: what one failure of it can take along is bounded. */
const MEMBERS_MAX = 16;

interface Placed {
  readonly fetch: CompiledFetch;
  /** How many fetches come before it one after the other. */
  readonly depth: number;
  /** Whether the plan has anything come after it. */
  readonly hasFollowers: boolean;
}

export interface Schedule {
  readonly groups: ReadonlyMap<CompiledFetch, Group>;
  /** Fetches that the plan has others come after, which need nothing of them: these do not wait. */
  readonly unawaited: ReadonlySet<CompiledFetch>;
}

const NO_FETCHES: ReadonlySet<CompiledFetch> = new Set();

/** Fetches of a plan up to which each is compared with every other. */
const COMPARED_MAX = 200;

/**
 * Fetches of one depth never need one another. One that no other needs may be postponed to a later depth without making
 * the whole answer later; any other only meets those of its own depth, as does one that later ones may take from: sent with
 * them it would be asked for the same entities as they.
 * @param sources what others may take from (`reuse.ts`)
 */
export function scheduleFetches(
  steps: Step,
  fetches: readonly CompiledFetch[],
  fetchOf: (step: FetchStep) => CompiledFetch,
  sources: ReadonlySet<CompiledFetch> = NO_FETCHES,
): Schedule {
  const placed: Placed[] = [];
  place(steps, 0, false, fetchOf, placed);
  const unawaited = findUnawaited(placed, fetches);
  const groups = new Map<CompiledFetch, Group>();
  const mergeable = placed.filter(({ fetch }) => canMerge(fetch.step));
  let count = 0;
  for (const candidates of Map.groupBy(mergeable, ({ fetch }) => fetch.step.system).values()) {
    for (const together of gatherSystem(candidates, unawaited, sources)) {
      for (let start = 0; start < together.length; start += MEMBERS_MAX) {
        const members = together.slice(start, start + MEMBERS_MAX).map(({ fetch }) => fetch);
        const merged = members.length < 2 ? undefined : compileMergedRequests(members);
        if (merged === undefined) continue;
        const group: Group = { number: count, members, merged };
        count += 1;
        for (const fetch of members) groups.set(fetch, group);
      }
    }
  }
  return { groups, unawaited };
}

/** None where something is changed: what comes after a change must come after it. */
function findUnawaited(
  placed: readonly Placed[],
  fetches: readonly CompiledFetch[],
): ReadonlySet<CompiledFetch> {
  const isChange = fetches.some(({ step }) => step.operationKind === 'mutation');
  if (isChange || fetches.length > COMPARED_MAX) return new Set();
  const dependsOn = compareFetches();
  return new Set(
    placed
      .filter(({ hasFollowers }) => hasFollowers)
      .map(({ fetch }) => fetch)
      .filter((fetch) => fetches.every((other) => other === fetch || !dependsOn(other.step, fetch.step))),
  );
}

/** Gives the depth after the step. */
function place(
  step: Step,
  depth: number,
  hasFollowers: boolean,
  fetchOf: (step: FetchStep) => CompiledFetch,
  placed: Placed[],
): number {
  switch (step.kind) {
    case 'fetch':
      placed.push({ fetch: fetchOf(step), depth, hasFollowers });
      return depth + 1;
    case 'sequence': {
      let reached = depth;
      for (const [index, child] of step.steps.entries()) {
        const isLast = index === step.steps.length - 1;
        reached = place(child, reached, hasFollowers || !isLast, fetchOf, placed);
      }
      return reached;
    }
    case 'parallel':
      return Math.max(
        depth,
        ...step.steps.map((child) => place(child, depth, hasFollowers, fetchOf, placed)),
      );
    case 'condition': {
      const branches = [step.whenTrue, step.whenFalse].filter((branch) => branch !== undefined);
      return Math.max(
        depth,
        ...branches.map((branch) => place(branch, depth, hasFollowers, fetchOf, placed)),
      );
    }
    case 'defer':
      // What is deferred never waits for what is not, nor the other way round.
      return depth + 1;
    default:
      return step satisfies never;
  }
}

function canMerge(step: FetchStep): boolean {
  return step.requires !== undefined && step.operationKind === 'query' && step.contextRewrites.length === 0;
}

function gatherSystem(
  placed: readonly Placed[],
  unawaited: ReadonlySet<CompiledFetch>,
  sources: ReadonlySet<CompiledFetch>,
): readonly (readonly Placed[])[] {
  const isLast = ({ fetch, hasFollowers }: Placed) =>
    !sources.has(fetch) && (!hasFollowers || unawaited.has(fetch));
  const last = placed.filter(isLast);
  const byDepth = Map.groupBy(
    placed.filter((each) => !isLast(each)),
    ({ depth }) => depth,
  );
  const lastDepth = Math.max(0, ...last.map(({ depth }) => depth));
  const meeting = [...byDepth.keys()].filter((depth) => depth >= lastDepth).toSorted((a, b) => a - b)[0];
  if (meeting === undefined) return [...byDepth.values(), last];
  return [...byDepth].map(([depth, members]) => (depth === meeting ? [...members, ...last] : members));
}
