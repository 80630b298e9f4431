// From a document's text to an operation that can be executed: bounded, parsed, validated, planned, covered.
import { HubError } from '@weft/core/errors';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { admit } from '../authority/admit.ts';
import type { Access, Authority } from '../authority/authority.ts';
import type { CostOf } from '../cost/operation-cost.ts';
import type { OperationCost } from '../engine.ts';
import { ANONYMOUS, type Principal } from '../identity/principal.ts';
import type { EngineLimits } from '../limits.ts';
import { clientMessage } from './client-message.ts';
import { findUncovered } from './coverage.ts';
import type { Extent } from './document-limits.ts';
import { operationOf, REPRESENTATIONS } from './fetch-text.ts';
import { ALWAYS, type Guard } from './guards.ts';
import { orderVariables } from './normalise-selection.ts';
import { type BoundedDocument, parseBounded } from './parse-bounded.ts';
import { documentToPlan, hasDefer } from './planned-document.ts';
import { NO_OVERRIDES, type OverrideChoice, type Plan, type PlannerRequest } from './planner.ts';
import type { PlanMessage } from './planner-messages.ts';
import { PRIVATE_PREFIX } from './private-names.ts';
import { validateBounded } from './validate-bounded.ts';

/** What execution needs of a prepared operation. */
export interface PlannedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly rootType: GraphQLObjectType;
  /** For what its asker may have of the operation. */
  readonly plan: Plan;
  /** What is forbidden to its asker; undefined when nothing that the operation asks for is. */
  readonly access: Access | undefined;
  /** Numbers of the access rules that it touches, in order. */
  readonly usedRules: readonly number[];
  /** Of the operation with its fragments expanded. */
  readonly extent: Extent;
  readonly cost?: OperationCost | undefined;
}

export interface PrepareOptions {
  readonly schema: GraphQLSchema;
  readonly limits: EngineLimits;
  /** @throws HubError; `key` names the operation among all others */
  plan(key: string, message: PlanMessage): Promise<Plan>;
  /** Refuses what costs too much, before it is planned. */
  readonly costOf?: CostOf | undefined;
  /** Whether `@defer` is executed, and so in the schema; where it is not it is refused rather than ignored. */
  readonly incrementalDelivery?: boolean | undefined;
  /** Undefined: whoever asks may have all. */
  readonly authority?: Authority | undefined;
  /** Whether clients may ask for the schema, and are told names that are like a wrong one; default yes. */
  readonly introspection?: boolean | undefined;
}

export interface RequestErrors {
  readonly errors: readonly GraphQLError[];
}

/** The operation, or the errors for the client: each has a code. At once where nothing needs planning. */
export function prepareOperation(
  options: PrepareOptions,
  query: string,
  operationName: string | undefined,
  overrides: OverrideChoice = NO_OVERRIDES,
  principal: Principal = ANONYMOUS,
): PlannedOperation | RequestErrors | Promise<PlannedOperation | RequestErrors> {
  const failed = (thrown: unknown) => errorsFromThrown(thrown, options.introspection !== false);
  try {
    const bounded = parseBounded(query, options.limits);
    const { document } = bounded;
    refuseRootConditions(document);
    if (options.incrementalDelivery !== true && hasDefer(document)) throw deferRefused();
    const errors = validateBounded(document, options);
    if (errors.length > 0) return requestErrors(errors, options);
    const asked = { bounded, operationName, overrides, key: keyOf(query, operationName), principal };
    const planned = planDocument(options, asked);
    return planned instanceof Promise ? planned.catch(failed) : planned;
  } catch (thrown) {
    return failed(thrown);
  }
}

function requestErrors(
  errors: readonly GraphQLError[],
  { introspection }: Pick<PrepareOptions, 'introspection'>,
): RequestErrors {
  return {
    errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED', introspection !== false)),
  };
}

/** A key that no other text and name have. */
export function keyOf(query: string, operationName: string | undefined): string {
  return operationName === undefined ? `:${query}` : `${operationName.length}:${operationName}${query}`;
}

function errorsFromThrown(thrown: unknown, suggests: boolean): RequestErrors {
  if (thrown instanceof GraphQLError) return { errors: [withCode(thrown, 'GRAPHQL_PARSE_FAILED', suggests)] };
  const error = HubError.from(thrown);
  const message = clientMessage(error.message, suggests);
  return { errors: [new GraphQLError(message, { originalError: error, extensions: error.toExtensions() })] };
}

function deferRefused(): HubError {
  return new HubError(
    'GRAPHQL_VALIDATION_FAILED',
    '@defer: this gateway answers in one piece; send the operation without it.',
  );
}

function withCode(
  error: GraphQLError,
  code: 'GRAPHQL_PARSE_FAILED' | 'GRAPHQL_VALIDATION_FAILED',
  suggests: boolean,
): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null } = error;
  return new GraphQLError(clientMessage(error.message, suggests), {
    nodes,
    source,
    positions,
    path,
    extensions: { code, origin: 'HUB' },
  });
}

interface Asked {
  /** Valid. */
  readonly bounded: BoundedDocument;
  readonly operationName: string | undefined;
  readonly overrides: OverrideChoice;
  readonly key: string;
  readonly principal: Principal;
}

function planDocument(
  options: PrepareOptions,
  { bounded: { document, extents }, operationName, overrides, key, principal }: Asked,
): PlannedOperation | Promise<PlannedOperation> {
  const operation = chooseOperation(document, operationName);
  const rootType = options.schema.getRootType(operation.operation);
  if (rootType === undefined || rootType === null) {
    throw new HubError('GRAPHQL_VALIDATION_FAILED', `The schema has no ${operation.operation} type.`);
  }
  const reserved = operation.variableDefinitions?.some(
    ({ variable }) => variable.name.value === REPRESENTATIONS,
  );
  if (reserved)
    throw new HubError('BAD_USER_INPUT', 'The variable name $representations is reserved: rename it.');
  refuseReservedAliases(document);
  const fragments = fragmentsOf(document);
  const extent = extents.get(operation) ?? NO_EXTENT;
  const cost = options.costOf?.(operation, fragments);
  const asked = { operation, fragments, rootType };
  const admission = admit(options.schema, document, asked, options.authority, principal);
  const { access, usedRules, toAsk } = admission;
  const planned = (plan: Plan): PlannedOperation => ({
    ...asked,
    document,
    plan,
    access,
    usedRules,
    extent,
    cost,
  });
  // What was found of a plan is remembered by this key, and it is another plan for another authority.
  const toPlan: ToPlan = { ...toAsk, rootType, overrides, key: `${admission.key}${key}` };
  const plan = planOperation(options, toPlan);
  return plan instanceof Promise ? plan.then(planned) : planned(plan);
}

interface ToPlan {
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly rootType: GraphQLObjectType;
  readonly overrides: OverrideChoice;
  readonly key: string;
}

/** Each doubles the plans of a mutation whose order it decides on. */
const ORDER_VARIABLES_MAX = 4;

/**
 * Fields of a mutation are run in the order of CollectFields: where variables decide on it, there is a plan for each of
 * their values.
 * @throws HubError LIMIT_EXCEEDED: an order that may be the wrong one is no answer
 */
function planOperation(options: PrepareOptions, toPlan: ToPlan): Plan | Promise<Plan> {
  const { operation, fragments, rootType } = toPlan;
  if (operation.operation !== OperationTypeNode.MUTATION) return planKnowing(options, toPlan, ALWAYS);
  const variables = orderVariables(options.schema, fragments, rootType, operation.selectionSet);
  if (variables.length > ORDER_VARIABLES_MAX) {
    const message = `At most ${ORDER_VARIABLES_MAX} variables may decide on the order of a mutation's fields: name each field once.`;
    const details = { limit: 'ORDER_VARIABLES_MAX', max: ORDER_VARIABLES_MAX };
    throw new HubError('LIMIT_EXCEEDED', message, { details });
  }
  return planForEach(options, toPlan, variables, ALWAYS);
}

function planForEach(
  options: PrepareOptions,
  toPlan: ToPlan,
  variables: readonly string[],
  known: Guard,
): Plan | Promise<Plan> {
  const [variable, ...others] = variables;
  if (variable === undefined) return planKnowing(options, toPlan, known);
  const planFor = async (value: boolean) =>
    planForEach(options, toPlan, others, new Map([...known, [variable, value]]));
  return Promise.all([planFor(true), planFor(false)]).then(([whenTrue, whenFalse]) => ({
    ...(whenTrue.planner === undefined ? whenFalse : whenTrue),
    steps: { kind: 'condition', variable, whenTrue: whenTrue.steps, whenFalse: whenFalse.steps },
  }));
}

function planKnowing(
  options: PrepareOptions,
  { operation, fragments, rootType, overrides, key }: ToPlan,
  known: Guard,
): Plan | Promise<Plan> {
  const document = documentToPlan(options.schema, rootType, operation, fragments, known);
  if (document === undefined) return { steps: undefined, primary: undefined };
  const request = { document, operationName: operation.name?.value, overrides };
  const values = [...known].map(([name, value]) => `${name}=${value} `).join('');
  return planCovering(options, `${values}${key}`, request, (plan) =>
    findUncovered(options.schema, operationOf(document), NO_FRAGMENTS, plan),
  );
}

const NO_EXTENT: Extent = { fields: 0, aliases: 0, depth: 0, width: 0 };

/** The document to plan has none left. */
const NO_FRAGMENTS: ReadonlyMap<string, FragmentDefinitionNode> = new Map();

/** Under these names planners and execution keep what is theirs in the same objects. */
function refuseReservedAliases(document: DocumentNode): void {
  visit(document, {
    Field({ alias, name }) {
      if (alias === undefined) return;
      const isReserved =
        alias.value.startsWith(PRIVATE_PREFIX) ||
        alias.value.startsWith('_internal_qp_') ||
        (alias.value === '__typename' && name.value !== '__typename');
      if (isReserved)
        throw new HubError('BAD_USER_INPUT', `The alias ${alias.value} is reserved: rename it.`);
    },
  });
}

/**
 * A planner may answer with a plan that lacks a field: then the other one is asked, and when that knows no better it is an
 * error and never a silent null.
 */
async function planCovering(
  options: PrepareOptions,
  key: string,
  request: PlannerRequest,
  uncoveredBy: (plan: Plan) => string | undefined,
): Promise<Plan> {
  const plan = await options.plan(key, { request, avoid: undefined });
  const uncovered = uncoveredBy(plan);
  if (uncovered === undefined) return plan;
  const other = await options.plan(key, { request, avoid: plan.planner }).catch((thrown: unknown) => {
    throw unreachable(uncovered, thrown);
  });
  const still = uncoveredBy(other);
  if (still !== undefined) throw unreachable(still, undefined);
  return other;
}

function unreachable(coordinate: string, cause: unknown): HubError {
  const field = coordinate.slice(coordinate.indexOf('.') + 1);
  return new HubError('INTERNAL_SERVER_ERROR', `No system can be reached for the field ${field}.`, { cause });
}

/**
 * GraphQL 2025-09, 5.2.4.1: a subscription's root field is there or not whatever the variables say. Before validation,
 * which in graphql 16 throws on such a condition rather than reporting it.
 */
function refuseRootConditions(document: DocumentNode): void {
  const fragments = fragmentsOf(document);
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION || node.operation !== 'subscription') continue;
    if (!hasCondition(node.selectionSet, fragments, new Set())) continue;
    const message = "A subscription's root field takes neither @skip nor @include.";
    throw new HubError('GRAPHQL_VALIDATION_FAILED', message);
  }
}

function hasCondition(
  selectionSet: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  spread: Set<string>,
): boolean {
  return selectionSet.selections.some((node) => {
    if (node.directives?.some(({ name }) => name.value === 'skip' || name.value === 'include')) return true;
    if (node.kind === Kind.FIELD) return false;
    if (node.kind === Kind.INLINE_FRAGMENT) return hasCondition(node.selectionSet, fragments, spread);
    const fragment = fragments.get(node.name.value);
    if (fragment === undefined || spread.has(node.name.value)) return false;
    spread.add(node.name.value);
    return hasCondition(fragment.selectionSet, fragments, spread);
  });
}

function chooseOperation(document: DocumentNode, operationName: string | undefined): OperationDefinitionNode {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (operationName === undefined) {
    const [only, second] = operations;
    if (only !== undefined && second === undefined) return only;
    throw new HubError('BAD_USER_INPUT', 'The document has several operations: give operationName.');
  }
  const named = operations.find((operation) => operation.name?.value === operationName);
  if (named === undefined)
    throw new HubError('BAD_USER_INPUT', `The document has no operation named ${operationName}.`);
  return named;
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
}
