// Bounds a document before anything walks it with fragments expanded: validation and planning cost what it expands to.
import { HubError } from '@weft/core/errors';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { EngineLimits } from '../limits.ts';

/** What a selection set is with its fragments expanded; saturates at Number.MAX_VALUE, never wraps. */
export interface Extent {
  readonly fields: number;
  readonly aliases: number;
  /** Nested selection sets. */
  readonly depth: number;
  /** Fields of the set itself. */
  readonly width: number;
}

const EMPTY: Extent = { fields: 0, aliases: 0, depth: 0, width: 0 };

/**
 * Each fragment is measured once, so this is linear in the document's size. A fragment that spreads itself counts as
 * empty here: validation refuses it by name.
 * @returns the extent of each operation
 * @throws HubError LIMIT_EXCEEDED naming the limit
 */
export function checkDocumentLimits(
  document: DocumentNode,
  limits: EngineLimits,
): ReadonlyMap<OperationDefinitionNode, Extent> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  refuseAbove('documentFragmentsMax', 'fragments', fragments.size, limits.documentFragmentsMax);
  const measured = new Map<string, Extent>();
  const extents = new Map<OperationDefinitionNode, Extent>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) continue;
    const extent = measure(node.selectionSet, fragments, measured);
    refuseExtent(extent, limits);
    if (node.kind === Kind.FRAGMENT_DEFINITION) continue;
    refuseRootFields(node, extent, limits);
    extents.set(node, extent);
  }
  refuseAbove('documentOperationsMax', 'operations', extents.size, limits.documentOperationsMax);
  return extents;
}

function refuseExtent({ fields, aliases, depth }: Extent, limits: EngineLimits): void {
  refuseAbove('documentDepthMax', 'selection sets nested', depth, limits.documentDepthMax);
  refuseAbove('expandedFieldsMax', 'fields with fragments expanded', fields, limits.expandedFieldsMax);
  refuseAbove('aliasesMax', 'aliases', aliases, limits.aliasesMax);
}

function refuseRootFields(
  { operation }: OperationDefinitionNode,
  { width }: Extent,
  limits: EngineLimits,
): void {
  if (operation === 'mutation')
    refuseAbove('mutationFieldsMax', 'root fields in a mutation', width, limits.mutationFieldsMax);
  else refuseAbove('rootFieldsMax', 'root fields', width, limits.rootFieldsMax);
}

function refuseAbove(limit: keyof EngineLimits, what: string, got: number, max: number): void {
  if (got <= max) return;
  throw new HubError('LIMIT_EXCEEDED', `The document has more than ${max} ${what}.`, {
    details: { limit, max },
  });
}

function measure(
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  measured: Map<string, Extent>,
): Extent {
  let { fields, aliases, depth, width } = EMPTY;
  for (const node of selectionSet.selections) {
    let below = EMPTY;
    if (node.kind === Kind.FRAGMENT_SPREAD) below = measureFragment(node.name.value, fragments, measured);
    else if (node.selectionSet !== undefined) below = measure(node.selectionSet, fragments, measured);
    // A fragment's own selection set is not one more level.
    const isField = node.kind === Kind.FIELD;
    fields = Math.min(Number.MAX_VALUE, fields + below.fields + (isField ? 1 : 0));
    aliases = Math.min(Number.MAX_VALUE, aliases + below.aliases + (isField && node.alias ? 1 : 0));
    width = Math.min(Number.MAX_VALUE, width + (isField ? 1 : below.width));
    depth = Math.max(depth, isField ? below.depth : below.depth - 1);
  }
  return { fields, aliases, depth: depth + 1, width };
}

function measureFragment(
  name: string,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  measured: Map<string, Extent>,
): Extent {
  const known = measured.get(name);
  if (known !== undefined) return known;
  // Stands while the fragment is measured, so that a cycle ends.
  measured.set(name, EMPTY);
  const fragment = fragments.get(name);
  const extent = fragment === undefined ? EMPTY : measure(fragment.selectionSet, fragments, measured);
  measured.set(name, extent);
  return extent;
}
