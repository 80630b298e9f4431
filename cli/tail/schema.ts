// The schema of the gateway that is followed: asked for, or, where clients may not ask, read from the checkout.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { buildSchemas } from '@weft/gateway/plan/api-schema';
import {
  buildClientSchema,
  type GraphQLSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  parse,
} from 'graphql';
import { ROOT } from '../checkout.ts';

const ANSWER_MS_MAX = 10_000;

interface Answer {
  readonly data?: IntrospectionQuery | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

/** @throws OperatorError when nobody answers, or the token is refused */
export async function readSchema(url: string, token: string | undefined): Promise<GraphQLSchema> {
  const { data, errors } = await ask(url, token);
  if (data !== undefined && data !== null) return buildClientSchema(data);
  const [error] = errors ?? [];
  if (error?.extensions?.code === 'UNAUTHENTICATED') throw new OperatorError(error.message);
  // In production the gateway tells nobody its schema; this checkout's is that of its own hub.
  const stored = readFileSync(join(ROOT, 'schema', 'supergraph.graphql'), 'utf8');
  return buildSchemas(parse(stored, { noLocation: true })).apiSchema;
}

async function ask(url: string, token: string | undefined): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: getIntrospectionQuery({ descriptions: false }) }),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return (await response.json()) as Answer;
  } catch (cause) {
    throw new OperatorError(`no gateway answers at ${url}`, { cause });
  }
}
