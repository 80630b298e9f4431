// One query over HTTP, in bounded time.

const ANSWER_MS_MAX = 10_000;

/**
 * @template Data what the document selects
 * @param {import('./documents.js').Document<Data>} query
 * @param {{ variables?: Readonly<Record<string, unknown>> | undefined, token?: string }} [options] token: a bearer of authority
 * @returns {Promise<{ data: Data | null, errors?: readonly import('./failures.js').GraphQLFailure[] }>}
 * @throws when no GraphQL answer came within 10 s
 */
export async function ask(query, { variables, token } = {}) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  }).catch((/** @type {Error} */ cause) => {
    throw new Error(cause.name === 'TimeoutError' ? '应答超时' : '枢纽没有应答', { cause });
  });
  const answer = await response.json().catch((/** @type {Error} */ cause) => {
    throw new Error(`应答无法识别（HTTP ${response.status}）`, { cause });
  });
  if (answer === null || typeof answer !== 'object' || !('data' in answer || 'errors' in answer)) {
    throw new Error(`应答无法识别（HTTP ${response.status}）`);
  }
  return answer;
}
