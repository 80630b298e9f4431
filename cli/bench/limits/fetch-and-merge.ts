// The bare limit of the federated query: a program that knows the query, fetches by hand and merges by hand.
// Usage: node fetch-and-merge.ts ORIGIN PORT --plan paths|merged|reused
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { runProcess } from '@weft/core/process';
import { shapeAnswer } from './answer.ts';
import { openDoor } from './http-door.ts';
import { type FetchPlan, isPlanName, PLANS } from './plans.ts';
import { openUpstream } from './upstream.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { plan: { type: 'string', default: 'paths' } },
});
const [origin = '', port = '0'] = positionals;

await runProcess('bench fetch and merge', async () => {
  const upstream = openUpstream(origin);
  const plan = planNamed(values.plan);
  return openDoor(Number(port), async (body) => {
    // A server cannot know the query without reading it: the client's request is decoded as a gateway must.
    JSON.parse(body.toString('utf8'));
    return Buffer.from(JSON.stringify(shapeAnswer(await plan(upstream))));
  });
});

function planNamed(name: string): FetchPlan {
  if (isPlanName(name)) return PLANS[name];
  throw new OperatorError(`--plan: expected one of ${Object.keys(PLANS).join(', ')}, got '${name}'`, {
    exitCode: 2,
  });
}
