// A registry as production runs it, on a database of its own: it answers signed requests alone, as whoever the gateway says.
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { parseAllowedHosts } from '@weft/core/address-guard';
import { createLogger } from '@weft/core/logger';
import { createRequestSigner } from '@weft/core/signatures/sign';
import { openRegistryChecks } from '@weft/schema/registry-checks';
import type { Variants } from '@weft/subgraphs/registry/variants';
import { startSubgraphs } from '@weft/subgraphs/start';
import { createMigratedDatabase, type GraphQLAnswer } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

export interface Asker {
  readonly subject: string;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
  readonly department?: string;
}

/** Who publishes for a department. */
export const publisher = (department: string, subject = `${department}-1`): Asker => ({
  subject,
  department,
  scopes: ['registry:publish'],
});
export const approver = (department: string, subject = `${department}-2`): Asker => ({
  subject,
  department,
  scopes: ['registry:approve'],
});
export const ADMIN: Asker = { subject: 'root', roles: ['registry-admin'] };

/** Where the systems of these tests are said to be, the hub's own on a port of theirs. Nothing listens there, and nothing asks. */
export const ALLOWED = 'localhost:9100,localhost:9200';
export const SYSTEM_URL = 'http://localhost:9100/graphql';
export const HUB_URL = 'http://localhost:9200/graphql';

export interface SignedRegistry {
  readonly url: string;
  readonly publicKey: KeyObject;
  /** With which its gateways sign. */
  readonly key: { readonly id: string; readonly secret: string };
  readonly database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  /** As somebody; undefined: as nobody. */
  as(asker: Asker | undefined, query: string, variables?: Record<string, unknown>): Promise<GraphQLAnswer>;
  /** The data; fails with the errors where there are any. */
  data<Data>(asker: Asker | undefined, query: string, variables?: Record<string, unknown>): Promise<Data>;
  /** A second process on the same database. */
  close(): Promise<void>;
}

interface Options {
  readonly checks?: Parameters<typeof openRegistryChecks>[0];
  readonly seedFile?: string;
  readonly variants?: Variants;
  /** `host:port` of systems that are there, besides ALLOWED. */
  readonly hosts?: readonly string[];
  /** Of a registry that runs already. */
  readonly database?: SignedRegistry['database'];
}

export async function startRegistry(options: Options = {}): Promise<SignedRegistry> {
  const database = options.database ?? (await createMigratedDatabase());
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = { id: 'test', secret: randomBytes(32).toString('hex') };
  const start = () =>
    startSubgraphs({
      databaseUrl: database.url,
      host: '127.0.0.1',
      port: 0,
      subgraphKeys: [key],
      registry: {
        signingKey: privateKey,
        allowedHosts: parseAllowedHosts('test', [ALLOWED, ...(options.hosts ?? [])].join(',')),
        ...(options.checks && { checks: openRegistryChecks(options.checks) }),
        ...(options.variants && { variants: options.variants }),
        ...(options.seedFile === undefined ? {} : { seedFile: options.seedFile }),
      },
      logger: createLogger('subgraphs', 'silent'),
    });
  // The tests of a busy machine share its PostgreSQL, which may have no connection free for a moment.
  const hub = await waitFor('the registry to start', start, 60_000);
  const url = new URL(hub.urls.registry ?? '');
  const place = { method: 'POST', authority: url.host, target: url.pathname };
  const signer = createRequestSigner({ key, ...place, contentType: 'application/json' });
  const as: SignedRegistry['as'] = async (asker, query, variables = {}) => {
    const body = JSON.stringify({ query, variables });
    const principal = Buffer.from(JSON.stringify({ roles: [], scopes: [], ...asker })).toString('base64');
    const pairs = signer.sign(body, principal);
    const headers = Object.fromEntries(
      pairs.flatMap((name, index) => (index % 2 === 0 ? [[name, pairs[index + 1] ?? '']] : [])),
    );
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal: AbortSignal.timeout(60_000),
    });
    return { status: response.status, ...((await response.json()) as Omit<GraphQLAnswer, 'status'>) };
  };
  return {
    url: url.href,
    publicKey,
    key,
    database,
    as,
    async data<Data>(asker: Asker | undefined, query: string, variables: Record<string, unknown> = {}) {
      const { data, errors } = await as(asker, query, variables);
      if (errors !== undefined) throw new Error(JSON.stringify(errors, null, 2));
      return data as Data;
    },
    async close() {
      await hub.close();
      if (options.database === undefined) await database.drop();
    },
  };
}

/** The code of an answer's first error; undefined when it has none. */
export function codeOf({ errors }: GraphQLAnswer): unknown {
  return errors?.[0]?.extensions.code;
}

export interface Published {
  readonly publishVersions: {
    readonly changed: boolean;
    readonly publication: { readonly number: number };
    readonly versions: readonly { readonly id: string; readonly number: number }[];
  };
}

export const PUBLISH = `mutation ($input: PublishInput!) {
  publishVersions(input: $input) { changed publication { number } versions { id number } }
}`;

/** What publishes one system, and registers it where it is new. */
export function publishing(system: string, sdl: string, more: Record<string, unknown> = {}) {
  const { expectedVersion, ...others } = more;
  const version = {
    system,
    sdl,
    url: SYSTEM_URL,
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  };
  return { input: { register: [{ name: system }], versions: [version], ...others } };
}
