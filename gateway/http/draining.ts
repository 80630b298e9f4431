// While the gateway is about to end, every answer asks its client to come back on another connection.
import type { FastifyInstance } from 'fastify';

/** Kept connections lead to this gateway only: a load balancer that pools them must let them go before it ends. */
export function registerDraining(app: FastifyInstance, isDraining: () => boolean): void {
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining()) reply.header('connection', 'close');
    done();
  });
}
