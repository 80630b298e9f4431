// The fragments that an operation spreads, directly or through another.
import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';

/** The fragments of a document by name. */
export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
}

/** Each once, in the order in which they are met; a name that no fragment has is passed over. */
export function reachableFragments(
  from: { readonly selectionSet: SelectionSetNode },
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): ReadonlySet<FragmentDefinitionNode> {
  const reached = new Set<FragmentDefinitionNode>();
  const pending: SelectionSetNode[] = [from.selectionSet];
  // Grows while it is walked; no fragment is walked twice.
  for (const { selections } of pending) {
    for (const node of selections) {
      if (node.kind !== Kind.FRAGMENT_SPREAD) {
        if (node.selectionSet !== undefined) pending.push(node.selectionSet);
        continue;
      }
      const fragment = fragments.get(node.name.value);
      if (fragment === undefined || reached.has(fragment)) continue;
      reached.add(fragment);
      pending.push(fragment.selectionSet);
    }
  }
  return reached;
}
