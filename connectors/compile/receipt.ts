// Gives a folder the types of receipts that it names and does not define.
import { readFileSync } from 'node:fs';
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  Kind,
  parse,
  Source,
  visit,
} from 'graphql';
import { directiveNameIn } from './directive-names.ts';

const RECEIPT_FILE = 'connectors/compile/receipt.graphql';
const RECEIPT = parse(
  new Source(readFileSync(new URL('./receipt.graphql', import.meta.url), 'utf8'), RECEIPT_FILE),
);

/** The fields of a receipt that the hub fills; all others are what the select of the write makes of the answer. */
export const RECEIPT_FIELDS: ReadonlySet<string> = new Set(['commandId', 'command', 'outcome', 'code']);
/** Filled from the select, or from that of the reconciling query, where they yield it. */
export const UPSTREAM_REF = 'upstreamRef';

/**
 * The definitions with `CommandReceipt`, `CommandOutcome` and `Command` where a type is named and not defined. Several
 * systems may have them: they are shareable, under whatever name the folder's link gives that directive.
 */
export function withReceiptTypes(definitions: readonly DefinitionNode[]): readonly DefinitionNode[] {
  const completed = [...definitions];
  const defined = new Set(completed.map(nameOf));
  // Grows while it is walked: a receipt names an outcome.
  for (const definition of completed) {
    for (const name of namesIn(definition)) {
      if (defined.has(name)) continue;
      const found = RECEIPT.definitions.find((node) => nameOf(node) === name);
      if (found === undefined) continue;
      defined.add(name);
      completed.push(withFederation(found, definitions));
    }
  }
  return completed;
}

function nameOf(node: DefinitionNode): string | undefined {
  return 'name' in node && node.name?.kind === Kind.NAME ? node.name.value : undefined;
}

function namesIn(node: DefinitionNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(node, { NamedType: (type) => void names.add(type.name.value) });
  return names;
}

function withFederation(node: DefinitionNode, folder: readonly DefinitionNode[]): DefinitionNode {
  if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) return node;
  const nameOfDirective = (name: string) => directiveNameIn(folder, name);
  const text =
    node.name.value === 'Command'
      ? `type T @${nameOfDirective('key')}(fields: "id", resolvable: false) { id: ID! }`
      : `type T @${nameOfDirective('shareable')} { id: ID! }`;
  return { ...node, directives: directivesOf(parse(text, { noLocation: true })) };
}

function directivesOf({ definitions: [type] }: DocumentNode): readonly ConstDirectiveNode[] {
  return type?.kind === Kind.OBJECT_TYPE_DEFINITION ? (type.directives ?? []) : [];
}
