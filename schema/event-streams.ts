// Splits a stored SDL into what its subgraph serves and the live fields that the gateway answers from the event log.
import {
  type ConstDirectiveNode,
  type ConstValueNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  isTypeExtensionNode,
  Kind,
  parse,
  print,
  Source,
} from 'graphql';
import { addCommonDefinitions } from './common-definitions.ts';
import { isObjectNode, namedTypeOf, referencedTypes, typeNameOf } from './type-references.ts';

/** The synthetic subgraph's name in plans; no system may have it. */
export const EVENTS_SUBGRAPH = 'events';
export const EVENTS_LINK_URL = 'https://specs.weft.dev/events/v0.1';

/** A Subscription field with `@eventStream`. */
export interface StreamField {
  /** `Subscription.incidentChanged`. */
  readonly coordinate: string;
  readonly definition: FieldDefinitionNode;
  readonly returnType: string;
  /** As they are named: one as a rule. */
  readonly topics: readonly string[];
  /** A selection set on the return type, with its braces: what an event's data brings. */
  readonly message: string;
  /** In the mapping grammar, over the event's data. */
  readonly where: string | undefined;
  /** A field of Query with its arguments: where the current state comes from. */
  readonly snapshot: string | undefined;
  /** Whether changes of one subject may be gathered, by the argument `intervalMs`. */
  readonly coalesces: boolean;
  /** In the mapping grammar, over the event's data and `$args`: what `message` is picked from; undefined: the event's data. */
  readonly brings?: string | undefined;
  /** The shortest interval, in milliseconds, at which changes are gathered; undefined: as the client says. */
  readonly everyMs?: number | undefined;
}

export interface SplitSdl {
  /** What the subgraph serves and composes with: without live fields, what only they use, and `@eventStream`. */
  readonly served: string;
  readonly servedDocument: DocumentNode;
  /** The whole, with common definitions. */
  readonly document: DocumentNode;
  readonly streams: readonly StreamField[];
}

/**
 * Splits a stored SDL (docs/events.md). Both halves have the common definitions that they name.
 * @param file named in the syntax error that graphql throws
 */
export function splitEventStreams(sdl: string, file = 'SDL'): SplitSdl {
  const document = addCommonDefinitions(parse(new Source(sdl, file)));
  const streams = document.definitions.flatMap(streamFieldsOf);
  if (streams.length === 0) return { served: print(document), servedDocument: document, document, streams };
  const withoutFields = document.definitions.flatMap(withoutStreamFields);
  const moved = typesOnlyStreamsUse(withoutFields, streams);
  const servedDocument = addCommonDefinitions({
    kind: Kind.DOCUMENT,
    definitions: withoutFields.filter((node) => !moved.has(typeNameOf(node) ?? '')),
  });
  return { served: print(servedDocument), servedDocument, document, streams };
}

/** The `@eventStream` of a field, decoded; undefined when it has none. */
export function decodeStreamField(definition: FieldDefinitionNode): StreamField | undefined {
  const directive = definition.directives?.find(isEventStream);
  if (directive === undefined) return undefined;
  const given = (name: string) => directive.arguments?.find((node) => node.name.value === name)?.value;
  const argument = (name: string) => {
    const value = given(name);
    return value?.kind === Kind.STRING ? value.value : undefined;
  };
  const flag = (name: string) => {
    const value = given(name);
    return value?.kind === Kind.BOOLEAN && value.value;
  };
  const number = (name: string) => {
    const value = given(name);
    return value?.kind === Kind.INT ? Number(value.value) : undefined;
  };
  return {
    coordinate: `Subscription.${definition.name.value}`,
    definition,
    returnType: namedTypeOf(definition.type),
    topics: textsOf(given('topic')),
    message: argument('message') ?? '',
    where: argument('where'),
    snapshot: argument('snapshot'),
    coalesces: flag('coalesce'),
    brings: argument('brings'),
    everyMs: number('everyMs'),
  };
}

/** One stands for a list of one: https://spec.graphql.org/draft/#sec-List.Input-Coercion */
function textsOf(value: ConstValueNode | undefined): readonly string[] {
  const values = value?.kind === Kind.LIST ? value.values : [value];
  return values.flatMap((each) => (each?.kind === Kind.STRING ? [each.value] : []));
}

function isEventStream(directive: ConstDirectiveNode): boolean {
  return directive.name.value === 'eventStream';
}

function streamFieldsOf(node: DefinitionNode): readonly StreamField[] {
  if (!isObjectNode(node) || node.name.value !== 'Subscription') return [];
  return (node.fields ?? []).flatMap((field) => decodeStreamField(field) ?? []);
}

function withoutStreamFields(node: DefinitionNode): readonly DefinitionNode[] {
  if (node.kind === Kind.DIRECTIVE_DEFINITION && node.name.value === 'eventStream') return [];
  if (node.kind === Kind.SCHEMA_EXTENSION || node.kind === Kind.SCHEMA_DEFINITION) {
    const directives = (node.directives ?? []).filter((directive) => !isEventsLink(directive));
    // An extension by nothing is no GraphQL.
    if (directives.length === 0 && (node.operationTypes ?? []).length === 0) return [];
    return [{ ...node, directives }];
  }
  if (!isObjectNode(node) || node.name.value !== 'Subscription') return [node];
  const fields = (node.fields ?? []).filter((field) => !field.directives?.some(isEventStream));
  return fields.length === 0 ? [] : [{ ...node, fields }];
}

function isEventsLink(directive: ConstDirectiveNode): boolean {
  if (directive.name.value !== 'link') return false;
  const url = directive.arguments?.find((node) => node.name.value === 'url')?.value;
  return url?.kind === Kind.STRING && url.value.startsWith('https://specs.weft.dev/events/');
}

/** What the live fields reach without crossing an entity, less what anything else still names. */
function typesOnlyStreamsUse(
  definitions: readonly DefinitionNode[],
  streams: readonly StreamField[],
): ReadonlySet<string> {
  const byType = Map.groupBy(definitions, (node) => typeNameOf(node) ?? '');
  const movable = new Set<string>();
  const pending = streams.flatMap((stream) => [...referencedTypes(asDefinition(stream.definition))]);
  for (const name of pending) {
    const nodes = byType.get(name);
    if (movable.has(name) || nodes === undefined || nodes.some(isEntity)) continue;
    movable.add(name);
    pending.push(...nodes.flatMap((node) => [...referencedTypes(node)]));
  }
  const kept = definitions.filter((node) => !movable.has(typeNameOf(node) ?? ''));
  // Grows while it is walked: what a kept definition names is kept too.
  for (const node of kept) {
    for (const name of referencedTypes(node)) {
      if (movable.delete(name)) kept.push(...(byType.get(name) ?? []));
    }
  }
  return movable;
}

function asDefinition(field: FieldDefinitionNode): DefinitionNode {
  return {
    kind: Kind.OBJECT_TYPE_DEFINITION,
    name: { kind: Kind.NAME, value: 'Subscription' },
    fields: [field],
  };
}

/** Extensions count: they say that the type belongs to more than this document. */
function isEntity(node: DefinitionNode): boolean {
  if (!isObjectNode(node)) return false;
  return (
    isTypeExtensionNode(node) || (node.directives ?? []).some((directive) => directive.name.value === 'key')
  );
}
