// A live subgraph as a process of its own, to be stopped and killed by signals: prints its port, publishes twenty times a second.
import { startLiveSubgraph } from './live-subgraph.ts';

const PERIOD_MS = 50;

const subgraph = await startLiveSubgraph({
  name: 'traffic',
  field: 'changed',
  sdl: `type Query { n: Int } type Subscription { changed(road: ID): Change } type Change { id: ID! n: Int }`,
});
let n = 0;
setInterval(() => {
  n += 1;
  subgraph.publish({ id: 'a', n });
}, PERIOD_MS);
process.stdout.write(`${subgraph.port}\n`);
