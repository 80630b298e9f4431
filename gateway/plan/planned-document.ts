// The part of a document that a planner gets: one operation, plainly written, no introspection.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { withoutUnused } from './fetch-text.ts';
import { ALWAYS, type Guard } from './guards.ts';
import { normaliseSelection } from './normalise-selection.ts';

/**
 * Undefined when nothing is left: the operation asks for introspection and names of root types alone. Positions in the source
 * are left out, so that the document can go to another process.
 *
 * @param known variables of which the plan is for one value
 */
export function documentToPlan(
  schema: GraphQLSchema,
  rootType: GraphQLObjectType,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  known: Guard = ALWAYS,
): DocumentNode | undefined {
  const asked = withoutMeta(withoutDefer(operation.selectionSet), fragments);
  const bodies = new Map([...fragments].map(([name, fragment]) => [name, withoutDefer(fragment)] as const));
  const selectionSet = normaliseSelection(schema, bodies, rootType, asked, known);
  if (selectionSet.selections.length === 0) return undefined;
  const definitions = [{ ...operation, selectionSet }];
  return withoutPositions(withoutUnused({ kind: Kind.DOCUMENT, definitions }));
}

/** What is deferred is planned with all else: a plan is parted after it is made (`compile/defer-steps.ts`). */
function withoutDefer<Node extends SelectionSetNode | FragmentDefinitionNode>(node: Node): Node {
  return visit(node, {
    Directive: (directive) => (directive.name.value === 'defer' ? null : undefined),
  });
}

/** Root fragments are inlined where they hold introspection: elsewhere they may be spread on the same type without it. */
function withoutMeta(
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): SelectionSetNode {
  const selections = selectionSet.selections.flatMap((node): readonly SelectionNode[] => {
    if (node.kind === Kind.FIELD) return isMeta(node) ? [] : [node];
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : undefined;
    const body = node.kind === Kind.FRAGMENT_SPREAD ? fragment?.selectionSet : node.selectionSet;
    if (body === undefined || !holdsMeta(body, fragments)) return [node];
    const kept = withoutMeta(body, fragments);
    if (kept.selections.length === 0) return [];
    const typeCondition = node.kind === Kind.INLINE_FRAGMENT ? node.typeCondition : fragment?.typeCondition;
    return [
      {
        kind: Kind.INLINE_FRAGMENT,
        ...(typeCondition === undefined ? {} : { typeCondition }),
        directives: node.directives ?? [],
        selectionSet: kept,
      },
    ];
  });
  return { ...selectionSet, selections };
}

/** Validation has refused fragments that spread themselves. */
function holdsMeta(
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): boolean {
  return selectionSet.selections.some((node) => {
    if (node.kind === Kind.FIELD) return isMeta(node);
    const body =
      node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : fragments.get(node.name.value)?.selectionSet;
    return body !== undefined && holdsMeta(body, fragments);
  });
}

function isMeta(node: FieldNode): boolean {
  return node.name.value.startsWith('__');
}

/** A copy of plain objects and lists. */
function withoutPositions<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutPositions) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, item]) => key !== 'loc' && item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutPositions(item)])) as Value;
}

/** Whether anything in the document is deferred. */
export function hasDefer(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive({ name }) {
      if (name.value === 'defer') found = true;
    },
  });
  return found;
}
