// Keeps a fetch of root fields from being sent when the client's variables exclude every one of them.
import { type DirectiveNode, Kind, type SelectionNode } from 'graphql';
import type { FetchStep, Step } from './planner.ts';

/** Above this the fetch is sent whatever the variables say: the answer is the same, only less thrifty. */
const SELECTIONS_MAX = 4;

/** The fetch, behind conditions when each of its root selections has one by variable. */
export function withRootConditions(fetch: FetchStep): Step {
  const { selections } = fetch.selection;
  if (fetch.requires !== undefined || fetch.path.length > 0 || selections.length > SELECTIONS_MAX)
    return fetch;
  const guards = selections.map(guardOf);
  if (guards.some((guard) => guard.length === 0)) return fetch;
  return anyOf(guards, fetch) ?? fetch;
}

interface Condition {
  readonly variable: string;
  readonly wanted: boolean;
}

/** All of which must hold for the selection; none when it is there whatever the variables say. */
function guardOf(node: SelectionNode): readonly Condition[] {
  return (node.directives ?? []).flatMap((directive) => conditionOf(directive) ?? []);
}

function conditionOf({ name, arguments: given }: DirectiveNode): Condition | undefined {
  const value = given?.find((argument) => argument.name.value === 'if')?.value;
  if (value?.kind !== Kind.VARIABLE || (name.value !== 'include' && name.value !== 'skip')) return undefined;
  return { variable: value.name.value, wanted: name.value === 'include' };
}

/** The first guard decides, and where it does not hold the next does. */
function anyOf(guards: readonly (readonly Condition[])[], fetch: Step): Step | undefined {
  const [first, ...others] = guards;
  if (first === undefined) return undefined;
  return allOf(first, fetch, anyOf(others, fetch));
}

function allOf(guard: readonly Condition[], then: Step, otherwise: Step | undefined): Step {
  const [first, ...others] = guard;
  if (first === undefined) return then;
  const holds = allOf(others, then, otherwise);
  return {
    kind: 'condition',
    variable: first.variable,
    whenTrue: first.wanted ? holds : otherwise,
    whenFalse: first.wanted ? otherwise : holds,
  };
}
