// Builds the synthetic subgraph `events` from the live fields of all members: entities are their keys alone there.
import {
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
} from 'graphql';
import { type CarriedNames, carryDirectives, readCarriedNames } from './carried-directives.ts';
import { addCommonDefinitions } from './common-definitions.ts';
import { EVENTS_LINK_URL, type SplitSdl, type StreamField } from './event-streams.ts';
import { canonicalFieldSet, canonicalKey, parseFieldSet } from './field-set.ts';
import type { UnplacedProblem } from './problem.ts';
import { checkStreamOptions, checkTopics } from './stream-options.ts';
import { definitionsByType, isObjectNode, namedTypeOf, referencedTypes } from './type-references.ts';

export interface SplitSubgraph {
  readonly name: string;
  readonly split: SplitSdl;
}

export interface EventsSubgraph {
  /** Undefined when no member has a live field. */
  readonly sdl: string | undefined;
  readonly problems: readonly UnplacedProblem[];
}

const FILLED_BY_GATEWAY = new Set(['cursor', 'gap']);

const headerOf = (imports: readonly string[]) => `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports.map((name) => `"@${name}"`).join(', ')}])
  @link(url: "${EVENTS_LINK_URL}", import: ["@eventStream"])
  @composeDirective(name: "@eventStream")
directive @eventStream(topic: [String!]!, message: String!, where: String, snapshot: String, coalesce: Boolean, brings: String, everyMs: Int) on FIELD_DEFINITION
`;

interface ObjectPart {
  readonly fields: Map<string, FieldDefinitionNode>;
  /** Field sets of `@key`, for entities. */
  readonly keys: Set<string>;
  readonly interfaces: Set<string>;
  /** On the type itself, as SDL. */
  readonly rules: Set<string>;
  shareable: boolean;
}

interface Builder {
  readonly objects: Map<string, ObjectPart>;
  /** Enums, scalars, inputs and interfaces, as their owners define them. */
  readonly copied: Map<string, readonly DefinitionNode[]>;
  readonly owners: Map<string, string>;
  /** Names of directives that came with what was taken. */
  readonly carried: Set<string>;
  readonly problems: UnplacedProblem[];
}

/** One member's document with the questions that are asked of it. */
interface Member {
  readonly name: string;
  readonly types: ReadonlyMap<string, readonly DefinitionNode[]>;
  readonly served: ReadonlyMap<string, readonly DefinitionNode[]>;
  readonly carriedNames: CarriedNames;
}

/** The SDL of the subgraph `events`, or what is wrong with a live field, with its coordinate. */
export function buildEventsSubgraph(subgraphs: readonly SplitSubgraph[]): EventsSubgraph {
  const builder: Builder = {
    objects: new Map(),
    copied: new Map(),
    owners: new Map(),
    carried: new Set(),
    problems: [],
  };
  for (const { name, split } of subgraphs) {
    const member: Member = {
      name,
      types: definitionsByType(split.document),
      served: definitionsByType(split.servedDocument),
      carriedNames: readCarriedNames(split.document),
    };
    for (const stream of split.streams) addStream(builder, member, stream);
  }
  if (builder.owners.size === 0) return { sdl: undefined, problems: builder.problems };
  return { sdl: printSubgraph(builder), problems: builder.problems };
}

function addStream(builder: Builder, member: Member, stream: StreamField): void {
  const report = (message: string, coordinate = stream.coordinate): void => {
    builder.problems.push({ code: 'EVENT_STREAM_INVALID', message, systems: [member.name], coordinate });
  };
  const name = stream.definition.name.value;
  const owner = builder.owners.get(name);
  if (owner !== undefined) {
    report(`the live field is defined by ${owner} too: rename one of them`);
    return;
  }
  builder.owners.set(name, member.name);
  checkTopics(stream, report);
  checkStreamOptions(member.types, stream, report);
  const root = objectPart(builder, 'Subscription');
  takeField(builder, member, root, stream.definition);
  takeRules(builder, member, root, 'Subscription');
  for (const argument of stream.definition.arguments ?? [])
    copyType(builder, member, namedTypeOf(argument.type));
  const selection = parseFieldSet(stream.message, (message) => report(`message: ${message}`));
  if (selection !== undefined) addReturnType({ builder, member, report }, stream, selection);
}

interface StreamContext {
  readonly builder: Builder;
  readonly member: Member;
  readonly report: (message: string, coordinate?: string) => void;
}

function addReturnType(context: StreamContext, stream: StreamField, selection: SelectionSetNode): void {
  const { builder, member, report } = context;
  const nodes = (member.types.get(stream.returnType) ?? []).filter(isObjectNode);
  const isResumable = nodes.some((node) => node.interfaces?.some((type) => type.name.value === 'Resumable'));
  if (!isResumable) {
    report(`must return an object type that implements Resumable, not ${stream.returnType}`);
    return;
  }
  const part = objectPart(builder, stream.returnType);
  takeRules(builder, member, part, stream.returnType);
  for (const node of nodes) for (const type of node.interfaces ?? []) part.interfaces.add(type.name.value);
  copyInterfaces(context, part);
  const selected = selectFields(context, stream.returnType, selection);
  for (const field of fieldsOf(member, stream.returnType)) {
    const coordinate = `${stream.returnType}.${field.name.value}`;
    takeField(builder, member, part, field);
    if (FILLED_BY_GATEWAY.has(field.name.value)) continue;
    if (!selected.has(field.name.value)) {
      report(`is not in the message of ${stream.coordinate}, so nothing can ever fill it`, coordinate);
    } else if (field.type.kind === Kind.NON_NULL_TYPE) {
      report(`must be nullable: it is null beside a gap`, coordinate);
    }
  }
}

function copyInterfaces({ builder, member }: StreamContext, part: ObjectPart): void {
  for (const name of part.interfaces) if (name !== 'Resumable') copyType(builder, member, name);
}

/** Walks one level of `message`; returns the names that are selected. */
function selectFields(
  context: StreamContext,
  typeName: string,
  selection: SelectionSetNode,
): ReadonlySet<string> {
  const fields = new Map(fieldsOf(context.member, typeName).map((field) => [field.name.value, field]));
  const selected = new Set<string>();
  for (const node of selection.selections) {
    if (node.kind !== Kind.FIELD || node.alias !== undefined || (node.arguments ?? []).length > 0) {
      context.report(`message may name plain fields only, without aliases, arguments or fragments`, typeName);
      continue;
    }
    const field = fields.get(node.name.value);
    const coordinate = `${typeName}.${node.name.value}`;
    if (field === undefined) {
      context.report(`message names a field that ${typeName} does not have`, coordinate);
      continue;
    }
    selected.add(node.name.value);
    addSelected(context, coordinate, namedTypeOf(field.type), node.selectionSet);
  }
  return selected;
}

function addSelected(
  context: StreamContext,
  coordinate: string,
  typeName: string,
  selection: SelectionSetNode | undefined,
): void {
  const nodes = context.member.types.get(typeName);
  const objects = (nodes ?? []).filter(isObjectNode);
  if (objects.length === 0) {
    const isAbstract = nodes?.some(
      (node) => node.kind === Kind.INTERFACE_TYPE_DEFINITION || node.kind === Kind.UNION_TYPE_DEFINITION,
    );
    if (isAbstract) {
      context.report('message may not bring an interface or a union', coordinate);
      return;
    }
    copyType(context.builder, context.member, typeName);
    return;
  }
  if (selection === undefined) {
    context.report(`message must say which fields of ${typeName} it brings`, coordinate);
    return;
  }
  const keys = keysOf(context.member, typeName);
  if (keys.length > 0) addEntity(context, coordinate, typeName, selection, keys);
  else addValue(context, coordinate, typeName, selection);
}

function addEntity(
  context: StreamContext,
  coordinate: string,
  typeName: string,
  selection: SelectionSetNode,
  keys: readonly string[],
): void {
  const wanted = canonicalFieldSet(selection);
  const key = keys.find((fields) => canonicalKey(fields) === wanted);
  if (key === undefined) {
    const choices = keys.map((fields) => `{ ${fields} }`).join(' or ');
    context.report(`message may bring only a key of the entity ${typeName}: ${choices}`, coordinate);
    return;
  }
  const part = objectPart(context.builder, typeName);
  part.keys.add(wanted.slice(2, -2));
  const selected = selectFields(context, typeName, selection);
  for (const field of fieldsOf(context.member, typeName)) {
    if (selected.has(field.name.value)) takeField(context.builder, context.member, part, field);
  }
}

function addValue(
  context: StreamContext,
  coordinate: string,
  typeName: string,
  selection: SelectionSetNode,
): void {
  const part = objectPart(context.builder, typeName);
  takeRules(context.builder, context.member, part, typeName);
  // Composition then demands that the owner's definition is shareable too, and names the field when it is not.
  if (context.member.served.has(typeName)) part.shareable = true;
  const selected = selectFields(context, typeName, selection);
  for (const field of fieldsOf(context.member, typeName)) {
    if (selected.has(field.name.value)) takeField(context.builder, context.member, part, field);
    else if (!part.shareable) {
      context.report(
        `message leaves out ${typeName}.${field.name.value}, and nothing else can fill it`,
        coordinate,
      );
    }
  }
}

function copyType(builder: Builder, member: Member, typeName: string): void {
  const nodes = member.types.get(typeName);
  if (nodes === undefined || builder.copied.has(typeName)) return;
  builder.copied.set(
    typeName,
    nodes.map((node) => carryDirectives(node, member.carriedNames, builder.carried)),
  );
  for (const node of nodes) for (const name of referencedTypes(node)) copyType(builder, member, name);
}

function takeField(builder: Builder, member: Member, part: ObjectPart, field: FieldDefinitionNode): void {
  part.fields.set(field.name.value, carryDirectives(field, member.carriedNames, builder.carried));
}

/** Those of the type itself; an entity's are where its fields are. */
function takeRules(builder: Builder, member: Member, part: ObjectPart, typeName: string): void {
  for (const node of (member.types.get(typeName) ?? []).filter(isObjectNode)) {
    const own = { ...node, fields: [], interfaces: [] };
    const { directives } = carryDirectives(own, member.carriedNames, builder.carried);
    for (const directive of directives ?? []) part.rules.add(print(directive));
  }
}

function objectPart(builder: Builder, typeName: string): ObjectPart {
  const part = builder.objects.get(typeName);
  if (part !== undefined) return part;
  const made: ObjectPart = {
    fields: new Map(),
    keys: new Set(),
    interfaces: new Set(),
    rules: new Set(),
    shareable: false,
  };
  builder.objects.set(typeName, made);
  return made;
}

function fieldsOf(member: Member, typeName: string): readonly FieldDefinitionNode[] {
  return (member.types.get(typeName) ?? []).filter(isObjectNode).flatMap((node) => node.fields ?? []);
}

function keysOf(member: Member, typeName: string): readonly string[] {
  return (member.types.get(typeName) ?? [])
    .flatMap((node) => (isObjectNode(node) ? (node.directives ?? []) : []))
    .filter((directive) => directive.name.value === 'key')
    .flatMap((directive) => {
      const value = directive.arguments?.find((node) => node.name.value === 'fields')?.value;
      return value?.kind === Kind.STRING ? [value.value] : [];
    });
}

function printSubgraph(builder: Builder): string {
  const objects = [...builder.objects].map(([name, part]) => objectNode(name, part));
  const definitions: DefinitionNode[] = [...objects, ...[...builder.copied.values()].flat()];
  const document: DocumentNode = addCommonDefinitions({ kind: Kind.DOCUMENT, definitions });
  const printed = document.definitions.map((node) => print(node)).sort();
  const imports = ['key', 'shareable', 'composeDirective', ...[...builder.carried].sort()];
  return `${headerOf(imports)}${printed.join('\n')}\n`;
}

function objectNode(name: string, part: ObjectPart): ObjectTypeDefinitionNode {
  const keys = [...part.keys].sort().map((fields) => `@key(fields: "${fields}", resolvable: false)`);
  const shareable = part.shareable ? ['@shareable'] : [];
  const directives = [...keys, ...shareable, ...[...part.rules].sort()].join(' ');
  const [node] = parse(`type ${name} ${directives}`, { noLocation: true }).definitions;
  const fields = [...part.fields.values()].sort((a, b) => (a.name.value < b.name.value ? -1 : 1));
  const interfaces = [...part.interfaces].sort().map((value) => ({
    kind: Kind.NAMED_TYPE as const,
    name: { kind: Kind.NAME as const, value },
  }));
  return { ...(node as ObjectTypeDefinitionNode), interfaces, fields };
}
