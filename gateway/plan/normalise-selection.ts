// Rewrites a client's selection so that planners meet each field and type once: the same answer, asked for more plainly.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import {
  ALWAYS,
  beyond,
  directivesOf,
  type Guard,
  guardWithin,
  implies,
  isCondition,
  shared,
} from './guards.ts';

interface Client {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/** Where a selection stands. */
interface Scope {
  readonly type: GraphQLCompositeType;
  /** Names of the object types that an object here can have, all conditions further out considered. */
  readonly possible: ReadonlySet<string>;
}

/** A selection of one object under the same conditions. */
interface Part {
  readonly guard: Guard;
  readonly selections: readonly SelectionNode[];
}

/** All that is said of one field (by response name), or of one type condition. */
interface Entry {
  readonly node: FieldNode | InlineFragmentNode;
  readonly parts: Part[];
}

/**
 * What changes:
 * - fragments whose type no object at their place can have are left out, and so is what literal conditions exclude;
 * - fragments that restrict nothing are opened, their conditions put on what they hold, and spreads become inline fragments;
 * - fields of one response name are merged, and so are fragments on one type.
 *
 * Fragments with other directives (`@defer`) stay apart. The order of fields is not kept: answers take theirs from the client's
 * own document.
 *
 * @param known variables whose values are known to whoever runs what is planned
 */
export function normaliseSelection(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  type: GraphQLCompositeType,
  selectionSet: SelectionSetNode,
  known: Guard = ALWAYS,
): SelectionSetNode {
  const scope = { type, possible: possibleTypes(schema, type) };
  const parts = [{ guard: known, selections: selectionSet.selections }];
  return { kind: Kind.SELECTION_SET, selections: normalise({ schema, fragments }, scope, parts, known) };
}

/** Variables that decide at which of its places a field stands first: CollectFields goes by the first that counts. */
export function orderVariables(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  type: GraphQLCompositeType,
  selectionSet: SelectionSetNode,
): readonly string[] {
  const scope = { type, possible: possibleTypes(schema, type) };
  const entries = new Map<string, Entry>();
  collect({ schema, fragments }, scope, { guard: ALWAYS, selections: selectionSet.selections }, entries);
  const guards = [...entries.values()].flatMap(({ parts }) => {
    const [first, ...others] = parts.map(({ guard }) => guard);
    return first === undefined || others.every((other) => implies(other, first)) ? [] : [first, ...others];
  });
  return [...new Set(guards.flatMap((guard) => [...guard.keys()]))];
}

function possibleTypes(schema: GraphQLSchema, type: GraphQLCompositeType): ReadonlySet<string> {
  return new Set(isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [type.name]);
}

function normalise(
  client: Client,
  scope: Scope,
  parts: readonly Part[],
  known: Guard = ALWAYS,
): readonly SelectionNode[] {
  const entries = new Map<string, Entry>();
  for (const part of parts) collect(client, scope, part, entries);
  return [...entries.values()].flatMap(({ node, parts: given }) => {
    const own = given.map((part) => ({ ...part, guard: beyond(part.guard, known) }));
    return node.kind === Kind.FIELD
      ? fieldsFrom(client, scope, node, own)
      : fragmentsFrom(client, scope, node, own);
  });
}

function collect(
  client: Client,
  scope: Scope,
  { guard, selections }: Part,
  entries: Map<string, Entry>,
): void {
  const add = (key: string, node: Entry['node'], part: Part) =>
    entries.getOrInsertComputed(key, () => ({ node, parts: [] })).parts.push(part);
  for (const node of selections) {
    const within = guardWithin(guard, node.directives);
    if (within === undefined) continue;
    // What carries a directive of its own is merged with nothing.
    const isApart = node.directives?.some((directive) => !isCondition(directive)) ?? false;
    const mark = isApart ? ` ${entries.size}` : '';
    if (node.kind === Kind.FIELD) {
      const key = `${(node.alias ?? node.name).value}${mark}`;
      add(key, node, { guard: within, selections: node.selectionSet?.selections ?? [] });
      continue;
    }
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? client.fragments.get(node.name.value) : node;
    if (fragment === undefined) continue;
    const part = { guard: within, selections: fragment.selectionSet.selections };
    const condition = fragment.typeCondition?.name.value;
    if (!isApart && restrictsNothing(client.schema, scope.type, condition)) {
      collect(client, scope, part, entries);
      continue;
    }
    const inline: InlineFragmentNode = {
      kind: Kind.INLINE_FRAGMENT,
      directives: node.directives ?? [],
      selectionSet: fragment.selectionSet,
      ...(fragment.typeCondition === undefined ? {} : { typeCondition: fragment.typeCondition }),
    };
    add(`... ${condition ?? ''}${mark}`, inline, part);
  }
}

function restrictsNothing(
  schema: GraphQLSchema,
  type: GraphQLCompositeType,
  condition: string | undefined,
): boolean {
  if (condition === undefined || condition === type.name) return true;
  const narrowed = schema.getType(condition);
  return isAbstractType(narrowed) && hasFields(type) && schema.isSubType(narrowed, type);
}

/** A union has none that an interface's could be asked among. */
function hasFields(type: GraphQLCompositeType): type is GraphQLInterfaceType | GraphQLObjectType {
  return isObjectType(type) || isInterfaceType(type);
}

function fieldsFrom(
  client: Client,
  { type }: Scope,
  node: FieldNode,
  parts: readonly Part[],
): readonly SelectionNode[] {
  const declared = hasFields(type) ? type.getFields()[node.name.value] : undefined;
  const below = declared === undefined ? undefined : getNamedType(declared.type);
  return groupByGuard(parts).flatMap(({ guard, members }) => {
    const { alias, selectionSet: _given, ...plain } = node;
    const isSameName = alias === undefined || alias.value === node.name.value;
    const field = { ...plain, ...(isSameName ? {} : { alias }) };
    if (!isCompositeType(below) || node.selectionSet === undefined) return guarded(type, field, guard);
    const inner = members.map((part) => ({ ...part, guard: beyond(part.guard, guard) }));
    const scope = { type: below, possible: possibleTypes(client.schema, below) };
    const selections = normalise(client, scope, inner);
    const selectionSet = selectionSetOf(selections.length === 0 ? [TYPENAME] : selections);
    return guarded(type, { ...field, selectionSet }, guard);
  });
}

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

function selectionSetOf(selections: readonly SelectionNode[]): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections };
}

/** Each group under the weakest of its members' conditions: what a stronger one holds, a weaker one covers. */
function groupByGuard(parts: readonly Part[]): readonly { guard: Guard; members: readonly Part[] }[] {
  const weakest: Guard[] = [];
  for (const { guard } of parts) {
    if (weakest.some((other) => implies(guard, other))) continue;
    weakest.splice(0, weakest.length, ...weakest.filter((other) => !implies(other, guard)), guard);
  }
  const rest = new Set(parts);
  return weakest.map((guard) => {
    const members = [...rest].filter((part) => implies(part.guard, guard));
    for (const member of members) rest.delete(member);
    return { guard, members };
  });
}

/** All parts in one fragment, under what they have in common; the rest of their conditions goes inside. */
function fragmentsFrom(
  client: Client,
  scope: Scope,
  node: InlineFragmentNode,
  parts: readonly Part[],
): readonly SelectionNode[] {
  const condition = node.typeCondition?.name.value;
  const narrowed = condition === undefined ? scope.type : client.schema.getType(condition);
  if (!isCompositeType(narrowed)) return [];
  const possible = scope.possible.intersection(possibleTypes(client.schema, narrowed));
  if (possible.size === 0) return [];
  const guard = parts.map((part) => part.guard).reduce(shared);
  const inner = parts.map((part) => ({ ...part, guard: beyond(part.guard, guard) }));
  const selections = normalise(client, { type: narrowed, possible }, inner);
  if (selections.length === 0) return [];
  return guarded(scope.type, { ...node, selectionSet: selectionSetOf(selections) }, guard);
}

function guarded(
  type: GraphQLCompositeType,
  node: FieldNode | InlineFragmentNode,
  guard: Guard,
): readonly SelectionNode[] {
  const [own = [], ...outer] = directivesOf(guard);
  const others = node.directives?.filter((directive) => !isCondition(directive)) ?? [];
  const inner: SelectionNode = { ...node, directives: [...others, ...own] };
  return [
    outer.reduce<SelectionNode>(
      (wrapped, directives) => ({
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type.name } },
        directives,
        selectionSet: selectionSetOf([wrapped]),
      }),
      inner,
    ),
  ];
}
