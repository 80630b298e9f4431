// Estimates what an operation costs before it is planned: objects times the length of the lists that they are in.
import { HubError } from '@weft/core/errors';
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import { type Amount, add, greatest, multiply, type VariableValues } from './amount.ts';
import { argumentsCost } from './arguments-cost.ts';
import type { CostRules } from './cost-rules.ts';

export interface CostOptions {
  readonly schema: GraphQLSchema;
  readonly rules: CostRules;
  /** Of a list of which nothing is said. */
  readonly listSizeAssumed: number;
}

/** A change costs more than to read what it answers, as Apollo's demand control has it. */
export const MUTATION_COST = 10;

export interface Estimating extends CostOptions {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Of the operation's variables, where they have one. */
  readonly defaults: VariableValues;
}

/** @throws HubError BAD_USER_INPUT when a list's size is not said where it has to be; so may what it returns */
export function estimateOperation(
  options: CostOptions,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Amount {
  const rootType = options.schema.getRootType(operation.operation);
  if (!rootType) return 0;
  const defaults = Object.fromEntries(
    (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue === undefined ? [] : [[variable.name.value, valueFromASTUntyped(defaultValue)]],
    ),
  );
  const own = operation.operation === 'mutation' ? MUTATION_COST : 0;
  return add([
    own,
    costOfSelection({ ...options, fragments, defaults }, operation.selectionSet, rootType, NO_SIZES),
  ]);
}

/** Field name to the length that the field above says of it. */
type Sizes = ReadonlyMap<string, Amount>;

const NO_SIZES: Sizes = new Map();

/** Fields of other object types than each other never stand in one object: the dearest counts. */
function costOfSelection(
  estimating: Estimating,
  { selections }: SelectionSetNode,
  parent: GraphQLCompositeType,
  sizes: Sizes,
): Amount {
  const always: Amount[] = [];
  const byType = new Map<string, Amount[]>();
  for (const node of selections) {
    const [type, cost] = costOfNode(estimating, node, parent, sizes);
    if (type === parent || !isObjectType(type)) always.push(cost);
    else byType.set(type.name, [...(byType.get(type.name) ?? []), cost]);
  }
  return add([...always, greatest([...byType.values()].map(add))]);
}

function costOfNode(
  estimating: Estimating,
  node: SelectionNode,
  parent: GraphQLCompositeType,
  sizes: Sizes,
): readonly [GraphQLCompositeType, Amount] {
  const { schema, fragments, defaults } = estimating;
  const asked = conditionOf(node, defaults);
  if (node.kind === Kind.FIELD)
    return [parent, multiply(asked, costOfField(estimating, node, parent, sizes))];
  const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
  if (fragment === undefined) return [parent, 0];
  const named = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
  const type = named !== undefined && isCompositeType(named) ? named : parent;
  return [type, multiply(asked, costOfSelection(estimating, fragment.selectionSet, type, sizes))];
}

function costOfField(
  estimating: Estimating,
  node: FieldNode,
  parent: GraphQLCompositeType,
  sizes: Sizes,
): Amount {
  const declares = isObjectType(parent) || isInterfaceType(parent);
  const field = declares ? parent.getFields()[node.name.value] : undefined;
  // Of introspection, which asks nobody.
  if (field === undefined) return 0;
  const coordinate = `${parent.name}.${field.name}`;
  const listSize = estimating.rules.listSizes.get(coordinate);
  const size = listSize === undefined ? undefined : sizeFrom(estimating, node, field, coordinate);
  const isSizingBelow = listSize !== undefined && listSize.sizedFields.length > 0;
  const below: Sizes =
    isSizingBelow && size !== undefined
      ? new Map(listSize.sizedFields.map((name) => [name, size]))
      : NO_SIZES;
  const type = getNamedType(field.type);
  const children =
    node.selectionSet !== undefined && isCompositeType(type)
      ? costOfSelection(estimating, node.selectionSet, type, below)
      : 0;
  const each = add([weightOf(estimating, coordinate, field), children]);
  const own = isSizingBelow ? undefined : size;
  const count = isList(field) ? (sizes.get(field.name) ?? own ?? estimating.listSizeAssumed) : 1;
  return add([argumentsCost(estimating, node, field, coordinate), multiply(count, each)]);
}

function isList({ type }: GraphQLField<unknown, unknown>): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

/**
 * Of one thing under the field: its own weight, else its type's, else one for an object and none for a leaf. What may be of
 * several types is as dear as the dearest.
 */
export function weightOf(
  { schema, rules: { weights } }: CostOptions,
  coordinate: string,
  field: GraphQLField<unknown, unknown>,
): number {
  const type = getNamedType(field.type);
  const own = weights.get(coordinate) ?? weights.get(type.name);
  if (own !== undefined) return own;
  if (!isAbstractType(type)) return isCompositeType(type) ? 1 : 0;
  return Math.max(1, ...schema.getPossibleTypes(type).map(({ name }) => weights.get(name) ?? 1));
}

/** The greatest slicing argument that is given, else the assumed size. */
function sizeFrom(
  { rules, defaults, listSizeAssumed }: Estimating,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  coordinate: string,
): Amount {
  const listSize = rules.listSizes.get(coordinate);
  const { slicingArguments = [], assumedSize = listSizeAssumed, requireOneSlicingArgument } = listSize ?? {};
  if (slicingArguments.length === 0) return assumedSize;
  const given = slicingArguments.flatMap((name) => {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    return value === undefined ? [] : [value];
  });
  const preset = slicingArguments.flatMap((name) => {
    const argument = field.args.find((candidate) => candidate.name === name);
    return typeof argument?.defaultValue === 'number' ? [argument.defaultValue] : [];
  });
  const sizeOf = (variables: VariableValues) => {
    const values = given.map((value) => valueFromASTUntyped(value, { ...defaults, ...variables }));
    const numbers = values.filter((value) => typeof value === 'number');
    const wanted = numbers.length > 0 ? numbers : preset;
    if (requireOneSlicingArgument === true && (numbers.length > 1 || wanted.length === 0))
      throw notOne(coordinate, slicingArguments);
    return wanted.length === 0 ? assumedSize : Math.max(0, ...wanted);
  };
  if (!given.some(({ kind }) => kind === Kind.VARIABLE)) return sizeOf({});
  return (variables) => (variables === undefined ? 0 : sizeOf(variables));
}

function notOne(coordinate: string, slicingArguments: readonly string[]): HubError {
  const message = `${coordinate} needs exactly one of the arguments ${slicingArguments.join(', ')}.`;
  return new HubError('BAD_USER_INPUT', message);
}

/** One when the node is asked for, nought when it is skipped. */
function conditionOf({ directives = [] }: SelectionNode, defaults: VariableValues): Amount {
  const conditions = directives.flatMap(({ name, arguments: given }) => {
    const value = given?.find((argument) => argument.name.value === 'if')?.value;
    if (value === undefined || (name.value !== 'skip' && name.value !== 'include')) return [];
    return [{ value, wanted: name.value === 'include' }];
  });
  if (conditions.length === 0) return 1;
  const isAsked = (variables: VariableValues) =>
    conditions.every(
      ({ value, wanted }) => valueFromASTUntyped(value, { ...defaults, ...variables }) === wanted,
    );
  if (!conditions.some(({ value }) => value.kind === Kind.VARIABLE)) return isAsked({}) ? 1 : 0;
  return (variables) => (variables !== undefined && isAsked(variables) ? 1 : 0);
}
