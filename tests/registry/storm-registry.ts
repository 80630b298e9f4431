// The registries that a storm may have: a scripted one, whose publications cost nothing, and the registry's own process.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import { RELOAD_LIMITS } from '@weft/gateway/reload/limits';
import type { Subgraph } from '@weft/schema/compose';
import { composeInWorker } from '@weft/schema/compose-in-worker';
import { makeEvent } from '../events/event-log-suite.ts';
import type { LiveLog } from '../live/live-log.ts';
import { KEY } from './graph-rig.ts';
import { startRealRegistry } from './real-registry.ts';
import { startScriptedRegistry } from './scripted-registry.ts';

export interface StormRegistry {
  /** Settings of the gateways: where the registry is, its public keys, its cache is the caller's. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes the graph that of these systems: one publication, with its event in the log; returns its number. */
  publish(systems: readonly Subgraph[]): Promise<number>;
  close(): Promise<void>;
}

export interface StormSurroundings {
  /** For the files of keys. */
  readonly folder: string;
  readonly live: LiveLog;
  /** `host:port` of every system. */
  readonly hosts: readonly string[];
}

const ROOT = resolve(import.meta.dirname, '..', '..');

/** On the database of the log, in which it tells its publications. */
export async function openRealStormRegistry({
  folder,
  live,
  hosts,
}: StormSurroundings): Promise<StormRegistry> {
  await migrateAll(live.databaseUrl, findMigrationOwners(ROOT));
  return await startRealRegistry({ folder, databaseUrl: live.databaseUrl, hosts });
}

export async function openScriptedStormRegistry({ folder, live }: StormSurroundings): Promise<StormRegistry> {
  const registry = await startScriptedRegistry({ subgraphKeys: [KEY] });
  const [keys, publicKeys] = [join(folder, 'keys.json'), join(folder, 'registry.pub.pem')];
  writeFileSync(keys, JSON.stringify({ subgraphKeys: [KEY] }));
  writeFileSync(publicKeys, registry.publicKeysPem);
  return {
    env: {
      WEFT_KEYS_FILE: keys,
      WEFT_REGISTRY_URL: registry.url,
      WEFT_REGISTRY_PUBLIC_KEYS_FILE: publicKeys,
    },
    async publish(systems) {
      const plain = systems.map(({ name, url, sdl }) => ({ name, url, sdl }));
      const composition = await composeInWorker(plain, RELOAD_LIMITS);
      if (composition.errors !== undefined) throw new Error(JSON.stringify(composition.errors));
      const subgraphs = systems.map(({ name, url }) => ({ name, url }));
      const publication = registry.publish({ supergraphSdl: composition.supergraphSdl, subgraphs });
      const { variant, hash } = registry.signed();
      const event = makeEvent(`publication-${publication}`, { variant, publication, hash });
      await live.append('supergraph', event);
      return publication;
    },
    close: () => registry.stop(),
  };
}
