// A process that is there to be stopped by a signal: a subgraph, or clients with open sockets (`subgraph`, or `clients URL COUNT`).
import { startSubgraph } from '../gateway/subgraph-server.ts';
import { connectClient } from '../live/ws-client.ts';

const [role, url = '', count = '0'] = process.argv.slice(2);
switch (role) {
  case 'subgraph': {
    const server = await startSubgraph('stopped', 'type Query { stopped: Int }', {
      Query: { stopped: () => 1 },
    });
    process.send?.({ url: server.url });
    break;
  }
  case 'clients':
    for (let client = 0; client < Number(count); client += 1) await connectClient(url);
    process.send?.({ url });
    break;
  default:
    throw new Error(`there is no role ${role}`);
}
