// A second gateway beside that of a hub: another process with the same settings, but for its port and its copy of the graph.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hub } from '../support/hub.ts';
import { type StormGateway, startStormGateway } from './storm-gateway.ts';

/** Of the process that is copied: its channel to who started it. */
const ITS_OWN = ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'];

/** Its environment is read where Linux shows that of the first one. Resolves when it is ready. */
export function startSecondGateway(hub: Hub): Promise<StormGateway> {
  return startStormGateway({
    ...environmentOf(hub.pid('gateway')),
    PORT: '0',
    WEFT_REGISTRY_CACHE: join(hub.home, 'graph-of-the-second'),
    WEFT_LOG_LEVEL: 'silent',
  });
}

function environmentOf(pid: number): Readonly<Record<string, string>> {
  const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const entries = pairs.flatMap((pair) => {
    const at = pair.indexOf('=');
    return at === -1 ? [] : [[pair.slice(0, at), pair.slice(at + 1)] as const];
  });
  return Object.fromEntries(entries.filter(([name]) => !ITS_OWN.includes(name)));
}
