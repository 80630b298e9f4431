// The subgraphs behind their paths: each distinct request is executed once, then answered from a table.
import { createExecutableSubgraph, type ExecutableSubgraph } from './executable.ts';
import { type Answer, frameResponse } from './ready-http.ts';
import { type FederationVersion, SUBGRAPHS, type SubgraphName, sdlOf } from './schemas.ts';

/** `GET /stats` and `GET /reset`: what was asked since the last reset. */
export interface SubgraphStats {
  readonly requests: number;
  /** Requests that were not in the table: executed, and dear. */
  readonly misses: number;
  /** Processor time of this program. */
  readonly cpuMs: number;
}

/** Distinct requests that are kept; more are executed each time. */
const TABLE_ENTRIES_MAX = 20_000;

interface Endpoint {
  readonly subgraph: ExecutableSubgraph;
  readonly table: Map<string, Buffer>;
}

export type SdlOf = (name: SubgraphName, version: FederationVersion) => string;

/** `/accounts` and so on speak Federation 2, `/v1/accounts` and so on Federation 1. */
export function createEndpoints(sdl: SdlOf = sdlOf): { readonly answer: Answer } {
  const endpoints = mapEndpoints(sdl);
  let requests = 0;
  let misses = 0;
  let cpuStart = process.cpuUsage();
  const stats = (): SubgraphStats => {
    const { user, system } = process.cpuUsage(cpuStart);
    return { requests, misses, cpuMs: (user + system) / 1_000 };
  };
  const answer: Answer = (method, path, body) => {
    const endpoint = endpoints.get(path);
    if (endpoint !== undefined && method === 'POST') {
      requests++;
      const ready = endpoint.table.get(body);
      if (ready !== undefined) return ready;
      misses++;
      return executeNew(endpoint, body);
    }
    if (path !== '/stats' && path !== '/reset') return NOT_FOUND;
    const told = frameResponse(JSON.stringify(stats()));
    if (path === '/reset') {
      requests = 0;
      misses = 0;
      cpuStart = process.cpuUsage();
    }
    return told;
  };
  return { answer };
}

function mapEndpoints(sdl: SdlOf): ReadonlyMap<string, Endpoint> {
  const prefixes: readonly (readonly [string, FederationVersion])[] = [
    ['/', 2],
    ['/v1/', 1],
  ];
  return new Map(
    prefixes.flatMap(([prefix, version]) =>
      SUBGRAPHS.map((name): [string, Endpoint] => [
        `${prefix}${name}`,
        { subgraph: createExecutableSubgraph(name, version, sdl), table: new Map() },
      ]),
    ),
  );
}

const NOT_FOUND = frameResponse('{"errors":[{"message":"not found"}]}', '404 Not Found');

function executeNew({ subgraph, table }: Endpoint, bodyLatin1: string): Buffer {
  let response: Buffer;
  try {
    const request: unknown = JSON.parse(Buffer.from(bodyLatin1, 'latin1').toString('utf8'));
    response = frameResponse(JSON.stringify(subgraph.execute(request)));
  } catch (thrown) {
    response = frameResponse(
      JSON.stringify({ errors: [{ message: (thrown as Error).message }] }),
      '400 Bad Request',
    );
  }
  if (table.size < TABLE_ENTRIES_MAX) table.set(bodyLatin1, response);
  return response;
}
