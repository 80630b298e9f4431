// Which fetches of a plan need another's answer: read from what each writes and reads, since a sequence may order more than that.
import { Kind, type SelectionSetNode } from 'graphql';
import type { FetchStep, RequiredSelection } from '../plan/planner.ts';

const FRAGMENT_PREFIX = '... on ';

/** Whether a plan's fetch needs what another brings. Says yes when in doubt. */
export type DependsOn = (later: FetchStep, earlier: FetchStep) => boolean;

export function compareFetches(): DependsOn {
  const reads = new Map<FetchStep, ReadonlySet<string>>();
  const writes = new Map<FetchStep, readonly string[]>();
  return (later, earlier) => {
    // Its context lies anywhere above.
    if (later.contextRewrites.length > 0) return true;
    const read = reads.getOrInsertComputed(later, readsOf);
    return writes.getOrInsertComputed(earlier, writesOf).some((place) => read.has(place));
  };
}

/** Places as response names joined by dots, lists and types left out. */
function writesOf(step: FetchStep): readonly string[] {
  const names = new Set<string>();
  addNames(step, step.selection, names);
  for (const rewrite of step.outputRewrites) {
    if (rewrite.kind === 'rename') names.add(rewrite.to);
  }
  const base = step.path.filter(isName);
  return [...names].map((name) => [...base, name].join('.'));
}

/** Every place below a fetch's path that it brings, nested ones and objects too, written as response names joined by dots. */
export function placesWritten(step: FetchStep): readonly string[] {
  const places = new Set<string>();
  const addBelow = (selectionSet: SelectionSetNode, base: readonly string[]): void => {
    for (const node of selectionSet.selections) {
      if (node.kind === Kind.FIELD) {
        const below = [...base, (node.alias ?? node.name).value];
        places.add(below.join('.'));
        if (node.selectionSet !== undefined) addBelow(node.selectionSet, below);
        continue;
      }
      const body =
        node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : step.fragments.get(node.name.value);
      if (body !== undefined) addBelow(body, base);
    }
  };
  addBelow(step.selection, step.path.filter(isName));
  return [...places];
}

/** Whether a segment of a fetch's path is a response name, and no list mark or type condition. */
export function isName(segment: string): boolean {
  return segment !== '@' && !segment.startsWith(FRAGMENT_PREFIX);
}

function addNames(step: FetchStep, selectionSet: SelectionSetNode, names: Set<string>): void {
  for (const node of selectionSet.selections) {
    if (node.kind === Kind.FIELD) names.add((node.alias ?? node.name).value);
    else {
      const body =
        node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : step.fragments.get(node.name.value);
      if (body !== undefined) addNames(step, body, names);
    }
  }
}

function readsOf(step: FetchStep): ReadonlySet<string> {
  const places = new Set<string>();
  let base: readonly string[] = [];
  for (const segment of step.path) {
    if (segment.startsWith(FRAGMENT_PREFIX)) places.add([...base, '__typename'].join('.'));
    if (!isName(segment)) continue;
    base = [...base, segment];
    places.add(base.join('.'));
  }
  addRequired(step.requires ?? [], base, places);
  return places;
}

function addRequired(
  selections: readonly RequiredSelection[],
  base: readonly string[],
  places: Set<string>,
): void {
  for (const selection of selections) {
    if (selection.kind === 'fragment') {
      places.add([...base, '__typename'].join('.'));
      addRequired(selection.selections, base, places);
      continue;
    }
    const place = [...base, selection.name];
    places.add(place.join('.'));
    addRequired(selection.selections ?? [], place, places);
  }
}
