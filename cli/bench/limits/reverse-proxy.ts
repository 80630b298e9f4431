// The bare limit of a query to one subgraph: a reverse proxy that passes both bodies through unread.
// Usage: node reverse-proxy.ts ORIGIN PORT
import { runProcess } from '@weft/core/process';
import { openDoor } from './http-door.ts';
import { openUpstream } from './upstream.ts';

const [origin = '', port = '0'] = process.argv.slice(2);

await runProcess('bench reverse proxy', async () => {
  const upstream = openUpstream(origin);
  return openDoor(Number(port), (body) => upstream.post('/products', body));
});
