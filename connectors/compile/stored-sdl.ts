// Makes the SDL that is stored and composed: connector directives removed, `@changes` turned into `@eventStream`.
import { addCommonDefinitions } from '@weft/schema/common-definitions';
import { EVENTS_LINK_URL } from '@weft/schema/event-streams';
import {
  type ConstArgumentNode,
  type ConstDirectiveNode,
  type ConstValueNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  print,
  type SchemaExtensionNode,
  visit,
} from 'graphql';
import type { ChangesPlan } from './changes.ts';
import { CONNECTOR_DIRECTIVES } from './directive-arguments.ts';

const HUB_SPEC = 'https://specs.weft.dev/hub/';

/** @param changes by the name of the Subscription field */
export function printStoredSdl(document: DocumentNode, changes: ReadonlyMap<string, ChangesPlan>): string {
  const stripped = visit(document, {
    Directive: (node) => (isConnector(node) ? null : undefined),
    ObjectTypeDefinition: (node) =>
      node.name.value === 'Subscription' ? withStreams(node, changes) : undefined,
    ObjectTypeExtension: (node) =>
      node.name.value === 'Subscription' ? withStreams(node, changes) : undefined,
  });
  const definitions = stripped.definitions.filter((node) => !isEmptyExtension(node));
  const completed = changes.size === 0 ? definitions : withEventsLink(definitions);
  return print(addCommonDefinitions({ kind: Kind.DOCUMENT, definitions: completed }));
}

/** The link joins the first schema extension, which keeps the others' links: none is left empty when it is taken out again. */
function withEventsLink(definitions: readonly DefinitionNode[]): readonly DefinitionNode[] {
  const { definitions: linked } = parse(
    `extend schema @link(url: "${EVENTS_LINK_URL}", import: ["@eventStream"])`,
    { noLocation: true },
  );
  const extension = linked[0] as SchemaExtensionNode;
  const at = definitions.findIndex((node) => node.kind === Kind.SCHEMA_EXTENSION);
  const first = definitions[at] as SchemaExtensionNode | undefined;
  if (first === undefined) return [extension, ...definitions];
  const directives = [...(first.directives ?? []), ...(extension.directives ?? [])];
  return definitions.with(at, { ...first, directives });
}

function isConnector(node: DirectiveNode): boolean {
  if (CONNECTOR_DIRECTIVES.has(node.name.value)) return true;
  const url = node.arguments?.find((argument) => argument.name.value === 'url')?.value;
  return node.name.value === 'link' && url?.kind === Kind.STRING && url.value.startsWith(HUB_SPEC);
}

function withStreams<Node extends { readonly fields?: readonly FieldDefinitionNode[] | undefined }>(
  node: Node,
  changes: ReadonlyMap<string, ChangesPlan>,
): Node {
  const fields = (node.fields ?? []).map((field): FieldDefinitionNode => {
    const plan = changes.get(field.name.value);
    return plan === undefined
      ? field
      : { ...field, directives: [...(field.directives ?? []), eventStream(plan)] };
  });
  return { ...node, fields };
}

function eventStream({ topic, message, where, snapshot, coalesce }: ChangesPlan): ConstDirectiveNode {
  const texts = Object.entries({ topic, message, where, snapshot }).flatMap(([name, value]) =>
    value === undefined ? [] : [argument(name, { kind: Kind.STRING, value })],
  );
  const flags = coalesce ? [argument('coalesce', { kind: Kind.BOOLEAN, value: true })] : [];
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: 'eventStream' },
    arguments: [...texts, ...flags],
  };
}

function argument(name: string, value: ConstValueNode): ConstArgumentNode {
  return { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: name }, value };
}

function isEmptyExtension(node: DefinitionNode): boolean {
  return (
    node.kind === Kind.SCHEMA_EXTENSION &&
    (node.directives ?? []).length === 0 &&
    (node.operationTypes ?? []).length === 0
  );
}
