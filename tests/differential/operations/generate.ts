// Generates an operation from a seed: a walk over the schema that clients see, with all that a client may write.
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
  validate,
} from 'graphql';
import type { Feature } from '../features.ts';
import type { Graph } from '../graph/model.ts';
import { createRandom, type Random } from '../random.ts';

export interface GeneratedOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly features: ReadonlySet<Feature>;
}

export interface OperationOptions {
  readonly withDefer: boolean;
}

interface Walk {
  readonly graph: Graph;
  readonly schema: GraphQLSchema;
  readonly random: Random;
  readonly variables: {
    readonly name: string;
    readonly type: string;
    readonly value: unknown;
    readonly isGiven: boolean;
  }[];
  readonly fragments: string[];
  readonly features: Set<Feature>;
  readonly withDefer: boolean;
  /** Fields that may still be added. */
  fieldsLeft: number;
  aliases: number;
}

const DEPTH_MAX = 5;
const FIELDS_MAX = 45;
const TRIES_MAX = 20;

/** A valid operation; chance may write fields that conflict, and then tries again. */
export function generateOperation(
  graph: Graph,
  schema: GraphQLSchema,
  seed: number,
  options: OperationOptions,
): GeneratedOperation {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const operation = writeOperation(graph, schema, createRandom(seed + tries * 7_919), options);
    if (validate(schema, parse(operation.query)).length === 0) return operation;
  }
  return { query: '{ __typename }', variables: {}, features: new Set(['__typename']) };
}

function writeOperation(
  graph: Graph,
  schema: GraphQLSchema,
  random: Random,
  { withDefer }: OperationOptions,
): GeneratedOperation {
  const walk: Walk = {
    graph,
    schema,
    random,
    variables: [],
    fragments: [],
    features: new Set(),
    withDefer,
    fieldsLeft: FIELDS_MAX,
    aliases: 0,
  };
  const mutation = schema.getMutationType();
  const isMutation = mutation !== null && mutation !== undefined && random.chance(12);
  const root = isMutation ? mutation : schema.getQueryType();
  if (root === null || root === undefined) throw new Error('the schema has no root');
  const names = Array.from({ length: 2 + random.below(2) }, () => random.pick(Object.keys(root.getFields())));
  const fields = names.map((name) => writeField(walk, root, name, 0));
  if (!isMutation && random.chance(6)) fields.push(writeIntrospection(walk));
  if (random.chance(8)) fields.push(writeTypename(walk));
  const declared = walk.variables.map(({ name, type }) => `$${name}: ${type}`).join(', ');
  const head = `${isMutation ? 'mutation' : 'query'} Op${declared === '' ? '' : `(${declared})`}`;
  const given = walk.variables.filter(({ isGiven }) => isGiven);
  return {
    query: [`${head} { ${fields.join(' ')} }`, ...walk.fragments].join('\n'),
    variables: Object.fromEntries(given.map(({ name, value }) => [name, value])),
    features: walk.features,
  };
}

function writeSelection(walk: Walk, type: GraphQLNamedType, depth: number): string {
  const { random } = walk;
  const parts: string[] = [];
  if (isInterfaceType(type) || isObjectType(type)) {
    const names = Object.keys(type.getFields());
    const composite = names.filter((name) => isComposite(type.getFields()[name]));
    const leaves = names.filter((name) => !composite.includes(name));
    parts.push(
      ...random.sample(leaves, 1 + random.below(4)).map((name) => writeField(walk, type, name, depth)),
    );
    if (depth < DEPTH_MAX) {
      const deeper = random.sample(composite, random.below(3));
      parts.push(...deeper.map((name) => writeField(walk, type, name, depth)));
    }
  }
  if (isAbstractType(type)) {
    if (isUnionType(type) || random.chance(50)) parts.push(writeTypename(walk));
    const types = random.sample(walk.schema.getPossibleTypes(type), 1 + random.below(3));
    parts.push(...types.map((possible) => writeFragment(walk, possible, depth)));
  } else if (isObjectType(type) && random.chance(25)) {
    const above = random.chance(40) ? type.getInterfaces() : [];
    parts.push(writeFragment(walk, above.length > 0 ? random.pick(above) : type, depth));
  }
  if (parts.length === 0 || random.chance(15)) parts.push(writeTypename(walk));
  return `{ ${parts.join(' ')} }`;
}

function isComposite(field: GraphQLField<unknown, unknown> | undefined): boolean {
  const type = field === undefined ? undefined : getNamedType(field.type);
  return isObjectType(type) || isAbstractType(type);
}

function writeTypename(walk: Walk): string {
  walk.features.add('__typename');
  return walk.random.chance(25) ? `${aliasOf(walk)}: __typename` : '__typename';
}

function aliasOf(walk: Walk): string {
  walk.features.add('alias');
  walk.aliases += 1;
  // A name that the graph uses for something else is the alias that finds the most.
  return walk.random.chance(25)
    ? walk.random.pick(['id', 'tick', 'constructor', 'then', 'toString'])
    : `a${walk.aliases}`;
}

function writeField(
  walk: Walk,
  parent: GraphQLObjectType | GraphQLNamedType,
  name: string,
  depth: number,
): string {
  walk.fieldsLeft -= 1;
  const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
  if (field === undefined) throw new Error(`no field ${name}`);
  for (const feature of walk.graph.tags.get(`${parent.name}.${name}`) ?? []) walk.features.add(feature);
  const type = getNamedType(field.type);
  const args = writeArguments(walk, field.args);
  const isAliased = args !== '' || walk.random.chance(12);
  const alias = isAliased ? `${aliasOf(walk)}: ` : '';
  const condition = depth > 0 || walk.random.chance(30) ? writeCondition(walk) : '';
  if (!isComposite(field)) return `${alias}${name}${args}${condition}`;
  const selection =
    walk.fieldsLeft > 0 ? writeSelection(walk, type, depth + 1) : `{ ${writeTypename(walk)} }`;
  return `${alias}${name}${args}${condition} ${selection}`;
}

function writeCondition(walk: Walk): string {
  const { random } = walk;
  if (!random.chance(7)) return '';
  walk.features.add('@skip and @include');
  const isSkip = random.chance(50);
  // Mostly such that the field stays: an empty answer finds nothing.
  const value = random.chance(75) !== isSkip;
  const directives = isSkip ? ['skip', 'include'] : ['include', 'skip'];
  const given = random.chance(80) ? addVariable(walk, 'Boolean!', value) : String(value);
  const first = ` @${directives[0]}(if: ${given})`;
  if (!random.chance(10)) return first;
  return `${first} @${directives[1]}(if: ${addVariable(walk, 'Boolean!', random.chance(50))})`;
}

function addVariable(walk: Walk, type: string, value: unknown): string {
  const same = walk.variables.filter((known) => known.type === type && known.isGiven);
  if (type === 'Boolean!' && same.length > 0 && walk.random.chance(50))
    return `$${walk.random.pick(same).name}`;
  const name = `v${walk.variables.length}`;
  const isGiven = type.endsWith('!') || !walk.random.chance(15);
  walk.variables.push({ name, type, value, isGiven });
  return `$${name}`;
}

function writeFragment(walk: Walk, type: GraphQLNamedType, depth: number): string {
  walk.features.add('fragment');
  const { random } = walk;
  const selection =
    walk.fieldsLeft > 0 && depth < DEPTH_MAX
      ? writeSelection(walk, type, depth + 1)
      : `{ ${writeTypename(walk)} }`;
  const condition = writeCondition(walk) + writeDefer(walk);
  if (random.chance(65)) return `... on ${type.name}${condition} ${selection}`;
  const name = `F${walk.fragments.length}`;
  walk.fragments.push(`fragment ${name} on ${type.name} ${selection}`);
  return `...${name}${condition}`;
}

function writeDefer(walk: Walk): string {
  if (!walk.withDefer || !walk.random.chance(15)) return '';
  walk.features.add('@defer');
  walk.aliases += 1;
  return ` @defer(label: "d${walk.aliases}")`;
}

function writeIntrospection(walk: Walk): string {
  walk.features.add('introspection');
  const names = Object.keys(walk.schema.getTypeMap()).filter((name) => !name.startsWith('__'));
  const name = walk.random.pick(names);
  return walk.random.chance(60)
    ? `__type(name: "${name}") { kind name fields { name type { name kind ofType { name } } args { name defaultValue } } possibleTypes { name } enumValues { name } inputFields { name } interfaces { name } }`
    : '__schema { queryType { name fields { name } } mutationType { name } types { kind name } }';
}

function writeArguments(walk: Walk, args: readonly GraphQLArgument[]): string {
  const given = args.filter((arg) => isNonNullType(arg.type) || walk.random.chance(55));
  if (given.length === 0) return '';
  const written = given.map((arg) => {
    const value = valueFor(walk, arg.type, 0);
    const isVariable = walk.random.chance(40);
    return `${arg.name}: ${isVariable ? addVariable(walk, String(arg.type), value) : literal(value, arg.type)}`;
  });
  return `(${written.join(', ')})`;
}

function valueFor(walk: Walk, type: GraphQLInputType, depth: number): unknown {
  const { random } = walk;
  if (isNonNullType(type)) return valueFor(walk, type.ofType, depth) ?? valueFor(walk, type, depth);
  if (random.chance(8)) return null;
  if (isListType(type))
    return Array.from({ length: random.below(3) }, () => valueFor(walk, type.ofType, depth + 1));
  if (isEnumType(type)) return random.pick(type.getValues()).name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) =>
        (isNonNullType(field.type) && field.defaultValue === undefined) || (depth < 3 && random.chance(55)),
    );
    return Object.fromEntries(fields.map((field) => [field.name, valueFor(walk, field.type, depth + 1)]));
  }
  switch (type.name) {
    case 'Int':
      return random.below(5);
    case 'Float':
      return random.below(40) / 8;
    case 'Boolean':
      return random.chance(50);
    default:
      return random.pick(['x', 'm', '', '"', '路']) + random.below(3);
  }
}

function literal(value: unknown, type: GraphQLInputType): string {
  const inner = isNonNullType(type) ? type.ofType : type;
  if (value === null || value === undefined) return 'null';
  if (isListType(inner) && Array.isArray(value))
    return `[${value.map((item) => literal(item, inner.ofType)).join(', ')}]`;
  if (isEnumType(inner)) return String(value);
  if (isInputObjectType(inner)) {
    const fields = inner.getFields();
    const parts = Object.entries(value).map(([name, item]) => {
      const field = fields[name];
      return field === undefined ? '' : `${name}: ${literal(item, field.type)}`;
    });
    return `{ ${parts.join(', ')} }`;
  }
  return JSON.stringify(value);
}
