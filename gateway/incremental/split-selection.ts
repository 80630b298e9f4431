// Parts a client's selection at its active `@defer`s: what is answered at once, and the fragments that follow.
import {
  type DirectiveNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type InlineFragmentNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { isIncluded, type Variables } from '../execute/collect-fields.ts';

/** One step from an object towards a fragment: into a field, or on if the object is of a type. */
export type Segment =
  | { readonly kind: 'field'; readonly field: string; readonly responseName: string }
  | { readonly kind: 'type'; readonly typeName: string };

/** One active `@defer` where it stands in the selection; fragments that are spread twice stand twice. */
export interface DeferredFragment {
  /** The client's own node: with the names that lead to it, it tells a fragment from those beside it. */
  readonly directive: DirectiveNode;
  readonly label: string | undefined;
  /** From the object of the fragment that it stands in, or from the root. */
  readonly path: readonly Segment[];
  readonly typeCondition: string | undefined;
  /** Less what is deferred further inside. */
  readonly selectionSet: SelectionSetNode;
  readonly children: readonly DeferredFragment[];
}

export interface SplitSelection {
  /** Without the deferred fragments; an object of which all is deferred is left with no field. */
  readonly kept: SelectionSetNode;
  readonly deferred: readonly DeferredFragment[];
}

/**
 * @param selectionSet of a valid operation, so that no fragment spreads itself
 * @param variables coerced; conditions are decided here
 * @param includes `@skip` and `@include`, as the variables have it unless told otherwise
 */
export function splitSelection(
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Variables,
  includes: (node: SelectionNode) => boolean = (node) => isIncluded(node, variables),
): SplitSelection {
  const deferred: DeferredFragment[] = [];
  const split = (set: SelectionSetNode) => splitSelection(set, fragments, variables, includes);

  function splitNode(node: SelectionNode): readonly SelectionNode[] {
    if (!includes(node)) return [];
    if (node.kind === Kind.FIELD) {
      if (node.selectionSet === undefined) return [node];
      const below = split(node.selectionSet);
      if (below.deferred.length === 0) return [node];
      const responseName = (node.alias ?? node.name).value;
      addBelow({ kind: 'field', field: node.name.value, responseName }, below.deferred);
      return [{ ...node, selectionSet: below.kept }];
    }
    return splitFragment(node);
  }

  function splitFragment(node: FragmentSpreadNode | InlineFragmentNode): readonly SelectionNode[] {
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
    if (fragment === undefined) return [];
    const typeCondition = fragment.typeCondition?.name.value;
    const below = split(fragment.selectionSet);
    const directive = activeDefer(node.directives ?? [], variables);
    if (directive !== undefined) {
      deferred.push({
        directive,
        label: labelOf(directive),
        path: [],
        typeCondition,
        selectionSet: below.kept,
        children: below.deferred,
      });
      return [];
    }
    if (below.deferred.length === 0) return [node];
    if (typeCondition === undefined) deferred.push(...below.deferred);
    else addBelow({ kind: 'type', typeName: typeCondition }, below.deferred);
    return [
      {
        kind: Kind.INLINE_FRAGMENT,
        ...(fragment.typeCondition === undefined ? {} : { typeCondition: fragment.typeCondition }),
        selectionSet: below.kept,
      },
    ];
  }

  function addBelow(segment: Segment, below: readonly DeferredFragment[]): void {
    for (const fragment of below) deferred.push({ ...fragment, path: [segment, ...fragment.path] });
  }

  const selections = selectionSet.selections.flatMap(splitNode);
  return { kept: deferred.length === 0 ? selectionSet : { ...selectionSet, selections }, deferred };
}

function activeDefer(directives: readonly DirectiveNode[], variables: Variables): DirectiveNode | undefined {
  const directive = directives.find(({ name }) => name.value === 'defer');
  const condition = directive?.arguments?.find(({ name }) => name.value === 'if')?.value;
  if (condition === undefined) return directive;
  const isActive =
    condition.kind === Kind.VARIABLE
      ? variables[condition.name.value] !== false
      : condition.kind === Kind.BOOLEAN && condition.value;
  return isActive ? directive : undefined;
}

/** Validation lets only texts through: the label names the fragment before any variable is known. */
function labelOf(directive: DirectiveNode): string | undefined {
  const value = directive.arguments?.find(({ name }) => name.value === 'label')?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}

/** How many there are, those inside of others too. */
export function countDeferred(deferred: readonly DeferredFragment[]): number {
  return deferred.reduce((count, { children }) => count + 1 + countDeferred(children), 0);
}

/** Response names from the root, as plans write them. */
export function namesOf(path: readonly Segment[]): readonly string[] {
  return path.flatMap((segment) => (segment.kind === 'field' ? [segment.responseName] : []));
}

/** The variables that decide whether a fragment is deferred. */
export function deferVariables(selectionSets: readonly SelectionSetNode[]): readonly string[] {
  const names = new Set<string>();
  const addDirective = (directive: DirectiveNode) => {
    if (directive.name.value !== 'defer') return;
    for (const { name, value } of directive.arguments ?? []) {
      if (name.value === 'if' && value.kind === Kind.VARIABLE) names.add(value.name.value);
    }
  };
  for (const selectionSet of selectionSets) visit(selectionSet, { Directive: addDirective });
  return [...names];
}
