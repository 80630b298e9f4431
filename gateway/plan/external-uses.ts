// Which fields a subgraph's keys, `@provides` and `@requires` select, and so may be external there.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  parse,
  type SelectionSetNode,
  type TypeNode,
} from 'graphql';

export interface ExternalUses {
  /** @param fieldOf the field that a name stands in for */
  add(
    graph: string,
    type: string,
    selectionSet: SelectionSetNode,
    fieldOf: (name: string) => string | undefined,
  ): void;
  /** Also true where an interface of that subgraph asks for the field. */
  has(graph: string, type: string, field: string): boolean;
}

/** Those of keys and `@provides`; `@requires` are added as they are met. */
export function createExternalUses(document: DocumentNode): ExternalUses {
  const types = readTypes(document);
  const used = new Set<string>();
  const add: ExternalUses['add'] = (graph, type, selectionSet, fieldOf) => {
    for (const node of selectionSet.selections) {
      if (node.kind === Kind.FRAGMENT_SPREAD) continue;
      if (node.kind === Kind.INLINE_FRAGMENT) {
        add(graph, node.typeCondition?.name.value ?? type, node.selectionSet, fieldOf);
        continue;
      }
      const name = node.name.value;
      // A field of an interface stands for that of each type which implements it.
      for (const each of [type, ...(types.get(type)?.implementers ?? [])])
        used.add(`${graph} ${each}.${name}`);
      const next = types.get(type)?.fields.get(fieldOf(name) ?? name);
      if (node.selectionSet !== undefined && next !== undefined) add(graph, next, node.selectionSet, fieldOf);
    }
  };
  for (const [type, { sets, interfaces }] of types) {
    for (const { graph, on, text } of sets) {
      const [operation] = parse(`{ ${text} }`, { noLocation: true }).definitions;
      if (operation?.kind === Kind.OPERATION_DEFINITION)
        add(graph, on, operation.selectionSet, () => undefined);
    }
    for (const { graph, name } of interfaces)
      for (const field of types.get(name)?.fields.keys() ?? []) used.add(`${graph} ${type}.${field}`);
  }
  return { add, has: (graph, type, field) => used.has(`${graph} ${type}.${field}`) };
}

interface TypeFacts {
  /** Field to the name of its type. */
  readonly fields: Map<string, string>;
  readonly implementers: Set<string>;
  readonly interfaces: { readonly graph: string; readonly name: string }[];
  /** Keys, on the type itself, and `@provides`, on the type of the field. */
  readonly sets: { readonly graph: string; readonly on: string; readonly text: string }[];
}

function readTypes(document: DocumentNode): ReadonlyMap<string, TypeFacts> {
  const types = new Map<string, TypeFacts>();
  const factsOf = (name: string) =>
    types.getOrInsertComputed(name, () => ({
      fields: new Map(),
      implementers: new Set(),
      interfaces: [],
      sets: [],
    }));
  for (const node of document.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    const type = node.name.value;
    const facts = factsOf(type);
    for (const { name } of node.interfaces ?? []) factsOf(name.value).implementers.add(type);
    for (const directive of node.directives ?? []) {
      const { graph, key, interface: name } = textsOf(directive);
      if (graph !== undefined && key !== undefined) facts.sets.push({ graph, on: type, text: key });
      if (graph !== undefined && name !== undefined) facts.interfaces.push({ graph, name });
    }
    for (const field of node.fields ?? []) {
      const on = namedType(field.type);
      facts.fields.set(field.name.value, on);
      for (const directive of field.directives ?? []) {
        const { graph, provides } = textsOf(directive);
        if (graph !== undefined && provides !== undefined) facts.sets.push({ graph, on, text: provides });
      }
    }
  }
  return types;
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}

/** The arguments of a `join__` directive that are text or enum values. */
function textsOf(directive: ConstDirectiveNode): Readonly<Record<string, string | undefined>> {
  if (!directive.name.value.startsWith('join__')) return {};
  return Object.fromEntries(
    (directive.arguments ?? []).flatMap(({ name, value }) =>
      value.kind === Kind.STRING || value.kind === Kind.ENUM ? [[name.value, value.value] as const] : [],
    ),
  );
}
