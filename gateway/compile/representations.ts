// Generates entity representations as JSON text, each distinct one once, key selection and input rewrites decided beforehand.
import { type GraphQLSchema, isCompositeType, Kind } from 'graphql';
import type { DataObject } from '../execute/data.ts';
import { isWithinDepth } from '../fetch/depth.ts';
import type { FetchStep, RequiredSelection } from '../plan/planner.ts';
import { isKnownTo, keysOf } from './entity-keys.ts';
import { type KnownTypes, NO_KNOWN_TYPES } from './known-types.ts';
import { casesOf, type PendingRewrite, type RepresentationField } from './required-fields.ts';
import { instantiate, nameLiteral, readSource } from './source.ts';

/** The representations of one `_entities` call while they are gathered. */
export interface Batch {
  /** JSON, in the order of the call. */
  readonly texts: string[];
  readonly byText: Map<string, number>;
  /** For types whose key is one scalar: from the raw value. */
  readonly byKey: readonly Map<unknown, number>[];
}

/**
 * Adds what is not in the batch yet. Gives for each object the number of its representation, or -1 when something
 * required never arrived: to ask with half of what a resolver needs would be to take a failure elsewhere for an answer.
 */
export type AddRepresentations = (batch: Batch, objects: readonly DataObject[]) => number[];

export interface Representations {
  readonly add: AddRepresentations;
  createBatch(): Batch;
}

/** @param schema the supergraph's whole schema, hidden types included */
export function compileRepresentations(
  schema: GraphQLSchema,
  step: Pick<FetchStep, 'system' | 'requires' | 'inputRewrites'> & Partial<Pick<FetchStep, 'path'>>,
  known: KnownTypes = NO_KNOWN_TYPES,
): Representations {
  const writer: Writer = { schema, known, functions: [], keys: 0 };
  const path = step.path ?? [];
  const rewrites = step.inputRewrites.map((rewrite) => ({ rewrite, at: 0 }));
  const { cases, otherwise } = casesOf(schema, step.requires ?? [], rewrites);
  const sent = cases.filter(({ typeName, fields }) => hasKey(schema, step.system, typeName, fields));
  const branches = sent.map(({ typeName, fields }) => ({
    typeName,
    source: `return ${entitySource(writer, typeName, fields, path)};`,
  }));
  const rest = (typeName: string | undefined) => `return ${entitySource(writer, typeName, otherwise, path)};`;
  const source = `${RUNTIME}
function addOne(batch, object) {
  ${typeSwitch('object', known.at(path), branches, rest, "if (typeof type !== 'string') return -1;")}
}
${writer.functions.join('\n')}
return function add(batch, objects) {
  const numbers = new Array(objects.length);
  for (let i = 0; i < objects.length; i += 1) numbers[i] = addOne(batch, objects[i]);
  return numbers;
};`;
  return {
    add: instantiate<AddRepresentations>(source, { isWithinDepth, VALUE_DEPTH_MAX }),
    createBatch: () => ({
      texts: [],
      byText: new Map(),
      byKey: Array.from({ length: writer.keys }, () => new Map()),
    }),
  };
}

/** Nested lists and objects in a required value of a custom scalar. */
const VALUE_DEPTH_MAX = 100;

const RUNTIME = `function text(value) {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  return JSON.stringify(value);
}
function addText(batch, json) {
  if (json === undefined) return -1;
  let number = batch.byText.get(json);
  if (number === undefined) { number = batch.texts.push(json) - 1; batch.byText.set(json, number); }
  return number;
}`;

/**
 * What is done with an object of each type.
 * @param rest of a type that has no branch; its name where it is known beforehand
 * @param guard looks at `type`, what the object says of itself
 */
function typeSwitch(
  object: string,
  known: string | undefined,
  branches: readonly { readonly typeName: string; readonly source: string }[],
  rest: (typeName: string | undefined) => string,
  guard = '',
): string {
  if (known !== undefined) return branches.find(({ typeName }) => typeName === known)?.source ?? rest(known);
  const cases = branches.map(({ typeName, source }) => `case ${nameLiteral(typeName)}: ${source}`);
  return `const type = ${object}.__typename;
  ${guard}
  switch (type) {
    ${cases.join('\n    ')}
    default: ${rest(undefined)}
  }`;
}

interface Writer {
  readonly schema: GraphQLSchema;
  readonly known: KnownTypes;
  readonly functions: string[];
  keys: number;
}

/**
 * A plan for several types may require of one of them less than any key, or send it under a name that the subgraph does not
 * have: the subgraph could not tell which is meant.
 */
function hasKey(
  schema: GraphQLSchema,
  system: string,
  typeName: string,
  fields: readonly RepresentationField[],
): boolean {
  const typename = fields.find(isTypename)?.from;
  if (typename === undefined) return false;
  const sentName = 'constant' in typename ? String(typename.constant) : typeName;
  if (!isKnownTo(schema, system, sentName)) return false;
  const keys = keysOf(schema, system, sentName);
  const names = new Set(fields.map(({ sentAs }) => sentAs));
  return (
    keys.length === 0 ||
    keys.some(({ selections }) =>
      selections.every((node) => node.kind === Kind.FIELD && names.has(node.name.value)),
    )
  );
}

function isTypename(field: RepresentationField): boolean {
  return field.sentAs === '__typename';
}

/** An expression for the number of one entity's representation. */
function entitySource(
  writer: Writer,
  typeName: string | undefined,
  fields: readonly RepresentationField[],
  path: readonly string[],
): string {
  if (!fields.some(isTypename)) return '-1';
  const textOf = writeObject(writer, fields, typeName, path);
  const keyed = fields.filter((field) => !('constant' in field.from) && !isTypename(field));
  const [key, second] = keyed;
  const isOneScalar =
    typeName !== undefined && key !== undefined && second === undefined && key.selections === undefined;
  if (!isOneScalar || !('name' in key.from)) return `addText(batch, ${textOf}(object))`;
  const map = writer.keys;
  writer.keys += 1;
  const name = `addByKey${map}`;
  writer.functions.push(`function ${name}(batch, object) {
  const key = ${readSource('object', key.from.name)};
  if (key === undefined) return -1;
  if (typeof key !== 'string' && !Number.isFinite(key)) return addText(batch, ${textOf}(object));
  const known = batch.byKey[${map}];
  let number = known.get(key);
  if (number === undefined) { number = batch.texts.push(${textOf}(object)) - 1; known.set(key, number); }
  return number;
}`);
  return `${name}(batch, object)`;
}

/** Writes a function from an object to its JSON, or undefined when something is missing; gives its name. */
function writeObject(
  writer: Writer,
  fields: readonly RepresentationField[],
  typeName: string | undefined,
  path: readonly string[],
): string {
  const name = `object${writer.functions.push('') - 1}`;
  const number = writer.functions.length - 1;
  const reads: string[] = [];
  const parts = fields.map((field, index) => {
    const label = JSON.stringify(`${index === 0 ? '{' : ','}${nameLiteral(field.sentAs)}:`);
    if ('constant' in field.from) return `${label} + ${JSON.stringify(JSON.stringify(field.from.constant))}`;
    if (field.from.name === '__typename' && typeName !== undefined)
      return `${label} + ${JSON.stringify(nameLiteral(typeName))}`;
    const value = `value${index}`;
    const read = readSource('object', field.from.name);
    const below =
      field.selections === undefined
        ? undefined
        : writeNested(writer, field.selections, field.rewrites, [...path, field.from.name]);
    reads.push(`const ${value} = ${below === undefined ? read : `${below}(${read})`};
  if (${value} === undefined${below === undefined ? ` || (typeof ${value} === 'object' && !isWithinDepth(${value}, VALUE_DEPTH_MAX))` : ''}) return undefined;`);
    return `${label} + ${below === undefined ? `text(${value})` : value}`;
  });
  writer.functions[number] = `function ${name}(object) {
  ${reads.join('\n  ')}
  return ${parts.length === 0 ? `'{}'` : `${parts.join(' + ')} + '}'`};
}`;
  return name;
}

/** Writes a function from a nested value, list or null to its JSON; gives its name. */
function writeNested(
  writer: Writer,
  selections: readonly RequiredSelection[],
  rewrites: readonly PendingRewrite[],
  path: readonly string[],
): string {
  const { cases, otherwise } = casesOf(writer.schema, selections, rewrites);
  const branches = cases
    .filter(({ typeName }) => isCompositeType(writer.schema.getType(typeName)))
    .map(({ typeName, fields }) => ({
      typeName,
      source: `return ${writeObject(writer, fields, typeName, path)}(value);`,
    }));
  const rest = (typeName: string | undefined) =>
    `return ${writeObject(writer, otherwise, typeName, path)}(value);`;
  const name = `nested${writer.functions.length}`;
  writer.functions.push(`function ${name}(value) {
  if (value === undefined) return undefined;
  if (value === null) return 'null';
  if (Array.isArray(value)) {
    let json = '[';
    for (let i = 0; i < value.length; i += 1) {
      const item = ${name}(value[i]);
      if (item === undefined) return undefined;
      json += i === 0 ? item : ',' + item;
    }
    return json + ']';
  }
  if (typeof value !== 'object') return undefined;
  ${typeSwitch('value', writer.known.at(path), branches, rest)}
}`);
  return name;
}
