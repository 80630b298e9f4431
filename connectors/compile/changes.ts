// Decodes `@changes` on Subscription fields, and says which field of an event's data holds an entity's key.

import type { StreamField } from '@weft/schema/event-streams';
import { type CodeTables, compileMapping, MappingError } from '@weft/schema/mapping/compile';
import { checkStreamOptions } from '@weft/schema/stream-options';
import { typeNameOf } from '@weft/schema/type-references';
import { type FieldDefinitionNode, Kind } from 'graphql';
import type { IngestPlan } from '../plan.ts';
import type { Compilation } from './compilation.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { readMapping } from './mapping-arguments.ts';
import { findDirective, namedType, type SdlFolder, singleKey } from './sdl-folder.ts';

/** What `@eventStream` says in the stored SDL. */
export interface ChangesPlan {
  readonly topic: string;
  /** `{ order { id } }` */
  readonly message: string;
  readonly where: string | undefined;
  /** `permits(division: $args.division)` */
  readonly snapshot: string | undefined;
  readonly coalesce: boolean;
}

/** The gateway fills these of every live field's return type. */
const FILLED_BY_GATEWAY: ReadonlySet<string> = new Set(['cursor', 'gap']);

/** By the name of the ingested type: the field under which its events carry the key. */
export function findEntityFields(sdl: SdlFolder): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const field of sdl.objects.get('Subscription')?.fields.values() ?? []) {
    const of = findDirective(field.directives, 'changes')?.arguments?.find(
      (node) => node.name.value === 'of',
    )?.value;
    if (of?.kind !== Kind.STRING || found.has(of.value)) continue;
    const entityField = entityFieldsOf(sdl, field, of.value)[0];
    if (entityField !== undefined) found.set(of.value, entityField);
  }
  return found;
}

/** The field for a type without `@changes`: its name in lower camel case. */
export function defaultEntityField(type: string): string {
  return type.charAt(0).toLowerCase() + type.slice(1);
}

/** Decodes the `@changes` of every Subscription field that has one, by the field's name. */
export function readChanges(
  compilation: Compilation,
  ingests: readonly IngestPlan[],
): ReadonlyMap<string, ChangesPlan> {
  const plans = new Map<string, ChangesPlan>();
  for (const field of compilation.sdl.objects.get('Subscription')?.fields.values() ?? []) {
    const directive = findDirective(field.directives, 'changes');
    const given = directive && readArguments(directive, compilation.issues);
    const plan = given && readField(field, given, compilation, ingests);
    if (plan !== undefined) plans.set(field.name.value, plan);
  }
  return plans;
}

function readField(
  field: FieldDefinitionNode,
  given: Arguments,
  compilation: Compilation,
  ingests: readonly IngestPlan[],
): ChangesPlan | undefined {
  const { sdl, issues } = compilation;
  const of = given.requiredText('of');
  const type = sdl.objects.get(of);
  if (type === undefined || findDirective(type.directives, 'ingest') === undefined) {
    issues.add(
      'NOT_INGESTED',
      given.nodeOf('of'),
      `'${of}' is no type with @ingest`,
      'name one that has, or add @ingest to it',
    );
    return undefined;
  }
  const [entityField, ...others] = entityFieldsOf(sdl, field, of);
  if (entityField === undefined || others.length > 0) {
    const message = `${namedType(field.type)} has ${others.length + (entityField === undefined ? 0 : 1)} fields of type ${of}`;
    issues.add(
      'SHAPE_MISMATCH',
      field.type,
      message,
      'the return type of @changes has exactly one: it holds what changed',
    );
    return undefined;
  }
  checkReturnType(field, entityField, compilation);
  const ingest = ingests.find((plan) => plan.type === of);
  if (ingest !== undefined && ingest.entityField !== entityField) {
    const mend = `call the field '${ingest.entityField}', as the first @changes of ${of} does`;
    issues.add(
      'SHAPE_MISMATCH',
      field.type,
      `events of ${of} carry its key under '${ingest.entityField}'`,
      mend,
    );
  }
  const key = ingest?.keyFields?.join(' ') ?? singleKey(type, ingest?.keyField);
  const args = (field.arguments ?? []).map((argument) => argument.name.value);
  const readable = { args, $: ingest && [entityField, ...selectedNames(ingest, issues.codes)] };
  const where = readMapping(given, 'where', readable, issues);
  const named = where === undefined ? undefined : /->\s*(?:un)?code\b/.exec(where.mapping.text);
  if (where !== undefined && named) {
    const message = 'the gateway, which runs this, has no code tables';
    issues.addInText('BAD_MAPPING', where.node, named.index, message, 'write ->match with the pairs here');
  }
  if (key === undefined) return undefined;
  const plan = {
    topic: of,
    message: `{ ${entityField} { ${key} } }`,
    where: where?.mapping.text,
    snapshot: given.text('snapshot'),
    coalesce: given.flag('coalesce'),
  };
  checkOptions(field, plan, given, compilation);
  return plan;
}

/** What the gateway would refuse when it composes: here it has a place. */
function checkOptions(
  field: FieldDefinitionNode,
  { topic, message, where, snapshot, coalesce }: ChangesPlan,
  given: Arguments,
  { sdl, issues }: Compilation,
): void {
  const stream: StreamField = {
    coordinate: `Subscription.${field.name.value}`,
    definition: field,
    returnType: namedType(field.type),
    topics: [topic],
    message,
    where,
    snapshot,
    coalesces: coalesce,
  };
  const types = Map.groupBy(sdl.document.definitions, (node) => typeNameOf(node) ?? '');
  checkStreamOptions(types, stream, (problem) => {
    const place = snapshot === undefined ? field : given.nodeOf('snapshot');
    issues.add('BAD_VALUE', place, problem, 'see @changes in docs/connectors.md');
  });
}

function entityFieldsOf(sdl: SdlFolder, field: FieldDefinitionNode, of: string): readonly string[] {
  const returned = sdl.objects.get(namedType(field.type))?.fields.values() ?? [];
  return [...returned]
    .filter((candidate) => namedType(candidate.type) === of)
    .map((candidate) => candidate.name.value);
}

function checkReturnType(
  field: FieldDefinitionNode,
  entityField: string,
  { sdl, issues }: Compilation,
): void {
  const type = sdl.objects.get(namedType(field.type));
  if (type === undefined) return;
  if (!type.interfaces.includes('Resumable')) {
    issues.add(
      'SHAPE_MISMATCH',
      type.node.name,
      `${type.name} is not Resumable`,
      'write `implements Resumable`, with cursor and gap',
    );
  }
  for (const name of FILLED_BY_GATEWAY) {
    if (type.fields.has(name)) continue;
    const mend = 'add `cursor: Cursor!` and `gap: Gap`';
    issues.add('SHAPE_MISMATCH', type.node.name, `${type.name} has no '${name}'`, mend);
  }
  for (const [name, node] of type.fields) {
    if (name === entityField || FILLED_BY_GATEWAY.has(name)) continue;
    issues.add(
      'FIELD_WITHOUT_SOURCE',
      node,
      `an event does not bring '${type.name}.${name}'`,
      `ask for it below ${entityField}`,
    );
  }
}

/** The names that the select of an ingest yields; it compiled before. */
function selectedNames(ingest: IngestPlan, codes: CodeTables): readonly string[] {
  try {
    const { shape } = compileMapping(ingest.select.text, { codes });
    return shape.kind === 'object' ? [...shape.fields.keys()] : [];
  } catch (thrown) {
    if (thrown instanceof MappingError) return []; // Told where it was read first.
    throw thrown;
  }
}
