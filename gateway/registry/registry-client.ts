// Asks the registry's subgraph, by signed requests as any subgraph is asked; bounded in time and bytes.
import { HubError, OperatorError } from '@weft/core/errors';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { Pool } from 'undici';
import { z } from 'zod';
import { createSubgraphSigner, REQUEST_TYPE } from '../fetch/signing.ts';
import type { RegistryLimits } from './limits.ts';
import { SIGNED_SUPERGRAPH, type SignedSupergraph } from './signed-supergraph.ts';

/** The registry's name among the subgraphs, by which its key is found. */
const REGISTRY = 'registry';
/** One for the graph, one for usage. */
const CONNECTIONS_MAX = 2;

export interface RegistryClient {
  /**
   * The graph of now; without `payload` when it is that of `have`.
   * @throws OperatorError saying why there is none
   */
  supergraph(variant: string, have: string | undefined, signal: AbortSignal): Promise<SignedSupergraph>;
  /**
   * Runs any operation of the registry.
   * @returns its `data`
   * @throws OperatorError when no answer comes; RegistryRefusal when one comes with errors
   */
  ask(query: string, variables: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

export interface RegistryClientOptions {
  /** http or https. */
  readonly url: string;
  readonly subgraphKeys: readonly SubgraphKey[] | undefined;
  readonly limits: Pick<RegistryLimits, 'answerBytesMax' | 'startTimeoutMs'>;
}

const SUPERGRAPH_QUERY = `query GatewaySupergraph($variant: String!, $have: String) {
  supergraph(variant: $variant, have: $have) { variant publication hash publishedAt payload keyId signature }
}`;

const SUPERGRAPH_DATA = z.object({ supergraph: SIGNED_SUPERGRAPH.nullable() });

const ANSWER = z.object({
  data: z.unknown(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

/** The registry has answered, with an error. */
export class RegistryRefusal extends OperatorError {}

export function createRegistryClient({ url, subgraphKeys, limits }: RegistryClientOptions): RegistryClient {
  const place = new URL(url);
  const signer = createSubgraphSigner(REGISTRY, place, subgraphKeys);
  const pool = new Pool(place.origin, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: limits.startTimeoutMs },
  });
  const ask: RegistryClient['ask'] = async (query, variables, signal) => {
    const body = Buffer.from(JSON.stringify({ query, variables }));
    const headers = ['content-type', REQUEST_TYPE, 'accept', 'application/json'];
    const signed = signer === undefined ? headers : headers.concat(signer.sign(body, undefined));
    const path = `${place.pathname}${place.search}`;
    try {
      const response = await pool.request({ path, method: 'POST', headers: signed, body, signal });
      const text = await readBounded(response.body, limits.answerBytesMax);
      return dataOf(response.statusCode, text);
    } catch (thrown) {
      throw thrown instanceof OperatorError ? thrown : unreachable(thrown);
    }
  };
  return {
    ask,
    async supergraph(variant, have, signal) {
      const data = SUPERGRAPH_DATA.safeParse(
        await ask(SUPERGRAPH_QUERY, { variant, have: have ?? null }, signal),
      );
      if (!data.success) throw new OperatorError('the registry answers with something that is no graph');
      if (data.data.supergraph === null)
        throw new OperatorError(`the registry has published no graph of the variant ${variant}`);
      return data.data.supergraph;
    },
    close: () => pool.destroy(),
  };
}

async function readBounded(body: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new OperatorError(`the registry answers with more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Messages of the registry are the hub's own, and told. */
function dataOf(status: number, text: string): unknown {
  const parsed = ANSWER.safeParse(parseJson(text));
  if (!parsed.success)
    throw new OperatorError(`the registry answers with HTTP ${status}, and not with GraphQL`);
  const [error] = parsed.data.errors ?? [];
  if (error !== undefined) throw new RegistryRefusal(`the registry refuses: ${error.message}`);
  return parsed.data.data;
}

function unreachable(thrown: unknown): OperatorError {
  const { code } = HubError.from(thrown);
  const own = (thrown as { readonly code?: unknown }).code;
  const reason =
    code === 'DEADLINE_EXCEEDED' ? 'in time' : `(${typeof own === 'string' ? own : 'network error'})`;
  return new OperatorError(`the registry does not answer ${reason}`, { cause: thrown });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No form is of undefined: the caller says so.
    return undefined;
  }
}
