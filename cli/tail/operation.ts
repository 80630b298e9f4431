// The subscription that `weft tail` asks for: the field's arguments as variables, and what its events bring.
import {
  type GraphQLArgument,
  type GraphQLField,
  GraphQLInputObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
  parse,
} from 'graphql';
import type { TailArguments } from './arguments.ts';
import { wrongUse } from './arguments.ts';

export interface TailOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Objects within objects that a default selection looks into. */
const DEPTH_MAX = 2;
/** Of a default selection; what has more is shown by `--select`. */
const FIELDS_MAX = 40;

/** @throws OperatorError with exit code 2 when the schema has no such field or argument, or a value does not fit */
export function buildOperation(
  schema: GraphQLSchema,
  { field: name, args, select }: Pick<TailArguments, 'field' | 'args' | 'select'>,
): TailOperation {
  const fields = schema.getSubscriptionType()?.getFields() ?? {};
  const field = fields[name];
  if (field === undefined)
    throw wrongUse(`there is no live field ${name}: there are ${Object.keys(fields).join(', ') || 'none'}`);
  // The client asks each field to go on where it was.
  if (!field.args.some((one) => one.name === 'after'))
    throw wrongUse(
      `${name} has no cursor, since it is a live field of its system's own: follow it in the explorer, or over HTTP with accept: text/event-stream`,
    );
  const given = [...args].map(([argument, text]) => ({ argument: argumentOf(field, argument), text }));
  const missing = field.args.find((one) => isRequiredArgument(one) && !args.has(one.name));
  if (missing !== undefined)
    throw wrongUse(`${name} needs --arg ${missing.name}=… (${String(missing.type)})`);
  const declared = given.map(({ argument }) => `$${argument.name}: ${String(argument.type)}`).join(', ');
  const passed = given.map(({ argument }) => `${argument.name}: $${argument.name}`).join(', ');
  const selection = select === undefined ? defaultSelection(field) : checkedSelection(select);
  const inParentheses = (text: string) => (text === '' ? '' : `(${text})`);
  return {
    query: `subscription Tail${inParentheses(declared)} { ${name}${inParentheses(passed)} ${selection} }`,
    variables: Object.fromEntries(given.map(({ argument, text }) => [argument.name, coerce(argument, text)])),
  };
}

function argumentOf(field: GraphQLField<unknown, unknown>, name: string): GraphQLArgument {
  const argument = field.args.find((one) => one.name === name);
  if (argument !== undefined) return argument;
  const names = field.args.map((one) => one.name).join(', ');
  throw wrongUse(`${field.name} has no argument ${name}: it has ${names || 'none'}`);
}

/** A text as it stands, where the type takes one; JSON for all else. */
function coerce({ name, type }: GraphQLArgument, text: string): unknown {
  const nullable = getNullableType(type);
  if (isEnumType(nullable) && nullable.getValue(text) === undefined) {
    const names = nullable.getValues().map((value) => value.name);
    throw wrongUse(`${name}: expected ${names.join(' or ')}, got '${text}'`);
  }
  const isJson =
    isListType(nullable) ||
    nullable instanceof GraphQLInputObjectType ||
    ['Int', 'Float', 'Boolean'].includes(nullable.toString());
  if (!isJson) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw wrongUse(`--arg ${name}: expected JSON of ${String(type)}, got '${text}'`);
  }
}

function checkedSelection(text: string): string {
  const braced = text.trim().startsWith('{') ? text : `{ ${text} }`;
  try {
    parse(`{ field ${braced} }`);
    return braced;
  } catch (thrown) {
    throw wrongUse(
      `--select: expected fields like '{ incident { id title } }': ${(thrown as Error).message}`,
    );
  }
}

/** Scalars and enums, nearest first; nothing that has to be given an argument, and no lists of objects. */
function defaultSelection(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  if (!isObjectType(type)) return '';
  let left = FIELDS_MAX;
  const select = (of: GraphQLObjectType, depth: number): string => {
    const usable = Object.values(of.getFields()).filter((one) => !one.args.some(isRequiredArgument));
    const leaves = usable.filter((one) => isLeafType(getNullableType(one.type))).slice(0, left);
    left -= leaves.length;
    const objects =
      depth === DEPTH_MAX ? [] : usable.filter((one) => isObjectType(getNullableType(one.type)));
    const nested = objects.map((one) => {
      const inner = select(getNullableType(one.type) as GraphQLObjectType, depth + 1);
      return inner === '' ? '' : `${one.name} ${inner}`;
    });
    const all = [...leaves.map((one) => one.name), ...nested].filter((text) => text !== '');
    return all.length === 0 ? '' : `{ ${all.join(' ')} }`;
  };
  return select(type, 1);
}
