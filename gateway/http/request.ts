// Decodes a GraphQL request from a body or a query string (GraphQL over HTTP, section 5).
import { HubError } from '@weft/core/errors';

export interface GraphQLRequest {
  /** Absent when the document is sent by its hash or id. */
  readonly query?: string | undefined;
  readonly documentId?: unknown;
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** One request, or a batch of them. */
export type Decoded = GraphQLRequest | readonly GraphQLRequest[];

/**
 * @param batchRequestsMax requests that a list may have; 0 when lists are not taken
 * @throws HubError BAD_USER_INPUT naming the part that is wrong, or LIMIT_EXCEEDED for too long a list
 */
export function decodeBody(text: string, batchRequestsMax: number): Decoded {
  const value = parseJson(text, 'The body');
  if (!Array.isArray(value) || batchRequestsMax === 0) return decodeParameters(value);
  if (value.length === 0) throw bad('A list of requests has at least one.');
  if (value.length > batchRequestsMax) {
    const message = `A list has at most ${batchRequestsMax} requests.`;
    const details = { limit: 'batchRequestsMax', max: batchRequestsMax };
    throw new HubError('LIMIT_EXCEEDED', message, { details });
  }
  return value.map(decodeParameters);
}

/** @throws HubError BAD_USER_INPUT naming the parameter that is wrong */
export function decodeQueryString(parameters: URLSearchParams): GraphQLRequest {
  for (const name of ['query', 'documentId', 'operationName', 'variables', 'extensions']) {
    if (parameters.getAll(name).length > 1) throw bad(`The parameter ${name} is given more than once.`);
  }
  const json = (name: string) => {
    const text = parameters.get(name);
    return text === null || text === '' ? undefined : parseJson(text, `The parameter ${name}`);
  };
  return decodeParameters({
    query: parameters.get('query') ?? undefined,
    documentId: parameters.get('documentId') ?? undefined,
    operationName: parameters.get('operationName') || undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw bad(`${what} is not JSON.`, thrown);
  }
}

function decodeParameters(value: unknown): GraphQLRequest {
  if (!isRecord(value))
    throw bad('The body must be a JSON object with "query"; lists of requests are not taken.');
  const { query, documentId, operationName, variables, extensions } = value;
  // Whether one may be absent is for whoever looks for the document.
  if (!isAbsent(query) && typeof query !== 'string') throw bad('"query" must be a text.');
  if (!isAbsent(operationName) && typeof operationName !== 'string')
    throw bad('"operationName" must be a text.');
  if (!isAbsent(variables) && !isRecord(variables)) throw bad('"variables" must be an object.');
  if (!isAbsent(extensions) && !isRecord(extensions)) throw bad('"extensions" must be an object.');
  return {
    query: query ?? undefined,
    documentId,
    extensions,
    operationName: operationName ?? undefined,
    variables: variables ?? {},
  };
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(message: string, cause?: unknown): HubError {
  return new HubError('BAD_USER_INPUT', message, { cause });
}
