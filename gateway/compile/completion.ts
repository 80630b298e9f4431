// Generates the completion of good data (GraphQL 2025-09, 6.4.3): at the first value that is not as it should be it gives up, and the slow completion says what is wrong and where.
import {
  type GraphQLInterfaceType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { Access } from '../authority/authority.ts';
import type { Variables } from '../execute/collect-fields.ts';
import type { DataObject } from '../execute/data.ts';
import { isWithinDepth } from '../fetch/depth.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import {
  type CollectOptions,
  collectGuarded,
  type GuardedNode,
  type GuardedSelection,
} from './collect-guarded.ts';
import { guardSource, type KnownConditions } from './conditions.ts';
import { instantiate, nameLiteral, propertySource, readSource, writeSource } from './source.ts';

/**
 * The client's data, or `GIVEN_UP`.
 * @param introspection answers of `__schema` and `__type`, by response name
 */
export type Complete = (
  data: DataObject,
  variables: Variables,
  introspection: Readonly<Record<string, unknown>>,
) => Record<string, unknown> | typeof GIVEN_UP;

export const GIVEN_UP = Symbol('the slow completion is needed');

/** Fields times types for which code is written; above it an operation is completed the slow way. */
const GENERATED_FIELDS_MAX = 10_000;

/** Undefined when the operation would need more code than `GENERATED_FIELDS_MAX`, or its conditions decide the order of fields. */
export function compileCompletion(
  schema: GraphQLSchema,
  planned: PlannedOperation,
  known: KnownConditions,
  depthMax: number,
): Complete | undefined {
  const writer: Writer = {
    options: { schema, fragments: planned.fragments, known },
    access: planned.access,
    functions: [],
    objects: new Map(),
    values: new Map(),
    nodeIds: new Map(),
    enums: [],
    depthMax,
    fields: 0,
    isOrderOpen: false,
  };
  const root = writeObject(writer, planned.rootType, [
    { selectionSet: planned.operation.selectionSet, guard: [] },
  ]);
  if (writer.fields > GENERATED_FIELDS_MAX || writer.isOrderOpen) return undefined;
  const source = `function giveUp() {
  throw GIVEN_UP;
}
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
${writer.functions.join('\n')}
return function complete(data, variables, introspection) {
  try {
    return ${root}(data, variables, introspection);
  } catch (thrown) {
    if (thrown === GIVEN_UP) return GIVEN_UP;
    throw thrown;
  }
};`;
  return instantiate<Complete>(source, { GIVEN_UP, isWithinDepth, enums: writer.enums });
}

interface Writer {
  readonly options: CollectOptions;
  /** Where something is forbidden the slow completion says so at its path. */
  readonly access: Access | undefined;
  readonly functions: string[];
  /** By type and selections, to the name of the function. */
  readonly objects: Map<string, string>;
  readonly values: Map<string, string>;
  readonly nodeIds: Map<object, number>;
  readonly enums: ReadonlySet<unknown>[];
  /** Nested lists and objects in a value of a custom scalar. */
  readonly depthMax: number;
  fields: number;
  /** A field stands at several places, and a condition that is not known here decides which is the first. */
  isOrderOpen: boolean;
}

const ARGUMENTS = 'variables, introspection';

function writeObject(
  writer: Writer,
  type: GraphQLObjectType | GraphQLInterfaceType,
  selections: readonly GuardedSelection[],
): string {
  const key = `${type.name} ${keyOf(writer, selections)}`;
  const known = writer.objects.get(key);
  if (known !== undefined) return known;
  const name = `object${writer.objects.size}`;
  writer.objects.set(key, name);
  const always: string[] = [];
  const guarded: string[] = [];
  for (const [responseName, nodes] of collectGuarded(writer.options, type, selections)) {
    writer.fields += 1;
    if (writer.fields > GENERATED_FIELDS_MAX) return name;
    if (isFirstOpen(nodes)) writer.isOrderOpen = true;
    const value = writeField(writer, type, responseName, nodes);
    if (value === undefined) continue;
    const guard = guardSource(nodes.map((node) => node.guard));
    // Once one field is conditional those after it are written one by one too: they keep the order of the selection.
    if (guard === undefined && guarded.length === 0) always.push(propertySource(responseName, value));
    else
      guarded.push(
        `${guard === undefined ? '' : `if (${guard}) `}${writeSource('out', responseName, value)}`,
      );
  }
  const literal = `{ ${always.join(', ')} }`;
  const body =
    guarded.length === 0
      ? `return ${literal};`
      : `const out = ${literal};\n  ${guarded.join('\n  ')}\n  return out;`;
  writer.functions.push(`function ${name}(data, ${ARGUMENTS}) {\n  ${body}\n}`);
  return name;
}

/** Whether the first of the nodes may be left out and a later one not. */
function isFirstOpen([first, ...others]: readonly GuardedNode[]): boolean {
  if (first === undefined || first.guard.length === 0) return false;
  return others.some(({ guard }) => {
    const needed = guard.map(({ variable, value }) => `${variable}=${value}`);
    return !first.guard.every(({ variable, value }) => needed.includes(`${variable}=${value}`));
  });
}

/** An expression for a field's completed value; undefined for a field that the schema has not. */
function writeField(
  writer: Writer,
  type: GraphQLObjectType | GraphQLInterfaceType,
  responseName: string,
  nodes: readonly GuardedNode[],
): string | undefined {
  const name = nodes[0]?.node.name.value ?? '';
  if (name === '__typename') return nameLiteral(type.name);
  if (name === '__schema' || name === '__type') return readSource('introspection', responseName);
  const definition = type.getFields()[name];
  if (definition === undefined) return undefined;
  if (nodes.some(({ node }) => writer.access?.isFieldForbidden(type.name, node) === true)) return 'giveUp()';
  const selections = nodes.flatMap(({ node, guard }) =>
    node.selectionSet === undefined ? [] : [{ selectionSet: node.selectionSet, guard }],
  );
  return `${writeValue(writer, definition.type, selections)}(${readSource('data', responseName)}, ${ARGUMENTS})`;
}

/** Writes a function that completes a value of the type; gives its name. */
function writeValue(
  writer: Writer,
  type: GraphQLOutputType,
  selections: readonly GuardedSelection[],
): string {
  const key = isCompositeType(getNamedType(type)) ? `${type} ${keyOf(writer, selections)}` : String(type);
  const known = writer.values.get(key);
  if (known !== undefined) return known;
  const name = `value${writer.values.size}`;
  writer.values.set(key, name);
  const isRequired = isNonNullType(type);
  const inner = isRequired ? type.ofType : type;
  const none = isRequired ? 'throw GIVEN_UP' : 'return null';
  writer.functions.push(`function ${name}(value, ${ARGUMENTS}) {
  if (value === null || value === undefined) ${none};
  ${valueSource(writer, inner, selections)}
}`);
  return name;
}

function valueSource(
  writer: Writer,
  type: GraphQLOutputType,
  selections: readonly GuardedSelection[],
): string {
  if (isListType(type)) {
    const item = writeValue(writer, type.ofType, selections);
    return `if (!Array.isArray(value)) throw GIVEN_UP;
  const out = new Array(value.length);
  for (let i = 0; i < value.length; i += 1) out[i] = ${item}(value[i], ${ARGUMENTS});
  return out;`;
  }
  if (isLeafType(type)) return leafSource(writer, type);
  if (isObjectType(type)) {
    const said = readSource('value', '__typename');
    return `if (!isObject(value) || (${said} !== undefined && ${said} !== ${nameLiteral(type.name)})) throw GIVEN_UP;
  return ${writeObject(writer, type, selections)}(value, ${ARGUMENTS});`;
  }
  if (!isAbstractType(type)) return 'throw GIVEN_UP;';
  // A subgraph that knows an interface as an object type says the interface's name.
  const own = isInterfaceType(type) && !dependsOnType(writer, type, selections) ? [type] : [];
  const cases = [...writer.options.schema.getPossibleTypes(type), ...own].map(
    (possible) =>
      `case ${nameLiteral(possible.name)}: return ${writeObject(writer, possible, selections)}(value, ${ARGUMENTS});`,
  );
  return `if (!isObject(value)) throw GIVEN_UP;
  switch (${readSource('value', '__typename')}) {
    ${cases.join('\n    ')}
    default: throw GIVEN_UP;
  }`;
}

/** Whether it must be known which of the interface's types an object is, under some variables at least. */
function dependsOnType(
  writer: Writer,
  type: GraphQLInterfaceType,
  selections: readonly GuardedSelection[],
): boolean {
  const fields = collectGuarded(writer.options, type, selections);
  if (fields.values().some(([first]) => first?.node.name.value === '__typename')) return true;
  const { schema } = writer.options;
  return schema.getPossibleTypes(type).some((possible) => {
    const ofType = collectGuarded(writer.options, possible, selections);
    // What a type is asked beyond the interface stands in fragments on it.
    return (
      ofType.size !== fields.size ||
      ofType.entries().some(([name, nodes]) => nodes.length !== fields.get(name)?.length)
    );
  });
}

const INT_MAX = 2_147_483_648;

/** Leaves are checked, not converted, except that a whole number is taken for an ID. */
function leafSource(writer: Writer, type: GraphQLLeafType): string {
  if (isEnumType(type)) {
    const number = writer.enums.push(new Set(type.getValues().map((value) => value.name))) - 1;
    return `if (enums[${number}].has(value)) return value; throw GIVEN_UP;`;
  }
  switch (type.name) {
    case 'Int':
      return `if (Number.isInteger(value) && value <= ${INT_MAX} && value >= -${INT_MAX}) return value; throw GIVEN_UP;`;
    case 'Float':
      return `if (typeof value === 'number') return value; throw GIVEN_UP;`;
    case 'String':
      return `if (typeof value === 'string') return value; throw GIVEN_UP;`;
    case 'Boolean':
      return `if (typeof value === 'boolean') return value; throw GIVEN_UP;`;
    case 'ID':
      return `if (typeof value === 'string') return value; if (Number.isInteger(value)) return String(value); throw GIVEN_UP;`;
    default:
      return `if (typeof value !== 'object' || isWithinDepth(value, ${writer.depthMax})) return value; throw GIVEN_UP;`;
  }
}

/** Equal for equal selections under equal guards. */
function keyOf(writer: Writer, selections: readonly GuardedSelection[]): string {
  return selections
    .map(({ selectionSet, guard }) => {
      const id = writer.nodeIds.getOrInsertComputed(selectionSet, () => writer.nodeIds.size);
      return `${id}${guard.map(({ variable, value }) => `${value ? '+' : '-'}${variable}`).join('')}`;
    })
    .join(' ');
}
