// Bounds a document before anything walks it with fragments expanded: validation and planning cost what it expands to.
import { HubError } from '@weft/core/errors';
import { type DocumentNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql';
import type { EngineLimits } from '../limits.ts';

interface Extent {
  /** Fields, fragments expanded; saturates at Number.MAX_VALUE, never wraps. */
  readonly fields: number;
  /** Nested selection sets. */
  readonly depth: number;
}

const EMPTY: Extent = { fields: 0, depth: 0 };

/**
 * Each fragment is measured once, so this is linear in the document's size. A fragment that spreads itself counts as
 * empty here: validation refuses it by name.
 * @throws HubError LIMIT_EXCEEDED naming the limit
 */
export function checkDocumentLimits(document: DocumentNode, limits: EngineLimits): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const measured = new Map<string, Extent>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) continue;
    const extent = measure(node.selectionSet, fragments, measured);
    refuseAbove('documentDepthMax', 'selection sets nested', extent.depth, limits.documentDepthMax);
    refuseAbove(
      'expandedFieldsMax',
      'fields with fragments expanded',
      extent.fields,
      limits.expandedFieldsMax,
    );
  }
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
  let fields = 0;
  let depth = 0;
  for (const node of selectionSet.selections) {
    let below = EMPTY;
    if (node.kind === Kind.FRAGMENT_SPREAD) below = measureFragment(node.name.value, fragments, measured);
    else if (node.selectionSet !== undefined) below = measure(node.selectionSet, fragments, measured);
    // A fragment's own selection set is not one more level.
    const isField = node.kind === Kind.FIELD;
    fields = Math.min(Number.MAX_VALUE, fields + below.fields + (isField ? 1 : 0));
    depth = Math.max(depth, isField ? below.depth : below.depth - 1);
  }
  return { fields, depth: depth + 1 };
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
