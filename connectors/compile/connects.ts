// Decodes `@connect` on entity types and fields to the plans of loaders and fields.
import { type ConstDirectiveNode, type FieldDefinitionNode, Kind } from 'graphql';
import type { BatchPlan, ConnectPlan } from '../plan.ts';
import { type ReadCall, readCall } from './calls.ts';
import { exactlyOne } from './choices.ts';
import { type Compilation, findSource, type ReadEntity, type ReadField } from './compilation.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { type PlacedMapping, type Readable, readMapping } from './mapping-arguments.ts';
import { readNumber } from './number-argument.ts';
import { readReference } from './references.ts';
import {
  findDirective,
  isListType,
  namedType,
  type ObjectType,
  ROOT_TYPES,
  singleKey,
} from './sdl-folder.ts';
import { checkAgainstSource } from './source-checks.ts';
import { readStoreEntity, readStoreField } from './stores.ts';
import { readWrite } from './writes.ts';

/** Which ways of gathering keys a protocol has; FAN_OUT and LOAD_ALL every one has. */
const BATCH_PROTOCOL: Readonly<Record<string, string>> = {
  LIST_PARAM: 'rest',
  JSON_BODY: 'rest',
  SOAP_ARRAY: 'soap',
  SQL_IN: 'sql',
};

/** The loader of an entity type. */
export function readEntity(
  type: ObjectType,
  directive: ConstDirectiveNode,
  compilation: Compilation,
): ReadEntity | undefined {
  const { issues } = compilation;
  const given = readArguments(directive, issues);
  if (given === undefined) return undefined;
  if (given.has('store')) return readStoreEntity(type, given, compilation);
  const batch = given.object('batch');
  if (given.has('write')) {
    issues.add(
      'MISPLACED',
      given.nodeOf('write'),
      'a loader writes nothing',
      'put it on a field of Mutation',
    );
  }
  if (batch === undefined) {
    const mend = 'add batch: { how: …, match: "<key>" }, FAN_OUT where the system has nothing better';
    issues.add('N_PLUS_ONE', directive, `${type.name} is loaded one by one`, mend);
    return undefined;
  }
  const keyField = singleKey(type, batch.text('match'));
  if (keyField === undefined) {
    issues.add(
      'COMPOSITE_KEY',
      type.node.name,
      `${type.name} has no key of one field`,
      'give it @key(fields: "<field>")',
    );
    return undefined;
  }
  if (batch.flag('many')) {
    issues.add('BAD_VALUE', batch.nodeOf('many'), 'a loader finds one for each key', 'leave out many');
  }
  const connect = readConnect(given, { batch: [keyField], env: undefined }, compilation);
  const batchPlan = connect && readBatch(batch, connect, keyField, compilation);
  if (connect === undefined || batchPlan === undefined) return undefined;
  return {
    plan: { type: type.name, keyField, connect: { ...connect.plan, batch: batchPlan } },
    select: connect.select,
  };
}

/** How a field is filled that has a `@connect` of its own. */
export function readField(
  type: ObjectType,
  field: FieldDefinitionNode,
  directive: ConstDirectiveNode,
  compilation: Compilation,
): ReadField | undefined {
  const given = readArguments(directive, compilation.issues);
  if (given === undefined) return undefined;
  const args = (field.arguments ?? []).map((argument) => argument.name.value);
  const parent: Readable = ROOT_TYPES.has(type.name) ? {} : { this: readableOfParent(type, field) };
  if (given.has('reference')) return readReference(given, field, { args, ...parent }, compilation);
  if (given.has('store')) return readStoreField(type, field, given, compilation);
  const batch = given.object('batch');
  if (batch !== undefined) return readBatchField(type, field, given, batch, compilation);
  const readable: Readable = { args, ...parent, env: undefined };
  const connect = readConnect(given, readable, compilation);
  const write = readWrite(type, field, given, readable, compilation);
  if (connect === undefined) return undefined;
  if (type.name === 'Mutation') checkWritable(connect.plan.source, directive, compilation);
  return {
    plan: {
      kind: 'call',
      connect: connect.plan,
      list: isListType(field.type),
      returnType: namedType(field.type),
      write,
    },
    select: connect.select,
  };
}

/** The parent's fields; of those that another system owns only what `@requires` asks for is there. */
function readableOfParent(type: ObjectType, field: FieldDefinitionNode): readonly string[] {
  const requires = findDirective(field.directives, 'requires')?.arguments?.[0]?.value;
  const required = requires?.kind === Kind.STRING ? requires.value.split(/[^A-Za-z0-9_]+/) : [];
  return [...type.fields]
    .filter(
      ([name, node]) => findDirective(node.directives, 'external') === undefined || required.includes(name),
    )
    .map(([name]) => name);
}

function readBatchField(
  type: ObjectType,
  field: FieldDefinitionNode,
  given: Arguments,
  batch: Arguments,
  compilation: Compilation,
): ReadField | undefined {
  const { issues } = compilation;
  const parentKeyField = singleKey(type);
  if (parentKeyField === undefined) {
    const mend = `give ${type.name} a key of one field, or leave out batch`;
    issues.add('COMPOSITE_KEY', given.node, `${type.name} has no key of one field to gather`, mend);
    return undefined;
  }
  if (batch.flag('many') !== isListType(field.type)) {
    const mend = batch.flag('many') ? 'make the field a list, or leave out many' : 'add many: true';
    issues.add(
      'SHAPE_MISMATCH',
      batch.nodeOf('many'),
      `many does not fit the type of '${field.name.value}'`,
      mend,
    );
  }
  const connect = readConnect(given, { batch: [parentKeyField], env: undefined }, compilation);
  const batchPlan = connect && readBatch(batch, connect, parentKeyField, compilation);
  if (connect === undefined || batchPlan === undefined) return undefined;
  return {
    plan: {
      kind: 'batch',
      connect: { ...connect.plan, batch: batchPlan },
      parentKeyField,
      returnType: namedType(field.type),
    },
    select: connect.select,
  };
}

interface ReadConnect extends ReadCall {
  readonly plan: ConnectPlan;
  readonly select: PlacedMapping;
  readonly given: Arguments;
}

/** @param readable what the call may read; the answer's mappings may read it too, and `$` besides */
function readConnect(
  given: Arguments,
  readable: Readable,
  compilation: Compilation,
): ReadConnect | undefined {
  const { issues } = compilation;
  const kind = exactlyOne(given, ['http', 'soap', 'sql', 'store', 'reference'] as const, '@connect', issues);
  if (kind === undefined || kind === 'reference' || kind === 'store') return undefined;
  const source = findSource(given, compilation);
  const call = readCall(kind, given, readable, issues);
  const answer: Readable = { ...readable, $: undefined };
  const select = readMapping(given, 'select', answer, issues);
  const failWhen = readMapping(given, 'failWhen', answer, issues);
  const emptyWhen = readMapping(given, 'emptyWhen', answer, issues);
  if (!given.has('select')) {
    issues.add(
      'MISSING_ARGUMENT',
      given.node,
      "@connect needs 'select' beside a call",
      'say what the answer becomes',
    );
  }
  if (source === undefined || call === undefined || select === undefined) return undefined;
  if (source.protocol !== call.call.protocol) {
    const message = `source '${source.name}' is ${source.protocol}, the call is ${kind}`;
    issues.add(
      'PROTOCOL_MISMATCH',
      given.nodeOf(kind),
      message,
      'call it in its own protocol, or name another source',
    );
    return undefined;
  }
  checkAgainstSource(given, source, call, issues);
  const mappings = { failWhen: failWhen?.mapping, emptyWhen: emptyWhen?.mapping, select: select.mapping };
  return { ...call, plan: { source: source.name, call: call.call, ...mappings }, select, given };
}

function readBatch(
  batch: Arguments,
  connect: ReadConnect,
  keyField: string,
  { issues }: Compilation,
): BatchPlan | undefined {
  const how = batch.requiredText('how') as BatchPlan['how'];
  const protocol = BATCH_PROTOCOL[how];
  if (protocol !== undefined && protocol !== connect.call.protocol) {
    const message = `${how} is for ${protocol}, the call is ${connect.call.protocol}`;
    issues.add(
      'PROTOCOL_MISMATCH',
      batch.nodeOf('how'),
      message,
      'gather the keys in a way that the protocol has',
    );
    return undefined;
  }
  const readsKeys = connect.mappings.some(({ mapping }) =>
    mapping.references.some(({ root }) => root === 'batch'),
  );
  if (how !== 'LOAD_ALL' && !readsKeys) {
    issues.add('BAD_MAPPING', batch.node, 'the call never reads the keys', `use $batch.${keyField} in it`);
  }
  if (how === 'LOAD_ALL' && readsKeys) {
    issues.add(
      'BAD_MAPPING',
      batch.node,
      'LOAD_ALL asks for everything, and the call reads keys',
      'leave out $batch',
    );
  }
  const keysMax = readNumber(batch, 'max', [1, 1_000], issues);
  const match = batch.requiredText('match');
  const { shape } = connect.select.mapping;
  if (shape.kind !== 'object' || !shape.fields.has(match)) {
    const message = `select yields no '${match}' to find the key by`;
    issues.add('KEY_NOT_IN_ANSWER', batch.nodeOf('match'), message, `add \`${match}: …\` to select`);
  }
  return keysMax === undefined ? undefined : { how, keysMax, match, many: batch.flag('many') };
}

function checkWritable(
  source: string,
  directive: ConstDirectiveNode,
  { sources, issues }: Compilation,
): void {
  if (sources.plans.get(source)?.readOnly !== true) return;
  const mend = 'set readOnly: false on the source when its owner allows it';
  issues.add('WRITE_ON_READ_ONLY', directive, `source '${source}' is read only`, mend);
}
