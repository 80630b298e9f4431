// `/metrics` on a server: the text that Prometheus reads.
import type { FastifyInstance } from 'fastify';

export interface MetricsText {
  readonly contentType: string;
  /** All metrics as they stand. */
  read(): Promise<string>;
}

export function registerMetrics(app: FastifyInstance, metrics: MetricsText): void {
  app.get('/metrics', async (_request, reply) =>
    reply
      .header('content-type', metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.read()),
  );
}
