// The registry as production runs it: the process of the owned subgraphs on a database, which signs what gateways take.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Subgraph } from '@weft/schema/compose';
import { askSigned, startAsProcess } from '../support/owned-subgraphs.ts';
import { KEY } from './graph-rig.ts';
import { PUBLISH } from './signed-registry.ts';
import type { StormRegistry } from './storm-registry.ts';

const PUBLISHER = { subject: 'storm', roles: ['registry-admin'] };
const OWNER = 'storm-office';
const REASON = 'as the systems are now';
const REMOVE = `mutation ($name: ID!, $reason: String!) {
  removeSystem(name: $name, reason: $reason) { publication { number } }
}`;

export interface RealRegistry extends StormRegistry {
  /** SIGKILL. */
  kill(): Promise<void>;
}

export interface RealRegistryOptions {
  /** For the files of keys. */
  readonly folder: string;
  /** Migrated. */
  readonly databaseUrl: string;
  /** `host:port` of every system. */
  readonly hosts: readonly string[];
}

export async function startRealRegistry(options: RealRegistryOptions): Promise<RealRegistry> {
  const { folder, databaseUrl, hosts } = options;
  const fileOf = (name: string, content: string) => {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keysFile = fileOf('keys.json', JSON.stringify({ subgraphKeys: [KEY] }));
  const allowed = { WEFT_KEYS_FILE: keysFile, WEFT_REGISTRY_ALLOWED_HOSTS: [...new Set(hosts)].join(',') };
  const subgraphs = await startAsProcess(databaseUrl, {
    ...allowed,
    WEFT_ANONYMOUS_MAY: 'nothing',
    WEFT_REGISTRY_KEY_FILE: fileOf(
      'registry.pem',
      String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    ),
  });
  const url = subgraphs.urls.registry ?? '';
  const ask = async <Data>(query: string, variables: Record<string, unknown>): Promise<Data> => {
    const { data, errors } = await askSigned(url, KEY, PUBLISHER, query, variables);
    if (errors !== undefined) throw new Error(JSON.stringify(errors, null, 2));
    return data as Data;
  };
  const publisher = createPublisher(ask);
  return {
    env: {
      ...allowed,
      WEFT_REGISTRY_URL: url,
      WEFT_REGISTRY_PUBLIC_KEYS_FILE: fileOf(
        'registry.pub.pem',
        String(publicKey.export({ type: 'spki', format: 'pem' })),
      ),
    },
    publish: publisher,
    kill: async () => void (await subgraphs.kill()),
    close: async () => void (await subgraphs.stop()),
  };
}

type Ask = <Data>(query: string, variables: Record<string, unknown>) => Promise<Data>;

/** Makes the graph that of some systems: those that are gone are removed, the others published where they are new or changed. */
function createPublisher(ask: Ask): (systems: readonly Subgraph[]) => Promise<number> {
  let present: ReadonlyMap<string, string> = new Map();
  return async (systems) => {
    let publication = 0;
    const wanted = new Map(systems.map(({ name, sdl }) => [name, sdl]));
    for (const name of present.keys()) {
      if (wanted.has(name)) continue;
      const { removeSystem } = await ask<{ removeSystem: Made }>(REMOVE, { name, reason: REASON });
      publication = removeSystem.publication.number;
    }
    const changed = systems.filter(({ name, sdl }) => present.get(name) !== sdl);
    if (changed.length > 0) {
      const register = changed
        .filter(({ name }) => !present.has(name))
        .map(({ name }) => ({ name, owner: OWNER }));
      const versions = changed.map(({ name, url, sdl }) => ({ system: name, url, sdl }));
      const { publishVersions } = await ask<{ publishVersions: Made }>(PUBLISH, {
        input: { register, versions, reason: REASON },
      });
      publication = publishVersions.publication.number;
    }
    present = wanted;
    return publication;
  };
}

interface Made {
  readonly publication: { readonly number: number };
}
