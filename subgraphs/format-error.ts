// What a caller of an owned subgraph may see of an error: a code of the closed list, and never a stack or a cause.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { fromStoreError } from './store.ts';

/** The status of an answer whose document could not be run at all. */
const STATUS_NOT_RUN = 400;

/** What Mercurius asks of an `errorFormatter`. Field errors travel with status 200: the gateway reads the body. */
export function formatExecution(
  execution: ExecutionResult,
  logger: Logger,
): { statusCode: number; response: ExecutionResult } {
  const given = execution.errors ?? [];
  const folded = given.flatMap(foldedErrors);
  const formatted = folded.length > 0 ? folded.map(formatDocumentError) : given.map(formatFieldError);
  for (const each of formatted) logUnexpected(each, logger);
  return {
    statusCode: folded.length > 0 ? STATUS_NOT_RUN : 200,
    response: { data: execution.data ?? null, errors: formatted.map(({ shown }) => shown) },
  };
}

interface FormattedError {
  readonly hubError: HubError;
  readonly shown: GraphQLError;
}

/** Mercurius folds all errors of a document that cannot be run into one. */
function foldedErrors(error: GraphQLError): readonly Error[] {
  const folded = (error.originalError as { errors?: unknown } | null | undefined)?.errors;
  return Array.isArray(folded) ? folded.filter((each) => each instanceof Error) : [];
}

/** GraphQL.js: a variable's value does not fit its type. */
const VARIABLE_VALUE =
  /^Variable "\$\w+" (got invalid value|of required type .* was not provided|of non-null type .* must not be null)/;

function formatDocumentError(error: Error): FormattedError {
  const graphqlError = error instanceof GraphQLError ? error : undefined;
  return format(documentError(error, graphqlError?.originalError), graphqlError);
}

function documentError(error: Error, originalError: Error | undefined | null): HubError {
  const { message } = error;
  const options = { cause: error };
  // A scalar has refused a value: its own words stand inside GraphQL's message.
  if (originalError instanceof HubError) return new HubError(originalError.code, message, options);
  if (VARIABLE_VALUE.test(message)) return new HubError('BAD_USER_INPUT', message, options);
  const code = message.startsWith('Syntax Error') ? 'GRAPHQL_PARSE_FAILED' : 'GRAPHQL_VALIDATION_FAILED';
  return new HubError(code, message, options);
}

function formatFieldError(error: GraphQLError): FormattedError {
  const { originalError, path, message } = error;
  if (originalError !== undefined && originalError !== null)
    return format(fromStoreError(originalError), error);
  // Without a path no field was run: GraphQL.js has refused a variable's value.
  const isInput = path === undefined;
  return format(
    isInput ? new HubError('BAD_USER_INPUT', message, { cause: error }) : HubError.from(error),
    error,
  );
}

function format(hubError: HubError, error: GraphQLError | undefined): FormattedError {
  const shown = new GraphQLError(hubError.message, {
    nodes: error?.nodes ?? null,
    source: error?.source ?? null,
    positions: error?.positions ?? null,
    path: error?.path ?? null,
    extensions: hubError.toExtensions(),
  });
  return { hubError, shown };
}

/** What is the caller's own mistake is no news to us. */
function logUnexpected({ hubError, shown }: FormattedError, logger: Logger): void {
  const { code, cause, message } = hubError;
  if (code === 'INTERNAL_SERVER_ERROR') logger.error({ err: cause, path: shown.path }, message);
  else if (code === 'STORE_UNAVAILABLE') logger.warn({ err: cause, path: shown.path }, message);
}
