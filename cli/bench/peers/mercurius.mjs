// @mercuriusjs/gateway on Fastify: Federation 1, SDL pulled from the subgraphs. Usage: node mercurius.mjs ORIGIN PORT [--jit | --live]
import mercuriusGateway from '@mercuriusjs/gateway';
import Fastify from 'fastify';

// The bench that started this is gone.
process.on('disconnect', () => process.exit());

const [origin, port, flag] = process.argv.slice(2);
const app = Fastify({ logger: false });
app.register(mercuriusGateway, {
  jit: flag === '--jit' ? 1 : 0,
  subscription: flag === '--live' ? { fullWsTransport: false } : false,
  gateway: {
    services: ['accounts', 'inventory', 'products', 'reviews'].map((name) => ({
      name,
      url: `${origin}/v1/${name}`,
      mandatory: true,
      connections: 50,
      ...(flag === '--live' && name === 'reviews'
        ? { wsUrl: `${origin.replace('http', 'ws')}/v1/reviews`, wsConnectionParams: { reconnect: true } }
        : {}),
    })),
  },
});
await app.listen({ host: '127.0.0.1', port: Number(port) });
