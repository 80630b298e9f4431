// One POST to a subgraph with the least that a Node program can do: undici's dispatch, no promise machinery between.
import { HubError } from '@weft/core/errors';
import { Pool } from 'undici';

/** Sockets to the subgraphs. */
const CONNECTIONS_MAX = 100;
const HEADERS = { 'content-type': 'application/json', accept: 'application/json' };

export interface Upstream {
  /** The body of the answer, whatever its status. @throws HubError UPSTREAM_UNAVAILABLE when there is none */
  post(path: string, body: string | Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

/** @param origin scheme, host and port of the subgraphs */
export function openUpstream(origin: string): Upstream {
  const pool = new Pool(origin, { connections: CONNECTIONS_MAX, pipelining: 1, keepAliveTimeout: 60_000 });
  return {
    post: (path, body) =>
      new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        pool.dispatch(
          { path, method: 'POST', headers: HEADERS, body },
          {
            // undici refuses a handler that lacks one of these.
            onRequestStart: () => {},
            onResponseStart: () => {},
            onResponseData: (_controller, chunk) => void chunks.push(chunk),
            onResponseEnd: () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
            onResponseError: (_controller, cause) =>
              reject(new HubError('UPSTREAM_UNAVAILABLE', `${path} does not answer`, { cause })),
          },
        );
      }),
    close: () => pool.close(),
  };
}
