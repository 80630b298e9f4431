// Decodes a GraphQL request from a body or a query string (GraphQL over HTTP, section 5).
import { HubError } from '@weft/core/errors';

export interface GraphQLRequest {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** @throws HubError BAD_USER_INPUT naming the part that is wrong */
export function decodeBody(text: string): GraphQLRequest {
  return decodeParameters(parseJson(text, 'The body'));
}

/** @throws HubError BAD_USER_INPUT naming the parameter that is wrong */
export function decodeQueryString(parameters: URLSearchParams): GraphQLRequest {
  for (const name of ['query', 'operationName', 'variables', 'extensions']) {
    if (parameters.getAll(name).length > 1) throw bad(`The parameter ${name} is given more than once.`);
  }
  const json = (name: string) => {
    const text = parameters.get(name);
    return text === null || text === '' ? undefined : parseJson(text, `The parameter ${name}`);
  };
  return decodeParameters({
    query: parameters.get('query') ?? undefined,
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
  const { query, operationName, variables, extensions } = value;
  if (typeof query !== 'string' || query === '') throw bad('"query" must be a text that is not empty.');
  if (!isAbsent(operationName) && typeof operationName !== 'string')
    throw bad('"operationName" must be a text.');
  if (!isAbsent(variables) && !isRecord(variables)) throw bad('"variables" must be an object.');
  if (!isAbsent(extensions) && !isRecord(extensions)) throw bad('"extensions" must be an object.');
  return { query, operationName: operationName ?? undefined, variables: variables ?? {} };
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
