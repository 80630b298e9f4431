// Completes which types an interface object's subgraph is asked about: Hive's planner merges such fetches and keeps one type.
import {
  type DocumentNode,
  type FieldNode,
  type GraphQLInterfaceType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { type FetchDescription, fragmentsOf, operationOf } from './fetch-text.ts';
import type { RequiredSelection } from './planner.ts';

type Fragment = Extract<RequiredSelection, { readonly kind: 'fragment' }>;

/**
 * `{ i { ... on A { f } ... on B { f } } }`, where `f` is an interface object's: the plan that comes asks for `f` by
 * `... on A { id }` alone. Each type of which the document asks, at that place, something that the fetch brings is added.
 *
 * @param asked the document that was planned
 */
export function withMissingInputs(
  schema: GraphQLSchema,
  asked: DocumentNode,
  fetch: FetchDescription,
): FetchDescription {
  const { requires = [] } = fetch;
  const added = interfacesOf(schema, fetch).flatMap((type) => missingOf(schema, asked, fetch, type));
  if (added.length === 0) return fetch;
  const names = added.map(({ typeCondition }) => typeCondition).join('|');
  const last = fetch.path.at(-1);
  const path = last?.startsWith('...') ? [...fetch.path.slice(0, -1), `${last}|${names}`] : fetch.path;
  return { ...fetch, path, requires: [...requires, ...added] };
}

/** Those under whose names the representations are sent. */
function interfacesOf(schema: GraphQLSchema, fetch: FetchDescription): readonly GraphQLInterfaceType[] {
  if (fetch.requires === undefined) return [];
  const names = fetch.inputRewrites.flatMap((rewrite) =>
    rewrite.kind === 'set' && rewrite.path.at(-1) === '__typename' ? [String(rewrite.value)] : [],
  );
  return [...new Set(names)].map((name) => schema.getType(name)).filter(isInterfaceType);
}

function missingOf(
  schema: GraphQLSchema,
  asked: DocumentNode,
  fetch: FetchDescription,
  type: GraphQLInterfaceType,
): readonly Fragment[] {
  const fragments = (fetch.requires ?? []).filter(
    (selection): selection is Fragment => selection.kind === 'fragment',
  );
  const possible = new Set(schema.getPossibleTypes(type).map(({ name }) => name));
  const given = new Set(fragments.map(({ typeCondition = '' }) => typeCondition));
  const [example] = fragments.filter(({ typeCondition = '' }) => possible.has(typeCondition));
  if (example === undefined || given.has(type.name)) return [];
  const brought = namesBrought(fetch);
  const places = placesAt(asked, fetch.path);
  return [...possible.difference(given)]
    .filter((name) => places.some((place) => asksOf(schema, place, name, brought)))
    .map((typeCondition) => ({ kind: 'fragment', typeCondition, selections: example.selections }));
}

/** Response names of the entity, `__typename` apart. */
function namesBrought({ document }: FetchDescription): ReadonlySet<string> {
  const bodies = fragmentsOf(document);
  const names = new Set<string>();
  const add = (selectionSet: SelectionSetNode | undefined): void => {
    for (const node of selectionSet?.selections ?? []) {
      if (node.kind === Kind.FIELD) names.add((node.alias ?? node.name).value);
      else add(node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : bodies.get(node.name.value));
    }
  };
  const [entities] = operationOf(document).selectionSet.selections;
  if (entities?.kind === Kind.FIELD) add(entities.selectionSet);
  names.delete('__typename');
  return names;
}

/** What the document selects where the path leads. */
function placesAt(asked: DocumentNode, path: readonly string[]): readonly SelectionSetNode[] {
  const bodies = fragmentsOf(asked);
  const fieldsOf = (selectionSet: SelectionSetNode): readonly FieldNode[] =>
    selectionSet.selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      const body = node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : bodies.get(node.name.value);
      return body === undefined ? [] : fieldsOf(body);
    });
  let places: readonly SelectionSetNode[] = [operationOf(asked).selectionSet];
  for (const segment of path) {
    if (segment === '@' || segment.startsWith('...')) continue;
    places = places
      .flatMap(fieldsOf)
      .filter(({ alias, name }) => (alias ?? name).value === segment)
      .flatMap(({ selectionSet }) => selectionSet ?? []);
  }
  return places;
}

/** Whether an object of the type is asked for one of the names. Named fragments stand in no document that is planned. */
function asksOf(
  schema: GraphQLSchema,
  selectionSet: SelectionSetNode,
  type: string,
  names: ReadonlySet<string>,
): boolean {
  return selectionSet.selections.some((node) => {
    if (node.kind === Kind.FIELD) return names.has((node.alias ?? node.name).value);
    if (node.kind === Kind.FRAGMENT_SPREAD) return false;
    const condition = node.typeCondition?.name.value ?? type;
    const narrowed = schema.getType(condition);
    const matches =
      condition === type ||
      (isAbstractType(narrowed) && schema.getPossibleTypes(narrowed).some(({ name }) => name === type));
    return matches && asksOf(schema, node.selectionSet, type, names);
  });
}
