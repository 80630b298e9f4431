// What a contract leaves out of a supergraph, by the tags of its elements.
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
} from 'graphql';
import { COMMON_TYPES } from '../common-definitions.ts';
import { ROOT_TYPES } from '../lint/lint-member.ts';
import { namedTypeOf } from '../type-references.ts';

/** Which tags a variant of the graph has (https://www.apollographql.com/docs/graphos/platform/schema-management/delivery/contracts/reference). */
export interface ContractFilter {
  /** When there are any: fields of objects and interfaces, and unions, are left out that have none of these. */
  readonly include?: readonly string[] | undefined;
  /** What has one of these is left out, whatever else it has. */
  readonly exclude?: readonly string[] | undefined;
  /** Types that nothing leads to any more stay. Default false. */
  readonly keepUnreachable?: boolean | undefined;
}

/** The tags that an element itself has. */
export type TagsOf = (node: {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}) => readonly string[];

/** `Type`, `Type.field`, `Type.field(argument:)`, `Enum.VALUE`. */
export type Coordinates = ReadonlySet<string>;

type Fielded = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

interface Filtering {
  readonly filter: ContractFilter;
  readonly tagsOf: TagsOf;
  readonly left: Set<string>;
}

/**
 * Every element that the filter leaves out. A type gives its tags to its fields; an object or interface of which no field is left,
 * a union of which no member is left, and a field of an interface that a type which implements it lacks go with them. Whether what
 * is left makes a schema is not asked here. The shared definitions of `common.graphql` are in every variant.
 * @param hidden what is hidden already; it is in the answer too
 */
export function findLeftOut(
  document: DocumentNode,
  filter: ContractFilter,
  tagsOf: TagsOf,
  hidden: Coordinates,
): Coordinates {
  const filtering: Filtering = { filter, tagsOf, left: new Set(hidden) };
  const definitions = document.definitions.filter((node) => !COMMON_TYPES.has(nameOf(node) ?? ''));
  for (const node of definitions) leaveByTags(filtering, node);
  const fielded = document.definitions.filter(isFielded);
  leaveInterfaceFields(filtering, fielded);
  for (const node of fielded) leaveEmpty(filtering, node);
  for (const node of definitions) {
    if (node.kind !== Kind.UNION_TYPE_DEFINITION) continue;
    const members = (node.types ?? []).map((type) => type.name.value);
    if (members.every((member) => filtering.left.has(member))) filtering.left.add(node.name.value);
  }
  return filtering.left;
}

function nameOf(node: DefinitionNode): string | undefined {
  return 'name' in node ? node.name?.value : undefined;
}

function isFielded(node: DefinitionNode): node is Fielded {
  return node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION;
}

function isExcluded({ filter }: Filtering, tags: readonly string[]): boolean {
  return tags.some((tag) => filter.exclude?.includes(tag));
}

function isIncluded({ filter: { include = [] } }: Filtering, tags: readonly string[]): boolean {
  return include.length === 0 || tags.some((tag) => include.includes(tag));
}

function leaveByTags(filtering: Filtering, node: DefinitionNode): void {
  const { tagsOf, left } = filtering;
  switch (node.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION:
      leaveFields(filtering, node);
      return;
    case Kind.UNION_TYPE_DEFINITION: {
      const tags = tagsOf(node);
      if (isExcluded(filtering, tags) || !isIncluded(filtering, tags)) left.add(node.name.value);
      return;
    }
    case Kind.ENUM_TYPE_DEFINITION:
      leavePart(filtering, node.name.value, tagsOf(node));
      for (const value of node.values ?? [])
        leavePart(filtering, `${node.name.value}.${value.name.value}`, tagsOf(value));
      return;
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      leavePart(filtering, node.name.value, tagsOf(node));
      for (const field of node.fields ?? [])
        leavePart(filtering, `${node.name.value}.${field.name.value}`, tagsOf(field));
      return;
    case Kind.SCALAR_TYPE_DEFINITION:
      leavePart(filtering, node.name.value, tagsOf(node));
      return;
    default:
      return;
  }
}

/** What is included with what it belongs to, unless it has tags of its own and none of them is included. */
function leavePart(filtering: Filtering, coordinate: string, tags: readonly string[]): void {
  if (isExcluded(filtering, tags) || (tags.length > 0 && !isIncluded(filtering, tags)))
    filtering.left.add(coordinate);
}

function leaveFields(filtering: Filtering, node: Fielded): void {
  const type = node.name.value;
  const inherited = filtering.tagsOf(node);
  if (isExcluded(filtering, inherited)) filtering.left.add(type);
  for (const field of node.fields ?? []) {
    const tags = [...inherited, ...filtering.tagsOf(field)];
    const coordinate = `${type}.${field.name.value}`;
    if (isExcluded(filtering, tags) || !isIncluded(filtering, tags)) filtering.left.add(coordinate);
    for (const argument of field.arguments ?? [])
      leavePart(filtering, `${coordinate}(${argument.name.value}:)`, filtering.tagsOf(argument));
  }
}

/** An interface cannot promise what a type that implements it and stays has no more. */
function leaveInterfaceFields({ left }: Filtering, types: readonly Fielded[]): void {
  // Interfaces implement interfaces: until nothing is added, and no more often than there are types.
  for (let round = 0; round < types.length; round++) {
    const before = left.size;
    for (const { name, interfaces, fields } of types) {
      if (left.has(name.value)) continue;
      const gone = (fields ?? []).filter((field) => left.has(`${name.value}.${field.name.value}`));
      if (gone.length === (fields ?? []).length) continue;
      for (const one of interfaces ?? [])
        for (const field of gone) leaveIfPromised(left, types, one.name.value, field);
    }
    if (left.size === before) return;
  }
}

function leaveIfPromised(
  left: Set<string>,
  types: readonly Fielded[],
  name: string,
  { name: { value } }: FieldDefinitionNode,
): void {
  const promised = types.find((type) => type.name.value === name)?.fields ?? [];
  if (promised.some((field) => field.name.value === value)) left.add(`${name}.${value}`);
}

function leaveEmpty({ left }: Filtering, { name: { value: type }, fields = [] }: Fielded): void {
  if (fields.every((field) => left.has(`${type}.${field.name.value}`))) left.add(type);
}

/** Types that nothing leads to from the fields that are left, and that are not left out already. */
export function findUnreachable(
  document: DocumentNode,
  isLeft: (coordinate: string) => boolean,
): Coordinates {
  const byName = new Map(
    document.definitions.flatMap((node) => {
      const name = nameOf(node);
      return name === undefined || node.kind === Kind.DIRECTIVE_DEFINITION ? [] : [[name, node] as const];
    }),
  );
  const implementing = Map.groupBy(
    document.definitions
      .filter(isFielded)
      .flatMap(({ name, interfaces }) =>
        (interfaces ?? []).map((one) => [one.name.value, name.value] as const),
      ),
    ([name]) => name,
  );
  const reached = new Set<string>();
  const pending = [...ROOT_TYPES];
  for (const name of pending) {
    const node = byName.get(name);
    if (node === undefined || reached.has(name) || isLeft(name)) continue;
    reached.add(name);
    pending.push(...namesIn(node, isLeft), ...(implementing.get(name) ?? []).map(([, type]) => type));
  }
  return new Set([...byName.keys()].filter((name) => !reached.has(name) && !isLeft(name)));
}

/** The types that a definition leads to. */
function namesIn(node: DefinitionNode, isLeft: (coordinate: string) => boolean): readonly string[] {
  const name = nameOf(node) ?? '';
  switch (node.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION: {
      const fields = (node.fields ?? []).filter((field) => !isLeft(`${name}.${field.name.value}`));
      const interfaces = (node.interfaces ?? []).map((one) => one.name.value);
      return [
        ...interfaces,
        ...fields.flatMap((field) => namesOfField(`${name}.${field.name.value}`, field, isLeft)),
      ];
    }
    case Kind.UNION_TYPE_DEFINITION:
      return (node.types ?? []).map((type) => type.name.value);
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      return (node.fields ?? [])
        .filter((field) => !isLeft(`${name}.${field.name.value}`))
        .map((field) => namedTypeOf(field.type));
    default:
      return [];
  }
}

function namesOfField(
  coordinate: string,
  field: FieldDefinitionNode,
  isLeft: (coordinate: string) => boolean,
): readonly string[] {
  const given = (field.arguments ?? []).filter(({ name }) => !isLeft(`${coordinate}(${name.value}:)`));
  return [namedTypeOf(field.type), ...given.map((argument) => namedTypeOf(argument.type))];
}
