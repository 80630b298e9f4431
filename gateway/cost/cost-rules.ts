// What a supergraph says of costs: `@cost` and `@listSize` under whatever names it links them (https://specs.apollo.dev/cost/v0.1).
import { type ConstDirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';
import { readFeatures } from '../plan/supergraph-features.ts';

export interface ListSize {
  /** Where no slicing argument says it. */
  readonly assumedSize: number | undefined;
  /** Arguments that say how many the client wants, at least one of them. */
  readonly slicingArguments: readonly string[];
  /** Fields of the field's type that are the lists, instead of the field itself. */
  readonly sizedFields: readonly string[];
  readonly requireOneSlicingArgument: boolean;
}

export interface CostRules {
  /** By `Type`, `Type.field`, `Type.field(argument:)` and `Input.field`. */
  readonly weights: ReadonlyMap<string, number>;
  /** By `Type.field`. */
  readonly listSizes: ReadonlyMap<string, ListSize>;
}

/** Without the specification, no rules: every object costs one. */
export function readCostRules(document: DocumentNode): CostRules {
  const rules = { weights: new Map<string, number>(), listSizes: new Map<string, ListSize>() };
  const feature = readFeatures(document).find(({ name }) => name === 'cost');
  if (feature === undefined) return rules;
  const nameOf = (element: string, unnamed: string) =>
    feature.imports.get(`@${element}`)?.slice(1) ?? unnamed;
  const cost = nameOf('cost', feature.alias);
  const listSize = nameOf('listSize', `${feature.alias}__listSize`);
  const weigh = (coordinate: string, directives: readonly ConstDirectiveNode[] | undefined) => {
    const weight = Number(argumentsOf(directives, cost)?.weight);
    if (Number.isFinite(weight)) rules.weights.set(coordinate, weight);
  };
  for (const node of document.definitions) {
    if (!('name' in node) || node.name === undefined || node.kind === Kind.DIRECTIVE_DEFINITION) continue;
    const type = node.name.value;
    if ('directives' in node) weigh(type, node.directives as readonly ConstDirectiveNode[]);
    if (!('fields' in node)) continue;
    for (const field of node.fields ?? []) {
      const coordinate = `${type}.${field.name.value}`;
      weigh(coordinate, field.directives);
      if (field.kind !== Kind.FIELD_DEFINITION) continue;
      for (const argument of field.arguments ?? [])
        weigh(`${coordinate}(${argument.name.value}:)`, argument.directives);
      const sizes = argumentsOf(field.directives, listSize);
      if (sizes !== undefined) rules.listSizes.set(coordinate, listSizeFrom(sizes));
    }
  }
  return rules;
}

function argumentsOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
): Readonly<Record<string, unknown>> | undefined {
  const directive = directives?.find((candidate) => candidate.name.value === name);
  if (directive === undefined) return undefined;
  const values = directive.arguments?.map(({ name: { value }, value: given }) => [
    value,
    valueFromASTUntyped(given),
  ]);
  return Object.fromEntries(values ?? []);
}

function listSizeFrom(values: Readonly<Record<string, unknown>>): ListSize {
  const { assumedSize, slicingArguments, sizedFields, requireOneSlicingArgument } = values;
  return {
    assumedSize: typeof assumedSize === 'number' ? assumedSize : undefined,
    slicingArguments: namesFrom(slicingArguments),
    sizedFields: namesFrom(sizedFields),
    requireOneSlicingArgument: requireOneSlicingArgument !== false,
  };
}

/** One name may stand for a list of it (https://spec.graphql.org/September2025/#sec-List.Input-Coercion). */
function namesFrom(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((name) => typeof name === 'string');
}
