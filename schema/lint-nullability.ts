// Warns where a non-null field would let one department null what another one answers.
import { type DefinitionNode, type FieldDefinitionNode, Kind, type TypeNode } from 'graphql';
import type { SplitSubgraph } from './events-subgraph.ts';
import type { UnplacedProblem } from './problem.ts';
import { isObjectNode, namedTypeOf, type ObjectNode } from './type-references.ts';

interface EntityPart {
  readonly system: string;
  /** Fields that this system itself answers: neither key nor external. */
  readonly ownFields: readonly FieldDefinitionNode[];
}

/**
 * Three findings, all NON_NULL_ACROSS_SYSTEMS: a system adds a non-null field to an entity whose home is another system
 * (the home answers most of its fields); a field cannot be null and its type's home is another system; a root field of
 * Query cannot be null, so that its system takes down everything else that was asked with it.
 */
export function lintNullability(subgraphs: readonly SplitSubgraph[]): readonly UnplacedProblem[] {
  const homes = findHomes(subgraphs);
  const isSharedQuery =
    subgraphs.filter(({ split }) => split.servedDocument.definitions.some(isQuery)).length > 1;
  return subgraphs.flatMap(({ name, split }) =>
    split.servedDocument.definitions.filter(isObjectNode).flatMap((node) => {
      const fields = (node.fields ?? []).filter((field) => !isExternal(field));
      return fields.flatMap((field) => [
        ...lintAddedField(name, node, field, homes),
        ...lintReference(name, node, field, homes),
        ...(isSharedQuery ? lintRootField(name, node, field) : []),
      ]);
    }),
  );
}

function lintAddedField(
  system: string,
  node: ObjectNode,
  field: FieldDefinitionNode,
  homes: ReadonlyMap<string, string>,
): readonly UnplacedProblem[] {
  const home = homes.get(node.name.value);
  if (home === undefined || home === system) return [];
  if (field.type.kind !== Kind.NON_NULL_TYPE || isKeyField(node, field.name.value)) return [];
  const coordinate = `${node.name.value}.${field.name.value}`;
  const message = `non-null, so that ${system} failing nulls the ${node.name.value} of ${home}: make it nullable`;
  return [{ code: 'NON_NULL_ACROSS_SYSTEMS', message, systems: [system, home], coordinate }];
}

function lintReference(
  system: string,
  node: ObjectNode,
  field: FieldDefinitionNode,
  homes: ReadonlyMap<string, string>,
): readonly UnplacedProblem[] {
  const target = namedTypeOf(field.type);
  const home = homes.get(target);
  if (home === undefined || home === system || !hasNonNull(field.type)) return [];
  const coordinate = `${node.name.value}.${field.name.value}`;
  const message = `non-null ${target} whose fields come from ${home}: ${home} failing nulls the ${node.name.value} of ${system}: make it nullable`;
  return [{ code: 'NON_NULL_ACROSS_SYSTEMS', message, systems: [system, home], coordinate }];
}

function isQuery(node: DefinitionNode): boolean {
  return isObjectNode(node) && node.name.value === 'Query';
}

function lintRootField(
  system: string,
  node: ObjectNode,
  field: FieldDefinitionNode,
): readonly UnplacedProblem[] {
  if (!isQuery(node) || field.type.kind !== Kind.NON_NULL_TYPE) return [];
  const message = `non-null, so that ${system} failing nulls the whole answer of every query that asks for it: make it nullable`;
  return [
    { code: 'NON_NULL_ACROSS_SYSTEMS', message, systems: [system], coordinate: `Query.${field.name.value}` },
  ];
}

/** An entity's home is the system that answers most of its fields; a type that one system alone knows has that one. */
function findHomes(subgraphs: readonly SplitSubgraph[]): ReadonlyMap<string, string> {
  const parts = new Map<string, EntityPart[]>();
  for (const { name, split } of subgraphs) {
    for (const node of split.servedDocument.definitions.filter(isObjectNode)) {
      if (keyFields(node).size === 0) continue;
      const ownFields = (node.fields ?? []).filter((f) => !isExternal(f) && !isKeyField(node, f.name.value));
      parts.set(node.name.value, [...(parts.get(node.name.value) ?? []), { system: name, ownFields }]);
    }
  }
  return new Map(
    [...parts].map(([type, owners]) => {
      const [home] = owners.sort((a, b) => b.ownFields.length - a.ownFields.length);
      return [type, home?.system ?? ''];
    }),
  );
}

function isExternal(field: FieldDefinitionNode): boolean {
  return (field.directives ?? []).some((directive) => directive.name.value === 'external');
}

function isKeyField(node: ObjectNode, name: string): boolean {
  return keyFields(node).has(name);
}

/** Every name in the `@key`s of the type; nested names too, which errs on the silent side. */
function keyFields(node: ObjectNode): ReadonlySet<string> {
  const names = (node.directives ?? [])
    .filter((directive) => directive.name.value === 'key')
    .flatMap((directive) => {
      const value = directive.arguments?.find((argument) => argument.name.value === 'fields')?.value;
      return value?.kind === Kind.STRING ? (value.value.match(/\w+/g) ?? []) : [];
    });
  return new Set(names);
}

function hasNonNull(type: TypeNode): boolean {
  switch (type.kind) {
    case Kind.NON_NULL_TYPE:
      return true;
    case Kind.LIST_TYPE:
      return hasNonNull(type.type);
    case Kind.NAMED_TYPE:
      return false;
    default:
      return type satisfies never;
  }
}
