// One HTTP server for all subgraphs of a run: each has a path of its own.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Subgraph } from './subgraph.ts';

export interface SubgraphServer {
  /** Serves the subgraph until it is removed; the URL is new each time. */
  add(subgraph: Subgraph): string;
  remove(url: string): void;
  close(): Promise<void>;
}

export async function startSubgraphServer(): Promise<SubgraphServer> {
  const subgraphs = new Map<string, Subgraph>();
  const http = createServer((request, response) => void answer(subgraphs, request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  let count = 0;
  return {
    add(subgraph) {
      count += 1;
      const path = `/${count}/${subgraph.name}`;
      subgraphs.set(path, subgraph);
      return origin + path;
    },
    remove: (url) => void subgraphs.delete(url.slice(origin.length)),
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

async function answer(
  subgraphs: ReadonlyMap<string, Subgraph>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { query, variables = {} } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const subgraph = subgraphs.get(request.url ?? '');
  const result = subgraph === undefined ? undefined : await subgraph.answer(query, variables ?? {});
  response
    .writeHead(result === undefined ? 404 : 200, { 'content-type': 'application/json' })
    .end(JSON.stringify(result ?? { errors: [{ message: `nothing is served at ${request.url}` }] }));
}
