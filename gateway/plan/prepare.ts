// From a document's text to an operation that can be executed: bounded, parsed, validated, planned, covered.
import { HubError } from '@weft/core/errors';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  Lexer,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  Source,
  TokenKind,
  validate,
} from 'graphql';
import type { EngineLimits } from '../limits.ts';
import { checkDocumentLimits } from './document-limits.ts';
import type { FetchStep, Plan, Planner, Step } from './planner.ts';

/** What execution needs of a prepared operation. */
export interface PlannedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly rootType: GraphQLObjectType;
  readonly plan: Plan;
}

export interface PrepareOptions {
  readonly schema: GraphQLSchema;
  readonly planner: Planner;
  readonly limits: EngineLimits;
}

/** The operation, or the errors for the client: each has a code. */
export function prepareOperation(
  options: PrepareOptions,
  query: string,
  operationName: string | undefined,
): PlannedOperation | { readonly errors: readonly GraphQLError[] } {
  try {
    const document = parseBounded(query, options.limits);
    refuseRootConditions(document);
    const errors = validate(options.schema, document);
    if (errors.length > 0)
      return { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) };
    return planDocument(options, document, operationName);
  } catch (thrown) {
    if (thrown instanceof GraphQLError) return { errors: [withCode(thrown, 'GRAPHQL_PARSE_FAILED')] };
    const error = HubError.from(thrown);
    return {
      errors: [new GraphQLError(error.message, { originalError: error, extensions: error.toExtensions() })],
    };
  }
}

function withCode(
  error: GraphQLError,
  code: 'GRAPHQL_PARSE_FAILED' | 'GRAPHQL_VALIDATION_FAILED',
): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null } = error;
  return new GraphQLError(error.message, {
    nodes,
    source,
    positions,
    path,
    extensions: { code, origin: 'HUB' },
  });
}

function parseBounded(query: string, limits: EngineLimits): DocumentNode {
  const bytes = Buffer.byteLength(query);
  if (bytes > limits.documentBytesMax) throw tooBig('documentBytesMax', 'bytes', limits.documentBytesMax);
  checkTokens(query, limits);
  const document = parse(new Source(query, 'GraphQL request'));
  checkDocumentLimits(document, limits);
  return document;
}

function tooBig(limit: keyof EngineLimits, what: string, max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `The document has more than ${max} ${what}.`, {
    details: { limit, max },
  });
}

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** Before parsing, which recurses: the lexer alone counts tokens and open brackets. */
function checkTokens(query: string, limits: EngineLimits): void {
  const lexer = new Lexer(new Source(query, 'GraphQL request'));
  let open = 0;
  for (let tokens = 0; lexer.advance().kind !== TokenKind.EOF; tokens += 1) {
    if (tokens >= limits.documentTokensMax)
      throw tooBig('documentTokensMax', 'tokens', limits.documentTokensMax);
    if (OPENING.has(lexer.token.kind)) open += 1;
    if (CLOSING.has(lexer.token.kind)) open -= 1;
    if (open > limits.documentBracketsMax) {
      throw tooBig('documentBracketsMax', 'brackets open at once', limits.documentBracketsMax);
    }
  }
}

function planDocument(
  options: PrepareOptions,
  document: DocumentNode,
  operationName: string | undefined,
): PlannedOperation {
  const operation = chooseOperation(document, operationName);
  const rootType = options.schema.getRootType(operation.operation);
  if (rootType === undefined || rootType === null) {
    throw new HubError('GRAPHQL_VALIDATION_FAILED', `The schema has no ${operation.operation} type.`);
  }
  const reserved = operation.variableDefinitions?.some(
    ({ variable }) => variable.name.value === 'representations',
  );
  if (reserved)
    throw new HubError('BAD_USER_INPUT', 'The variable name $representations is reserved: rename it.');
  const fragments = fragmentsOf(document);
  const plan = options.planner.plan(document, operation.name?.value);
  requireCoverage(operation, fragments, plan);
  return { document, operation, fragments, rootType, plan };
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

/** The planner may answer with a plan that lacks a field no subgraph can reach: that must not become a silent null. */
function requireCoverage(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  plan: Plan,
): void {
  const covered = new Set<string>();
  const fetches = plan.primary === undefined ? rootFetches(plan.steps) : [plan.primary];
  for (const fetch of fetches) {
    for (const field of rootFields(fetch.selection, (name) => fetch.fragments.get(name)))
      covered.add(responseName(field));
  }
  for (const field of rootFields(operation.selectionSet, (name) => fragments.get(name)?.selectionSet)) {
    if (field.name.value.startsWith('__') || covered.has(responseName(field))) continue;
    throw new HubError(
      'INTERNAL_SERVER_ERROR',
      `No system can be reached for the field ${field.name.value}.`,
    );
  }
}

function rootFetches(step: Step | undefined): readonly FetchStep[] {
  if (step === undefined) return [];
  switch (step.kind) {
    case 'fetch':
      return step.path.length === 0 && step.requires === undefined ? [step] : [];
    case 'condition':
      return [...rootFetches(step.whenTrue), ...rootFetches(step.whenFalse)];
    case 'sequence':
    case 'parallel':
      return step.steps.flatMap(rootFetches);
    default:
      return step satisfies never;
  }
}

/** Root fields with fragments expanded; those that a literal condition excludes are not planned and not returned. */
function rootFields(
  selectionSet: SelectionSetNode,
  fragmentNamed: (name: string) => SelectionSetNode | undefined,
): readonly FieldNode[] {
  return selectionSet.selections.flatMap((node) => {
    const excluded = node.directives?.some((directive) => {
      const value = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
      return value?.kind === Kind.BOOLEAN && value.value === (directive.name.value === 'skip');
    });
    if (excluded) return [];
    if (node.kind === Kind.FIELD) return [node];
    const body = node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : fragmentNamed(node.name.value);
    return body === undefined ? [] : rootFields(body, fragmentNamed);
  });
}

function responseName(field: FieldNode): string {
  return (field.alias ?? field.name).value;
}
