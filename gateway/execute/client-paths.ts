// From the places of a failed fetch to the paths that the client knows.
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLSchema,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { Kind } from 'graphql';
import type { FetchStep } from '../plan/planner.ts';
import { isIncluded, type Variables } from './collect-fields.ts';
import type { Path, Target } from './data.ts';
import { isObjectOfType } from './object-type.ts';

/** The client's operation, as far as paths need it. */
export interface ClientSelection {
  readonly selectionSet: SelectionSetNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/**
 * The path up to where the client asked for it: what the plan fetches for its own use is cut off. Undefined where the client
 * asked for it under conditions, and these do not hold: of what it does not want nothing is told.
 */
export function visiblePath(client: ClientSelection, path: Path, variables: Variables): Path | undefined {
  let wanted: readonly SelectionSetNode[] = [client.selectionSet];
  // Whatever the variables say.
  let written = wanted;
  for (const [index, segment] of path.entries()) {
    if (typeof segment === 'number') continue;
    const named = (sets: readonly SelectionSetNode[], includes: Includes) =>
      sets.flatMap((set) => fieldsNamed(client, set, segment, new Set(), includes));
    const nodes = named(wanted, (node) => isIncluded(node, variables));
    const all = named(written, () => true);
    if (nodes.length === 0) return all.length === 0 ? path.slice(0, index) : undefined;
    wanted = nodes.flatMap((node) => node.selectionSet ?? []);
    written = all.flatMap((node) => node.selectionSet ?? []);
  }
  return path;
}

type Includes = (node: SelectionNode) => boolean;

function fieldsNamed(
  client: ClientSelection,
  selectionSet: SelectionSetNode,
  responseName: string,
  spread: Set<string>,
  includes: Includes,
): readonly FieldNode[] {
  return selectionSet.selections.flatMap((node) => {
    if (!includes(node)) return [];
    if (node.kind === Kind.FIELD) return (node.alias ?? node.name).value === responseName ? [node] : [];
    if (node.kind === Kind.INLINE_FRAGMENT)
      return fieldsNamed(client, node.selectionSet, responseName, spread, includes);
    const fragment = client.fragments.get(node.name.value);
    if (fragment === undefined || spread.has(node.name.value)) return [];
    spread.add(node.name.value);
    return fieldsNamed(client, fragment.selectionSet, responseName, spread, includes);
  });
}

/**
 * What the client misses at a target when the whole fetch fails: the path of every field that it asked for there, or
 * the target itself when the fetch was for the plan's own use.
 */
export function missedPaths(
  schema: GraphQLSchema,
  client: ClientSelection,
  step: FetchStep,
  target: Target,
  variables: Variables,
): readonly Path[] {
  const names = new Set<string>();
  collectNames(schema, step, step.selection, target, variables, names);
  const wanted = [...names]
    .map((name) => [...target.path, renamed(step, name)])
    .filter((path) => visiblePath(client, path, variables)?.length === path.length);
  if (wanted.length > 0) return wanted;
  const above = visiblePath(client, target.path, variables);
  return above === undefined ? [] : [above];
}

function collectNames(
  schema: GraphQLSchema,
  step: FetchStep,
  selectionSet: SelectionSetNode,
  target: Target,
  variables: Variables,
  names: Set<string>,
): void {
  for (const node of selectionSet.selections) {
    if (!isIncluded(node, variables)) continue;
    if (node.kind === Kind.FIELD) {
      if (node.name.value !== '__typename') names.add((node.alias ?? node.name).value);
      continue;
    }
    const body = node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : step.fragments.get(node.name.value);
    const condition = node.kind === Kind.INLINE_FRAGMENT ? node.typeCondition?.name.value : undefined;
    if (body === undefined || !isObjectOfType(schema, target.object, condition, true)) continue;
    collectNames(schema, step, body, target, variables, names);
  }
}

/** The name under which the plan's output rewrites put what was fetched as `name`. */
export function renamed(step: FetchStep, name: string): string {
  for (const rewrite of step.outputRewrites) {
    if (rewrite.kind === 'rename' && rewrite.path.at(-1) === name) return rewrite.to;
  }
  return name;
}
