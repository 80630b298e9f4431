// Generates operations that reach a field: every way through the schema up to a length, in every form that a document can have.
import {
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
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';

export interface Way {
  readonly title: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether parts of the answer follow. */
  readonly isDeferred: boolean;
  /** Coordinates on the way, the last one's left out. */
  readonly passes: readonly string[];
}

interface Route {
  readonly operation: 'query' | 'mutation';
  /** Fields from the root, each with its arguments, and fragments between them. */
  readonly opening: string;
  readonly closing: string;
  /** Where the route ends: the type itself, or one that objects of it are met under. */
  readonly at: GraphQLNamedType;
  readonly passes: readonly string[];
}

const ROUTE_FIELDS_MAX = 3;
const ROUTES_MAX = 6;

/** @param schema what clients see */
export function waysTo(schema: GraphQLSchema, typeName: string, fieldName: string): readonly Way[] {
  const type = schema.getType(typeName);
  if (!isObjectType(type)) throw new Error(`${typeName} is no object type`);
  const field = type.getFields()[fieldName];
  if (field === undefined) throw new Error(`there is no ${typeName}.${fieldName}`);
  const ask = fieldText(schema, field);
  return routesTo(schema, type).flatMap((route) => formsOf(schema, route, type, field.name, ask));
}

function formsOf(
  schema: GraphQLSchema,
  { operation, opening, closing, at, passes }: Route,
  type: GraphQLObjectType,
  fieldName: string,
  ask: string,
): readonly Way[] {
  const way = (form: string, selection: string, more = '', head = ''): Way => ({
    title: `${passes.join(' ')} ${form}`,
    query: `${operation} Ask${head} { ${opening}${selection}${closing} }${more}`,
    variables: head === '' ? {} : { yes: true },
    isDeferred: selection.includes('@defer'),
    passes,
  });
  const onType = `... on ${type.name} { ${ask} }`;
  const isHere = at === type || (isInterfaceType(at) && fieldName in at.getFields());
  const plainly = isHere ? [way('plainly', ask), way('under an alias', ask.replace(/^/, 'other: '))] : [];
  const interfaces = type.getInterfaces().filter((one) => fieldName in one.getFields());
  return [
    ...plainly,
    way('in a fragment on the type', onType),
    way('beside __typename', `__typename ${onType}`),
    way(
      'in named fragments',
      '...A',
      ` fragment A on ${at.name} { ...B } fragment B on ${type.name} { ${ask} }`,
    ),
    way('under a condition', onType.replace('{', '@include(if: $yes) {'), '', '($yes: Boolean!)'),
    ...(operation === 'query' ? [way('deferred', onType.replace('{', '@defer {'))] : []),
    ...interfaces
      .filter(() => at === type || isAbstractType(at))
      .map(({ name }) => way(`in a fragment on ${name}`, `... on ${name} { ${ask} }`)),
    ...(schema.getQueryType() === at ? [way('in a fragment on the root', `... on Query { ${ask} }`)] : []),
  ];
}

function routesTo(schema: GraphQLSchema, target: GraphQLObjectType): readonly Route[] {
  const routes: Route[] = [];
  const visit = (at: GraphQLNamedType, route: Omit<Route, 'at'>): void => {
    if (routes.length >= ROUTES_MAX) return;
    if (mayBe(schema, at, target)) routes.push({ ...route, at });
    if (route.passes.length === ROUTE_FIELDS_MAX) return;
    for (const owner of ownersOf(schema, at)) {
      for (const field of Object.values(owner.getFields())) {
        const coordinate = `${owner.name}.${field.name}`;
        const below = getNamedType(field.type);
        const leads = isObjectType(below) || isAbstractType(below);
        if (!leads || route.passes.includes(coordinate)) continue;
        const [open, close] =
          isAbstractType(at) && owner !== at ? [`... on ${owner.name} { `, ' }'] : ['', ''];
        const next = {
          operation: route.operation,
          opening: `${route.opening}${open}${callText(schema, field)} { `,
          closing: ` }${close}${route.closing}`,
          passes: [...route.passes, coordinate],
        };
        visit(below, next);
      }
    }
  };
  for (const operation of ['query', 'mutation'] as const) {
    const root = operation === 'query' ? schema.getQueryType() : schema.getMutationType();
    if (root) visit(root, { operation, opening: '', closing: '', passes: [] });
  }
  return routes;
}

function mayBe(schema: GraphQLSchema, at: GraphQLNamedType, target: GraphQLObjectType): boolean {
  return at === target || (isAbstractType(at) && schema.isSubType(at, target));
}

function ownersOf(schema: GraphQLSchema, at: GraphQLNamedType) {
  if (isObjectType(at)) return [at];
  if (!isAbstractType(at)) return [];
  return [...(isInterfaceType(at) ? [at] : []), ...schema.getPossibleTypes(at)];
}

/** With arguments, and with something of its object where it is one. */
function fieldText(schema: GraphQLSchema, field: GraphQLField<unknown, unknown>): string {
  const below = getNamedType(field.type);
  const isComposite = isObjectType(below) || isAbstractType(below);
  return `${callText(schema, field)}${isComposite ? ' { __typename }' : ''}`;
}

function callText(schema: GraphQLSchema, { name, args }: GraphQLField<unknown, unknown>): string {
  const given = args.filter(isRequiredArgument).map((arg) => `${arg.name}: ${inputText(schema, arg.type)}`);
  return given.length === 0 ? name : `${name}(${given.join(', ')})`;
}

function inputText(schema: GraphQLSchema, type: GraphQLInputType): string {
  if (isNonNullType(type)) return inputText(schema, type.ofType);
  if (isListType(type)) return `[${inputText(schema, type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? 'null';
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(isRequiredInputField);
    return `{ ${fields.map((field) => `${field.name}: ${inputText(schema, field.type)}`).join(', ')} }`;
  }
  switch (type.name) {
    case 'Int':
    case 'Float':
      return '1';
    case 'Boolean':
      return 'true';
    case 'DateTime':
      return '"2026-11-29T00:00:00.000Z"';
    default:
      return '"1"';
  }
}
