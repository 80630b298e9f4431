// The system that joins in story 6: 停车 parking, of a department, on the port that a demo keeps for it.
import { createServer, type IncomingMessage } from 'node:http';
import { OperatorError } from '@weft/core/errors';
import { buildSchema, graphql } from 'graphql';

const REQUEST_BYTES_MAX = 1_000_000;
const SERVED = buildSchema(`
  type Query { carParks: [CarPark!] _service: Service! }
  type CarPark { id: ID! name: String free: Int charge: Int }
  type Service { sdl: String! }
`);
const CAR_PARKS = [
  { id: 'p1', name: '观前街停车场', free: 12, charge: 500 },
  { id: 'p2', name: '山塘街停车场', free: 3, charge: 500 },
];

/** The SDL of a version whose car parks have these fields. */
export function parkingSdl(...fields: readonly string[]): string {
  return `type Query { carParks: [CarPark!] }\ntype CarPark { ${['id: ID!', ...fields].join(' ')} }\n`;
}

export interface JoiningSystem {
  readonly url: string;
  /** What it says to a gateway that asks whether it still is what was registered. */
  sdl: string;
  close(): Promise<void>;
}

/**
 * @param address of the running hub's demo, where a system may be registered
 * @throws OperatorError when somebody listens there already
 */
export async function startJoiningSystem(address: string): Promise<JoiningSystem> {
  const system = { url: address, sdl: parkingSdl(), close };
  const server = createServer(async (request, response) => {
    const answer = await answerTo(request, system).catch(() => ({
      errors: [{ message: 'expected GraphQL' }],
    }));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  const { hostname, port } = new URL(address);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new OperatorError(`${address} cannot be used: is story 6 played already?`, { cause })),
    );
    server.listen(Number(port), hostname, resolve);
  });
  return system;

  function close(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

async function answerTo(request: IncomingMessage, { sdl }: { readonly sdl: string }): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > REQUEST_BYTES_MAX) throw new OperatorError('the request is too large');
    chunks.push(chunk);
  }
  const { query, variables } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  const rootValue = { carParks: CAR_PARKS, _service: { sdl } };
  return graphql({ schema: SERVED, source: query, variableValues: variables, rootValue });
}
