// Turns what execution reports into the errors that the gateway reads: code, system, path, and never a stack.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';

/** One error as it is sent. Its cause is logged here and goes no further. */
export function formatError(error: GraphQLError, system: string, logger: Logger): GraphQLFormattedError {
  const hubError = asHubError(error, system);
  if (hubError.code === 'INTERNAL_SERVER_ERROR')
    logger.error({ err: hubError.cause, path: error.path }, hubError.message);
  else logger.debug({ err: hubError, path: error.path }, 'field error');
  return {
    message: hubError.message,
    ...(error.locations === undefined ? {} : { locations: error.locations }),
    ...(error.path === undefined ? {} : { path: error.path }),
    extensions: hubError.toExtensions(),
  };
}

/** The whole answer; its HTTP status is 200 whenever something was executed, else that of the first error. */
export function formatExecution(
  execution: ExecutionResult,
  system: string,
  logger: Logger,
): { readonly statusCode: number; readonly response: ExecutionResult } {
  const errors = (execution.errors ?? [])
    .flatMap(withinMercurius)
    .map((error) => formatError(error, system, logger));
  const wasExecuted = execution.data !== null && execution.data !== undefined;
  const response = {
    data: execution.data ?? null,
    errors: errors as unknown as readonly GraphQLError[],
    ...(execution.extensions === undefined ? {} : { extensions: execution.extensions }),
  };
  const hasPath = errors.some((error) => error.path !== undefined);
  return { statusCode: wasExecuted || hasPath ? 200 : 400, response };
}

/** Mercurius puts what parsing and validation found into one error of its own. */
function withinMercurius(error: GraphQLError): readonly GraphQLError[] {
  const inner: unknown = (error.originalError as { errors?: unknown } | undefined)?.errors;
  return Array.isArray(inner) ? inner.filter((one) => one instanceof GraphQLError) : [error];
}

function asHubError(error: GraphQLError, system: string): HubError {
  const cause = error.originalError ?? error;
  if (cause instanceof HubError) return cause;
  if (error.path === undefined) return requestError(error);
  // A value that its GraphQL type refuses, or a null where none may be: the old system's, not ours to repeat.
  const isMisfit =
    cause instanceof GraphQLError || /^Cannot return null for non-nullable field/.test(error.message);
  if (!isMisfit) return HubError.from(cause);
  return new HubError('UPSTREAM_INVALID', `${system}: a value does not fit its type in the graph`, {
    system,
    cause,
  });
}

/** The document did not get as far as execution. */
function requestError(error: GraphQLError): HubError {
  const isParse = /^Syntax Error/.test(error.message);
  return new HubError(isParse ? 'GRAPHQL_PARSE_FAILED' : 'GRAPHQL_VALIDATION_FAILED', error.message);
}
