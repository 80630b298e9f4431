// Checks what a live field may say besides topic and message: where the current state comes from, and whether changes may be gathered.
import type { DefinitionNode, FieldDefinitionNode } from 'graphql';
import type { StreamField } from './event-streams.ts';
import { compileMapping } from './mapping/compile.ts';
import { parseSnapshotField } from './snapshot-field.ts';
import { isObjectNode, namedTypeOf } from './type-references.ts';

type Types = ReadonlyMap<string, readonly DefinitionNode[]>;
type Report = (message: string) => void;

/** @param types of the member that has the field, live fields and what only they use among them */
export function checkStreamOptions(types: Types, stream: StreamField, report: Report): void {
  const args = new Map((stream.definition.arguments ?? []).map((node) => [node.name.value, node]));
  const from = args.get('from');
  if (stream.snapshot === undefined) {
    if (from !== undefined) report('has the argument from, but @eventStream names no snapshot');
  } else {
    if (from === undefined || namedTypeOf(from.type) !== 'StreamStart')
      report('has a snapshot, and so needs the argument from: StreamStart = LIVE');
    checkSnapshot(types, stream, stream.snapshot, report);
  }
  const interval = args.get('intervalMs');
  const isInt = interval !== undefined && namedTypeOf(interval.type) === 'Int';
  if (stream.coalesces && !isInt) report('coalesces, and so needs the argument intervalMs: Int');
  if (!stream.coalesces && interval !== undefined)
    report('has the argument intervalMs, but @eventStream does not say coalesce: true');
  checkEvery(stream, report);
  checkBrings(stream, report);
}

/** As many as a gateway reads as one (`@weft/events/several-topics`), which has their names with a comma between them. */
const TOPICS_MAX = 8;

export function checkTopics({ topics }: StreamField, report: Report): void {
  if (topics.length === 0 || topics.includes('')) report('@eventStream needs a topic');
  if (topics.length > TOPICS_MAX) report(`topic: expected at most ${TOPICS_MAX}, got ${topics.length}`);
  for (const topic of topics)
    if (topic.includes(',')) report(`topic: expected a name without a comma, got ${topic}`);
}

/** The longest interval at which a gateway gathers. */
const EVERY_MS_MAX = 60_000;

function checkEvery({ coalesces, everyMs }: StreamField, report: Report): void {
  if (everyMs === undefined) return;
  if (!coalesces) report('has everyMs, but @eventStream does not say coalesce: true');
  if (everyMs < 1 || everyMs > EVERY_MS_MAX) report(`everyMs: expected 1 to ${EVERY_MS_MAX}, got ${everyMs}`);
}

function checkBrings({ brings, definition }: StreamField, report: Report): void {
  if (brings === undefined) return;
  try {
    compileMapping(brings, { roots: ['args'] });
  } catch (thrown) {
    report(`brings: ${(thrown as Error).message}`);
  }
  const own = new Set((definition.arguments ?? []).map(({ name }) => name.value));
  for (const [, name = ''] of brings.matchAll(/\$args\.(\w+)/g))
    if (!own.has(name)) report(`brings: the live field has no argument ${name}`);
}

function checkSnapshot(types: Types, stream: StreamField, text: string, report: Report): void {
  const parsed = parsedSnapshot(text, report);
  if (parsed === undefined) return;
  const { node, usedArguments } = parsed;
  const field = fieldsOf(types, 'Query').find(({ name }) => name.value === node.name.value);
  if (field === undefined) {
    report(`snapshot: Query has no field ${node.name.value} in this system`);
    return;
  }
  const known = new Set((field.arguments ?? []).map(({ name }) => name.value));
  for (const { name } of node.arguments ?? [])
    if (!known.has(name.value)) report(`snapshot: ${node.name.value} has no argument ${name.value}`);
  const own = new Set((stream.definition.arguments ?? []).map(({ name }) => name.value));
  for (const name of usedArguments)
    if (!own.has(name)) report(`snapshot: the live field has no argument ${name}`);
  const entity = listedType(types, field);
  const isBrought = fieldsOf(types, stream.returnType).some((each) => namedTypeOf(each.type) === entity);
  if (!isBrought) report(`snapshot: ${stream.returnType} has no field of the type ${entity}, which it lists`);
}

function parsedSnapshot(text: string, report: Report): ReturnType<typeof parseSnapshotField> | undefined {
  try {
    return parseSnapshotField(text);
  } catch (thrown) {
    report(`snapshot: ${(thrown as Error).message}`);
    return undefined;
  }
}

/** What a list, or a connection (https://relay.dev/graphql/connections.htm), lists. */
function listedType(types: Types, field: FieldDefinitionNode): string {
  const name = namedTypeOf(field.type);
  const below = new Map(fieldsOf(types, name).map((each) => [each.name.value, each]));
  if (!below.has('pageInfo')) return name;
  const nodes = below.get('nodes');
  if (nodes !== undefined) return namedTypeOf(nodes.type);
  const edges = below.get('edges');
  const node =
    edges === undefined
      ? undefined
      : fieldsOf(types, namedTypeOf(edges.type)).find((each) => each.name.value === 'node');
  return node === undefined ? name : namedTypeOf(node.type);
}

function fieldsOf(types: Types, typeName: string): readonly FieldDefinitionNode[] {
  return (types.get(typeName) ?? []).filter(isObjectNode).flatMap((node) => node.fields ?? []);
}
