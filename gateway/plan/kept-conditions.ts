// Puts a client's `@skip` and `@include` back on fields of a fetch that Hive's planner has dropped them from.
import {
  type DocumentNode,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { fetchStep, operationOf, parseFetch } from './fetch-text.ts';
import { ALWAYS, beyond, directivesOf, type Guard, guardWithin, isCondition, shared } from './guards.ts';
import { type ChangeFetch, mapFetches } from './map-fetches.ts';
import type { FetchStep, Plan, RequiredSelection } from './planner.ts';

/** What the client asks for at one place, under the conditions that lead there. */
interface Asked {
  readonly guard: Guard;
  readonly selectionSet: SelectionSetNode;
}

/**
 * Where fields under the same conditions are parted between subgraphs, the library asks for some of them whatever the variables
 * say. What is asked for in vain may fail, and where it may not be null it takes its object with it. Fields that another fetch
 * requires stay as they are, and so do those that the planner asks for itself.
 *
 * @param asked the document that was planned, its fragments inline
 */
export function withKeptConditions(asked: DocumentNode, plan: Plan): Plan {
  if (!hasConditions(asked)) return plan;
  const operation = operationOf(asked);
  const required = new Set<string>();
  const note: ChangeFetch = (fetch) => {
    addNames(fetch.requires ?? [], required);
    return fetch;
  };
  const mend: ChangeFetch = (fetch, within) => mendFetch(operation, required, fetch, within);
  const all = (map: ChangeFetch): Plan => ({
    ...plan,
    primary: plan.primary === undefined ? undefined : map(plan.primary, ALWAYS),
    steps: plan.steps === undefined ? undefined : mapFetches(plan.steps, map),
  });
  all(note);
  return all(mend);
}

function hasConditions(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive(directive) {
      if (isCondition(directive)) found = true;
    },
  });
  return found;
}

function addNames(selections: readonly RequiredSelection[], names: Set<string>): void {
  for (const selection of selections) {
    if (selection.kind === 'field') names.add(selection.name);
    addNames(selection.selections ?? [], names);
  }
}

function mendFetch(
  client: OperationDefinitionNode,
  required: ReadonlySet<string>,
  fetch: FetchStep,
  within: Guard,
): FetchStep {
  let asked: readonly Asked[] = [{ guard: ALWAYS, selectionSet: client.selectionSet }];
  for (const segment of fetch.path) {
    if (segment !== '@' && !segment.startsWith('...'))
      asked = below(asked, segment).map(({ inner }) => inner);
  }
  const document = parseFetch(fetch.operation);
  const operation = operationOf(document);
  const added = new Set<string>();
  const mender: Mender = { required, added };
  const isEntityFetch = fetch.requires !== undefined;
  const selectionSet = mendRoot(mender, asked, operation.selectionSet, isEntityFetch, within);
  if (added.size === 0) return fetch;
  const known = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value));
  const definitions = client.variableDefinitions?.filter(
    ({ variable: { name } }) => added.has(name.value) && !known.has(name.value),
  );
  const mended: OperationDefinitionNode = {
    ...operation,
    selectionSet,
    variableDefinitions: [...(operation.variableDefinitions ?? []), ...(definitions ?? [])],
  };
  const others = document.definitions.filter((node) => node !== operation);
  return fetchStep({ ...fetch, document: { ...document, definitions: [mended, ...others] } });
}

interface Mender {
  readonly required: ReadonlySet<string>;
  /** Variables of the conditions that were put back. */
  readonly added: Set<string>;
}

/** An entity fetch selects below `_entities`. */
function mendRoot(
  mender: Mender,
  asked: readonly Asked[],
  selectionSet: SelectionSetNode,
  isEntityFetch: boolean,
  within: Guard,
): SelectionSetNode {
  if (!isEntityFetch) return mendSelection(mender, asked, selectionSet, within);
  return {
    ...selectionSet,
    selections: selectionSet.selections.map((node) =>
      node.kind === Kind.FIELD && node.selectionSet !== undefined
        ? { ...node, selectionSet: mendSelection(mender, asked, node.selectionSet, within) }
        : node,
    ),
  };
}

/** @param within what is known to hold where the fetch is sent and this object is asked for */
function mendSelection(
  mender: Mender,
  asked: readonly Asked[],
  selectionSet: SelectionSetNode,
  within: Guard,
): SelectionSetNode {
  const outer = commonGuard(asked);
  return {
    ...selectionSet,
    selections: selectionSet.selections.map((node): SelectionNode => {
      // One text for several places.
      if (node.kind === Kind.FRAGMENT_SPREAD) return node;
      const own = guardWithin(within, node.directives) ?? within;
      if (node.kind === Kind.INLINE_FRAGMENT)
        return { ...node, selectionSet: mendSelection(mender, asked, node.selectionSet, own) };
      return mendField(mender, asked, node, own, outer);
    }),
  };
}

function mendField(
  mender: Mender,
  asked: readonly Asked[],
  node: FieldNode,
  own: Guard,
  outer: Guard,
): FieldNode {
  const name = (node.alias ?? node.name).value;
  const found = below(asked, name);
  if (found.length === 0) return node;
  const inner = found.map((each) => each.inner);
  const missing = beyond(beyond(found.map(({ guard }) => guard).reduce(shared), outer), own);
  const [directives = []] = directivesOf(missing);
  const isOwn = found.every(({ field }) => field.name.value === node.name.value);
  // More than one of a kind cannot stand on a field; what is asked for too often is only less thrifty.
  const isKept = isOwn && directives.length === missing.size && !repeats(node, directives);
  const isMended = isKept && missing.size > 0 && name !== '__typename' && !mender.required.has(name);
  if (isMended) for (const variable of missing.keys()) mender.added.add(variable);
  return {
    ...node,
    ...(isMended ? { directives: [...(node.directives ?? []), ...directives] } : {}),
    ...(node.selectionSet && { selectionSet: mendSelection(mender, inner, node.selectionSet, own) }),
  };
}

function repeats(node: FieldNode, directives: FieldNode['directives']): boolean {
  return (node.directives ?? []).some(({ name }) =>
    directives?.some((directive) => directive.name.value === name.value),
  );
}

function commonGuard(asked: readonly Asked[]): Guard {
  const [first, ...others] = asked.map(({ guard }) => guard);
  return first === undefined ? ALWAYS : others.reduce(shared, first);
}

interface Found {
  readonly field: FieldNode;
  readonly guard: Guard;
  /** What is asked for of its value. */
  readonly inner: Asked;
}

/** Every field of this response name, whatever type it is asked of. */
function below(asked: readonly Asked[], name: string): readonly Found[] {
  return asked.flatMap(({ guard, selectionSet }) =>
    selectionSet.selections.flatMap((node): readonly Found[] => {
      const own = guardWithin(guard, node.directives);
      if (own === undefined || node.kind === Kind.FRAGMENT_SPREAD) return [];
      if (node.kind === Kind.INLINE_FRAGMENT)
        return below([{ guard: own, selectionSet: node.selectionSet }], name);
      if ((node.alias ?? node.name).value !== name) return [];
      const inner = { guard: own, selectionSet: node.selectionSet ?? NOTHING };
      return [{ field: node, guard: own, inner }];
    }),
  );
}

const NOTHING: SelectionSetNode = { kind: Kind.SELECTION_SET, selections: [] };
