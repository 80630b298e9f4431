// Turns stand-ins for fields that are required with arguments back into those fields, in a plan.
import {
  type DocumentNode,
  type FieldNode,
  Kind,
  print,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { type AdaptedSupergraph, adaptSupergraph, type RequiredVariant } from './adapt-supergraph.ts';
import { type FetchDescription, fragmentsOf, operationOf, parseFetch, withoutUnused } from './fetch-text.ts';
import type { RequiredSelection } from './planner.ts';
import { readGraphs } from './supergraph-document.ts';

export interface VariantsOptions extends AdaptedSupergraph {
  /** The value of `join__Graph` by the system's name. */
  readonly graphByName: ReadonlyMap<string, string>;
}

/** The supergraph to plan on, and what its plans need to be turned back. */
export function adaptForPlanning(supergraphSdl: string): VariantsOptions {
  const graphs = readGraphs(parseFetch(supergraphSdl));
  const graphByName = new Map([...graphs].map(([value, { name }]) => [name, value]));
  return { ...adaptSupergraph(supergraphSdl), graphByName };
}

/**
 * The fetches that do what the planned one does: several when one representation cannot carry what all its fields require, since
 * that is one field with different arguments, or is fetched under different conditions.
 */
export function restoreVariants(
  options: VariantsOptions,
  fetch: FetchDescription,
): readonly FetchDescription[] {
  const { variants } = options;
  const { requires } = fetch;
  const document = restoreDocument(fetch.document, variants);
  if (requires === undefined || options.requirements.size === 0) return [{ ...fetch, document }];
  const groups = groupFields(options, fetch);
  if (groups.length < 2) return [{ ...fetch, document, requires: restoreRequires(requires, variants) }];
  const needed = groups.reduce<ReadonlySet<string>>((all, group) => all.union(group.needed), NONE);
  return groups.map((group) => {
    const dropped = needed.difference(group.needed).difference(options.keyFields);
    return {
      ...fetch,
      document: restoreDocument(withFields(fetch.document, group.fields), variants),
      requires: restoreRequires(withoutFields(requires, variants, dropped), variants),
    };
  });
}

/** `_weft_required_0` becomes `_weft_required_0: price(currency: "EUR")`: the alias keeps the values apart. */
function restoreDocument(
  document: DocumentNode,
  variants: ReadonlyMap<string, RequiredVariant>,
): DocumentNode {
  return visit(document, {
    Field(node) {
      const variant = variants.get(node.name.value);
      if (variant === undefined) return undefined;
      return {
        ...node,
        alias: node.alias ?? { kind: Kind.NAME, value: node.name.value },
        name: { kind: Kind.NAME, value: variant.field },
        arguments: variant.arguments,
      };
    },
  });
}

function restoreRequires(
  selections: readonly RequiredSelection[],
  variants: ReadonlyMap<string, RequiredVariant>,
): readonly RequiredSelection[] {
  return selections.map((selection) => {
    if (selection.kind === 'fragment') {
      return { ...selection, selections: restoreRequires(selection.selections, variants) };
    }
    return {
      ...selection,
      sentAs: variants.get(selection.name)?.field ?? selection.sentAs,
      selections:
        selection.selections === undefined ? undefined : restoreRequires(selection.selections, variants),
    };
  });
}

/** Stand-ins go at any depth, other fields from the entity itself only. */
function withoutFields(
  selections: readonly RequiredSelection[],
  variants: ReadonlyMap<string, RequiredVariant>,
  dropped: ReadonlySet<string>,
  depth = 0,
): readonly RequiredSelection[] {
  return selections.flatMap((selection) => {
    const isField = selection.kind === 'field';
    if (isField && dropped.has(selection.name) && (depth === 0 || variants.has(selection.name))) return [];
    if (selection.selections === undefined) return [selection];
    const below = depth + (isField ? 1 : 0);
    return [{ ...selection, selections: withoutFields(selection.selections, variants, dropped, below) }];
  });
}

interface Group {
  readonly fields: Set<FieldNode>;
  readonly conditions: Set<string>;
  /** What its fields require of the entity. */
  readonly needed: Set<string>;
}

/** The entity's fields, parted so that each part needs only what is there whenever the part is. */
function groupFields(options: VariantsOptions, fetch: FetchDescription): readonly Group[] {
  const graph = options.graphByName.get(fetch.system) ?? '';
  const groups: Group[] = [];
  for (const { field, type, condition } of entityFields(fetch.document)) {
    const needed = options.requirements.get(`${graph} ${type}.${field.name.value}`) ?? NONE;
    const group = groups.find((each) => {
      const isSameCondition = each.conditions.size === 1 && each.conditions.has(condition);
      const isSameNeed = each.needed.symmetricDifference(needed).size === 0;
      return (isSameCondition || isSameNeed) && agree(options, each.needed, needed);
    });
    if (group === undefined) {
      groups.push({ fields: new Set([field]), conditions: new Set([condition]), needed: new Set(needed) });
      continue;
    }
    group.fields.add(field);
    group.conditions.add(condition);
    for (const name of needed) group.needed.add(name);
  }
  return groups;
}

const NONE: ReadonlySet<string> = new Set();

function agree(
  { variants }: VariantsOptions,
  present: ReadonlySet<string>,
  added: ReadonlySet<string>,
): boolean {
  const fieldOf = (name: string) => variants.get(name)?.field;
  return [...added].every(
    (name) =>
      fieldOf(name) === undefined ||
      [...present].every((other) => other === name || fieldOf(other) !== fieldOf(name)),
  );
}

interface EntityField {
  readonly field: FieldNode;
  readonly type: string | undefined;
  /** The text of the conditions by variable that it is under. */
  readonly condition: string;
}

function entityFields(document: DocumentNode): readonly EntityField[] {
  const bodies = fragmentsOf(document);
  const [entities] = operationOf(document).selectionSet.selections;
  if (entities?.kind !== Kind.FIELD || entities.selectionSet === undefined) return [];
  const within = (
    selectionSet: SelectionSetNode,
    type: string | undefined,
    outer: readonly string[],
  ): readonly EntityField[] =>
    selectionSet.selections.flatMap((node) => {
      const conditions = [...new Set([...outer, ...(node.directives ?? []).map(print)])].sort();
      if (node.kind === Kind.FIELD) return [{ field: node, type, condition: conditions.join(' ') }];
      if (node.kind === Kind.INLINE_FRAGMENT)
        return within(node.selectionSet, node.typeCondition?.name.value ?? type, conditions);
      const body = bodies.get(node.name.value);
      return body === undefined ? [] : within(body, type, conditions);
    });
  return within(entities.selectionSet, undefined, []);
}

const NOTHING: SelectionSetNode = { kind: Kind.SELECTION_SET, selections: [] };

/** The entity fetch with only these of the entity's fields. */
function withFields(document: DocumentNode, fields: ReadonlySet<FieldNode>): DocumentNode {
  const operation = operationOf(document);
  const [entities] = operation.selectionSet.selections;
  if (entities?.kind !== Kind.FIELD || entities.selectionSet === undefined) return document;
  const bodies = fragmentsOf(document);
  const keep = (selectionSet: SelectionSetNode): SelectionSetNode => ({
    ...selectionSet,
    selections: selectionSet.selections.flatMap((node): readonly SelectionNode[] => {
      if (node.kind === Kind.FIELD) return fields.has(node) ? [node] : [];
      // A named fragment is whole or not at all: in its place comes what is kept of it.
      const given = node.kind === Kind.FRAGMENT_SPREAD ? bodies.get(node.name.value) : node.selectionSet;
      const body = given === undefined ? NOTHING : keep(given);
      if (body.selections.length === 0) return [];
      const inline = { kind: Kind.INLINE_FRAGMENT, directives: node.directives ?? [] } as const;
      return [{ ...(node.kind === Kind.FRAGMENT_SPREAD ? inline : node), selectionSet: body }];
    }),
  });
  const kept: FieldNode = { ...entities, selectionSet: keep(entities.selectionSet) };
  return withoutUnused({
    ...document,
    definitions: document.definitions.map((node) =>
      node === operation
        ? { ...operation, selectionSet: { ...operation.selectionSet, selections: [kept] } }
        : node,
    ),
  });
}
