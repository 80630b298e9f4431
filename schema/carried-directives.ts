// Which directives a live field and its types take with them into the subgraph `events`, under which names.
import { type ConstDirectiveNode, type ConstValueNode, type DocumentNode, Kind, visit } from 'graphql';

/** Rules on who may see what, and what is hidden or labelled: without them a live field would show what its member forbids. */
const CARRIED = ['authenticated', 'requiresScopes', 'policy', 'inaccessible', 'tag'] as const;

const FEDERATION = 'https://specs.apollo.dev/federation/';

/** Directives that every schema has, and the one that makes a field live. */
const ALWAYS: ReadonlySet<string> = new Set(['deprecated', 'specifiedBy', 'oneOf', 'eventStream']);

/** The name of a directive in the member's document to the federation specification's own. */
export type CarriedNames = ReadonlyMap<string, string>;

export function readCarriedNames(document: DocumentNode): CarriedNames {
  return readFederationNames(document, CARRIED);
}

/**
 * Reads the member's link to the federation specification (https://specs.apollo.dev/link/v1.0): the names that the document has
 * for the wanted ones, each to the specification's own.
 */
export function readFederationNames(document: DocumentNode, wanted: readonly string[]): CarriedNames {
  const names = new Map<string, string>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.SCHEMA_EXTENSION && node.kind !== Kind.SCHEMA_DEFINITION) continue;
    for (const directive of node.directives ?? []) addNames(directive, wanted, names);
  }
  return names;
}

function addNames(
  directive: ConstDirectiveNode,
  wanted: readonly string[],
  names: Map<string, string>,
): void {
  const values = new Map(directive.arguments?.map(({ name, value }) => [name.value, value] as const));
  if (textOf(values.get('url'))?.startsWith(FEDERATION) !== true) return;
  const imports = values.get('import');
  const prefix = textOf(values.get('as')) ?? 'federation';
  for (const name of wanted) names.set(`${prefix}__${name}`, name);
  for (const item of imports?.kind === Kind.LIST ? imports.values : []) {
    const parts = new Map(
      item.kind === Kind.OBJECT
        ? item.fields.map((field) => [field.name.value, textOf(field.value)] as const)
        : [],
    );
    const name = (textOf(item) ?? parts.get('name'))?.slice(1);
    const carried = wanted.find((one) => one === name);
    if (carried !== undefined) names.set(parts.get('as')?.slice(1) ?? carried, carried);
  }
}

function textOf(value: ConstValueNode | undefined): string | undefined {
  return value?.kind === Kind.STRING ? value.value : undefined;
}

/**
 * The node with those directives alone that go along, under their own names.
 * @param used names are added to it
 */
export function carryDirectives<Node extends Parameters<typeof visit>[0]>(
  node: Node,
  names: CarriedNames,
  used: Set<string>,
): Node {
  return visit(node, {
    Directive(directive) {
      const local = directive.name.value;
      const name = names.get(local);
      if (name === undefined) return ALWAYS.has(local) ? undefined : null;
      used.add(name);
      return name === local ? undefined : { ...directive, name: { ...directive.name, value: name } };
    },
  });
}
