// A small load balancer: polls readiness, sends each request to one gateway that is ready, and never tries a second one.
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LoadBalancer {
  readonly url: string;
  /** Ports of the gateways that it sends to now. */
  ready(): readonly number[];
  close(): Promise<void>;
}

interface Backend {
  readonly port: number;
  isReady: boolean;
}

/** A probe that takes longer says no. */
const PROBE_MS_MAX = 5_000;
/** Longer than its clients keep a connection, or both would use and close one at the same moment. */
const KEEP_ALIVE_MS = 60_000;

export async function startLoadBalancer(ports: readonly number[], pollMs: number): Promise<LoadBalancer> {
  const backends: readonly Backend[] = ports.map((port) => ({ port, isReady: false }));
  const agent = new Agent({ keepAlive: true });
  let turn = 0;
  const next = (): Backend | undefined => {
    const ready = backends.filter(({ isReady }) => isReady);
    turn += 1;
    return ready[turn % Math.max(1, ready.length)];
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) =>
    forward(next(), agent, request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const polls = backends.map((backend) => poll(backend, pollMs));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    ready: () => backends.filter(({ isReady }) => isReady).map(({ port }) => port),
    async close() {
      for (const stop of polls) stop();
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One probe after the other; returns how to stop. */
function poll(backend: Backend, pollMs: number): () => void {
  let isStopped = false;
  const probe = async () => {
    backend.isReady = await isReady(backend.port);
    if (!isStopped) setTimeout(() => void probe(), pollMs);
  };
  void probe();
  return () => {
    isStopped = true;
  };
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    });
    await response.text();
    return response.status === 200;
  } catch {
    // Nobody listens, or not in time.
    return false;
  }
}

function forward(
  backend: Backend | undefined,
  agent: Agent,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const fail = (why: string) => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502, { 'content-type': 'text/plain' }).end(why);
  };
  if (backend === undefined) {
    fail('no gateway is ready');
    return;
  }
  const { port } = backend;
  const { connection: _, ...headers } = request.headers;
  const options = { host: '127.0.0.1', port, path: request.url, method: request.method, headers, agent };
  const onward = httpRequest(options, (answer) => {
    const { connection: __, ...answered } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, answered);
    answer.once('error', (thrown) => fail(`${port}: ${thrown.message}`));
    answer.pipe(response);
  });
  onward.once('error', (thrown) => fail(`${port}: ${thrown.message}`));
  request.pipe(onward);
}
