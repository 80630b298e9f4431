// Liveness and readiness: whether the process runs, and whether it should be sent requests, with reasons.
import type { FastifyInstance } from 'fastify';

export interface Readiness {
  /** False takes the gateway out of rotation: 503. */
  readonly ready: boolean;
  /** What does not work; a gateway may be ready and have reasons: it then serves without that part. */
  readonly reasons: readonly string[];
  /** The graph that is served. */
  readonly generation: {
    /** Hash of the supergraph with its addresses: equal on gateways that serve the same. */
    readonly id: string;
    readonly loadedAt: Date;
    /** By which number the registry published it; undefined of a graph of the files. */
    readonly publication?: number | undefined;
  };
  /** Set while the files or the registry hold a graph that cannot be served. */
  readonly refusedReload: { readonly at: Date; readonly reason: string } | undefined;
}

export function registerHealth(app: FastifyInstance, readiness: () => Promise<Readiness>): void {
  app.get('/health/live', async (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'live' }),
  );
  app.get('/health/ready', async (_request, reply) => {
    const { ready, ...told } = await readiness();
    const status = ready ? (told.reasons.length === 0 ? 'ready' : 'degraded') : 'not ready';
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status, ...told });
  });
}
