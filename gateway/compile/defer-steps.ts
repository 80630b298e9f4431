// Parts a plan at the client's `@defer`s: what the first answer needs, and for each deferred fragment what it needs beside.
import { type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import { type DeferredFragment, namesOf, type SplitSelection } from '../incremental/split-selection.ts';
import type { DeferredBlock, FetchStep, Step } from '../plan/planner.ts';
import { compareFetches, isName, placesWritten } from './dependencies.ts';

/** Fetches of a plan up to which each is compared with every other; a larger plan is answered whole. */
const COMPARED_MAX = 200;

/**
 * The plan stays what it is: each of its fetches is in one part, the first that needs it. A fragment whose fields come with
 * those of the first answer has none of its own. Undefined when nothing can be held back.
 * @param split of the client's selection, `@skip` and `@include` taken as if all was asked
 */
export function deferSteps(
  steps: Step,
  split: SplitSelection,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Step | undefined {
  const fetches = fetchesOf(steps);
  if (fetches.length > COMPARED_MAX) return undefined;
  const parting: Parting = {
    steps,
    fetches,
    fragments,
    places: new Map(fetches.map((fetch) => [fetch, placesWritten(fetch)])),
    dependents: dependentsOf(fetches),
    ids: new Map(fetches.map((fetch, index) => [fetch, String(index)])),
    taken: new Set(),
  };
  const first = take(parting, split.kept, [], true);
  const deferred = split.deferred.flatMap((fragment) => blocksOf(parting, fragment, []));
  return { kind: 'defer', primary: { selection: undefined, steps: first.steps }, deferred };
}

interface Parting {
  readonly steps: Step;
  /** In the order of the plan: none needs a later one. */
  readonly fetches: readonly FetchStep[];
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** What each brings, as response names joined by dots. */
  readonly places: ReadonlyMap<FetchStep, readonly string[]>;
  /** The later fetches that need it. */
  readonly dependents: ReadonlyMap<FetchStep, readonly FetchStep[]>;
  readonly ids: ReadonlyMap<FetchStep, string>;
  /** Fetches of the parts before. */
  readonly taken: Set<FetchStep>;
}

function dependentsOf(fetches: readonly FetchStep[]): Parting['dependents'] {
  const dependsOn = compareFetches();
  return new Map(
    fetches.map((fetch, index) => [
      fetch,
      fetches.slice(index + 1).filter((later) => dependsOn(later, fetch)),
    ]),
  );
}

function blocksOf(
  parting: Parting,
  fragment: DeferredFragment,
  above: readonly string[],
): readonly DeferredBlock[] {
  const names = [...above, ...namesOf(fragment.path)];
  const { steps, depends } = take(parting, fragment.selectionSet, names, false);
  const block: DeferredBlock = {
    depends,
    label: fragment.label,
    directive: fragment.directive,
    path: names,
    selection: fragment.selectionSet,
    steps,
  };
  return [block, ...fragment.children.flatMap((child) => blocksOf(parting, child, names))];
}

/** The fetches that the selection needs and no part before has; the others it waits for. */
function take(
  parting: Parting,
  selectionSet: SelectionSetNode,
  names: readonly string[],
  isFirst: boolean,
): { readonly steps: Step | undefined; readonly depends: readonly string[] } {
  const wanted = new Set<string>();
  const byType = new Set<string>();
  addPlaces(parting.fragments, selectionSet, names, { wanted, byType });
  const needed = new Set<FetchStep>();
  // From the last to the first: what a fetch needs stands before it.
  for (const fetch of parting.fetches.toReversed()) {
    const isNeeded =
      (isFirst && fetch.operationKind === 'mutation') ||
      // Under which names the client has what is renamed hangs on more than names.
      (isFirst && fetch.outputRewrites.length > 0) ||
      parting.places.get(fetch)?.some((place) => wanted.has(place)) === true ||
      (tellsTypes(fetch) && byType.has(fetch.path.filter(isName).join('.'))) ||
      parting.dependents.get(fetch)?.some((later) => needed.has(later)) === true;
    if (isNeeded) needed.add(fetch);
  }
  const own = new Set([...needed].filter((fetch) => !parting.taken.has(fetch)));
  const depends = [...needed].filter((fetch) => !own.has(fetch)).map((fetch) => idOf(parting, fetch));
  for (const fetch of own) parting.taken.add(fetch);
  return { steps: onlyOf(parting, parting.steps, own), depends };
}

/** Of objects that another system knows as those of an interface (`@interfaceObject`), and gives its name as their type. */
function tellsTypes({ requires, selection, inputRewrites }: FetchStep): boolean {
  return (
    requires !== undefined &&
    inputRewrites.some(({ kind, path }) => kind === 'set' && path.at(-1) === '__typename') &&
    bringsType(selection)
  );
}

function bringsType({ selections }: SelectionSetNode): boolean {
  return selections.some((node) => {
    if (node.kind === Kind.FIELD) return (node.alias ?? node.name).value === '__typename';
    return node.kind === Kind.INLINE_FRAGMENT && bringsType(node.selectionSet);
  });
}

function idOf({ ids }: Parting, fetch: FetchStep): string {
  return ids.get(fetch) ?? '';
}

/** The plan with these fetches alone; undefined when there are none. */
function onlyOf(parting: Parting, step: Step, own: ReadonlySet<FetchStep>): Step | undefined {
  switch (step.kind) {
    case 'fetch':
      return own.has(step) ? { ...step, id: idOf(parting, step) } : undefined;
    case 'sequence':
    case 'parallel': {
      const steps = step.steps.flatMap((child) => onlyOf(parting, child, own) ?? []);
      const [only, second] = steps;
      return only === undefined || second === undefined ? only : { kind: step.kind, steps };
    }
    case 'condition': {
      const whenTrue = step.whenTrue && onlyOf(parting, step.whenTrue, own);
      const whenFalse = step.whenFalse && onlyOf(parting, step.whenFalse, own);
      return whenTrue === undefined && whenFalse === undefined ? undefined : { ...step, whenTrue, whenFalse };
    }
    case 'defer':
      return step;
    default:
      return step satisfies never;
  }
}

function fetchesOf(step: Step): readonly FetchStep[] {
  switch (step.kind) {
    case 'fetch':
      return [step];
    case 'sequence':
    case 'parallel':
      return step.steps.flatMap(fetchesOf);
    case 'condition':
      return [step.whenTrue, step.whenFalse].flatMap((branch) =>
        branch === undefined ? [] : fetchesOf(branch),
      );
    case 'defer':
      return [];
    default:
      return step satisfies never;
  }
}

/** Places as response names joined by dots. */
interface Places {
  /** Every place that is asked for. */
  readonly wanted: Set<string>;
  /** Objects of which something is asked if they are of one type. */
  readonly byType: Set<string>;
}

function addPlaces(
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  selectionSet: SelectionSetNode,
  names: readonly string[],
  places: Places,
): void {
  for (const node of selectionSet.selections) {
    if (node.kind === Kind.FIELD) {
      const below = [...names, (node.alias ?? node.name).value];
      // Of an object too: it must be known whether and how often it is there, whoever has its fields.
      places.wanted.add(below.join('.'));
      if (node.selectionSet !== undefined) addPlaces(fragments, node.selectionSet, below, places);
      continue;
    }
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
    if (fragment === undefined) continue;
    if (fragment.typeCondition !== undefined) places.byType.add(names.join('.'));
    addPlaces(fragments, fragment.selectionSet, names, places);
  }
}
