// What a field's arguments cost: what is weighed by `@cost`, and one for each input object.
import {
  type FieldNode,
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { type Amount, add, type VariableValues } from './amount.ts';
import type { CostRules } from './cost-rules.ts';

interface Valuing {
  readonly rules: CostRules;
  readonly defaults: VariableValues;
}

export function argumentsCost(
  { rules, defaults }: Valuing,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  coordinate: string,
): Amount {
  const amounts = (node.arguments ?? []).map((argument): Amount => {
    const declared = field.args.find(({ name }) => name === argument.name.value);
    if (declared === undefined) return 0;
    const own = rules.weights.get(`${coordinate}(${declared.name}:)`);
    const named = getNamedType(declared.type);
    if (!isInputObjectType(named)) return own ?? rules.weights.get(named.name) ?? 0;
    const costOf = (variables: VariableValues) => {
      const value = valueFromASTUntyped(argument.value, { ...defaults, ...variables });
      return value === null || value === undefined ? 0 : (own ?? 0) + valueCost(rules, value, declared.type);
    };
    if (!hasVariable(argument.value)) return costOf({});
    return (variables) => (variables === undefined ? 0 : costOf(variables));
  });
  return add(amounts);
}

function hasVariable(value: Parameters<typeof visit>[0]): boolean {
  let found = false;
  visit(value, {
    [Kind.VARIABLE]: () => {
      found = true;
    },
  });
  return found;
}

/** Each object its type's weight, one where nothing is said, and those of its fields. */
function valueCost(rules: CostRules, value: unknown, type: GraphQLInputType): number {
  if (value === null || value === undefined) return 0;
  if (isNonNullType(type)) return valueCost(rules, value, type.ofType);
  if (isListType(type)) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.reduce<number>((sum, item) => sum + valueCost(rules, item, type.ofType), 0);
  }
  if (!isInputObjectType(type)) return rules.weights.get(type.name) ?? 0;
  const fields = Object.values(type.getFields()).map((field) => {
    const given = (value as VariableValues)[field.name];
    if (given === undefined || given === null) return 0;
    return rules.weights.get(`${type.name}.${field.name}`) ?? valueCost(rules, given, field.type);
  });
  return fields.reduce((sum, cost) => sum + cost, rules.weights.get(type.name) ?? 1);
}
