// The gateway's settings, read once from the environment.
import { dirname, resolve } from 'node:path';
import { logLevel, port, readConfig } from '@weft/core/config';
import { OperatorError } from '@weft/core/errors';
import { z } from 'zod';
import type { OnUnauthorized } from './authority/authority.ts';
import type { Policy } from './authority/requirement.ts';
import { createHeaderPicker } from './fetch/forwarded-headers.ts';
import { IDENTITY_SHAPE, type IdentitySettings, readIdentitySettings } from './identity/settings.ts';
import { readJson } from './read-json.ts';

const SHAPE = {
  PORT: port.default(4000),
  WEFT_HOST: z.string().default('127.0.0.1'),
  WEFT_LOG_LEVEL: logLevel,
  /** Where the event log is; without it subscriptions are refused and all else works. */
  DATABASE_URL: z.string().optional(),
  /** `{ "subgraphs": [{ "name", "url", "sdlFile" }] }`, files relative to the manifest. */
  WEFT_SUBGRAPHS_FILE: z.string().optional(),
  /** A composed supergraph; with a manifest beside it, the manifest's addresses hold. */
  WEFT_SUPERGRAPH_FILE: z.string().optional(),
  /** `{ "cursorKeys": [{ "id", "secret" }] }`: the first signs, all verify. */
  WEFT_KEYS_FILE: z.string().optional(),
  /** `apollo` runs the executor of `@apollo/gateway`, the reference that ours is compared with. */
  WEFT_ENGINE: z.enum(['weft', 'apollo']).default('weft'),
  /** The planner that is asked first; without it, the one that is right most often. */
  WEFT_PLANNER: z.enum(['apollo', 'hive']).optional(),
  /** Whether equal fetches of equal authority that are under way at the same moment share one answer. */
  WEFT_SHARE_IN_FLIGHT: z.enum(['true', 'false']).default('false'),
  /** `{ "policies": [{ "name", "roles", "scopes" }] }`: who meets which `@policy`; one that is not named is met by nobody. */
  WEFT_POLICIES_FILE: z.string().optional(),
  /** What becomes of an operation that asks for what its asker may not have: null where it would be, or no answer at all. */
  WEFT_UNAUTHORIZED: z.enum(['null', 'reject']).default('null'),
  /** Names of client headers that are sent on to every subgraph, with commas between them. */
  WEFT_FORWARDED_HEADERS: z.string().optional(),
  ...IDENTITY_SHAPE,
};

const MANIFEST = z.object({
  subgraphs: z
    .array(z.object({ name: z.string().min(1), url: z.url(), sdlFile: z.string().optional() }))
    .min(1, 'expected at least one subgraph'),
});

const KEYS = z.object({
  cursorKeys: z
    .array(z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/), secret: z.string().min(32) }))
    .min(1, 'expected at least one key'),
});

const NAMES = z.array(z.string().min(1)).default([]);

const POLICIES = z.object({
  policies: z.array(
    z
      .strictObject({ name: z.string().min(1), roles: NAMES, scopes: NAMES })
      .refine(({ roles, scopes }) => roles.length + scopes.length > 0, 'expected a role or a scope'),
  ),
});

export interface ManifestEntry {
  readonly name: string;
  readonly url: string;
  /** Absolute. */
  readonly sdlFile: string | undefined;
}

export interface GatewayConfig {
  readonly port: number;
  readonly host: string;
  readonly logLevel: string;
  readonly databaseUrl: string | undefined;
  readonly supergraphFile: string | undefined;
  /** Where `manifest` was read; when it changes it is read again. */
  readonly manifestFile?: string | undefined;
  /** Undefined when only a supergraph is given. */
  readonly manifest: readonly ManifestEntry[] | undefined;
  /** Default `weft`. */
  readonly engine?: 'weft' | 'apollo' | undefined;
  /** Undefined: the engine's choice. */
  readonly planner?: 'apollo' | 'hive' | undefined;
  /** Default false. */
  readonly shareInFlight?: boolean | undefined;
  /** Names of client headers that are sent on to every subgraph; default none. Checked by `createHeaderPicker`. */
  readonly forwardedHeaders?: readonly string[] | undefined;
  /** Who meets which `@policy`; default: nobody any. */
  readonly policies?: readonly Policy[] | undefined;
  /** Default `null`. */
  readonly onUnauthorized?: OnUnauthorized | undefined;
  /** Whose credentials are taken; default nobody's. */
  readonly identity?: IdentitySettings | undefined;
  /** Undefined: cursors are signed with a key of this process and die with it. */
  readonly cursorKeys: readonly { readonly id: string; readonly secret: string }[] | undefined;
}

/** @throws OperatorError naming every setting that is wrong */
export function readGatewayConfig(env: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const settings = readConfig(SHAPE, env);
  const {
    WEFT_SUBGRAPHS_FILE: manifestFile,
    WEFT_SUPERGRAPH_FILE: supergraphFile,
    WEFT_KEYS_FILE: keysFile,
    WEFT_POLICIES_FILE: policiesFile,
  } = settings;
  if (manifestFile === undefined && supergraphFile === undefined) {
    throw new OperatorError(
      'settings: no graph is given: set WEFT_SUPERGRAPH_FILE to a supergraph or WEFT_SUBGRAPHS_FILE to a manifest',
      { exitCode: 2 },
    );
  }
  return Object.freeze({
    port: settings.PORT,
    host: settings.WEFT_HOST,
    logLevel: settings.WEFT_LOG_LEVEL,
    databaseUrl: settings.DATABASE_URL,
    supergraphFile,
    manifestFile,
    engine: settings.WEFT_ENGINE,
    planner: settings.WEFT_PLANNER,
    shareInFlight: settings.WEFT_SHARE_IN_FLIGHT === 'true',
    forwardedHeaders: headerNames(settings.WEFT_FORWARDED_HEADERS),
    policies:
      policiesFile === undefined ? [] : readJson('WEFT_POLICIES_FILE', policiesFile, POLICIES).policies,
    onUnauthorized: settings.WEFT_UNAUTHORIZED,
    identity: readIdentitySettings(settings),
    manifest: manifestFile === undefined ? undefined : readManifest(manifestFile),
    cursorKeys: keysFile === undefined ? undefined : readJson('WEFT_KEYS_FILE', keysFile, KEYS).cursorKeys,
  });
}

/** @throws OperatorError naming a header that may not be forwarded */
function headerNames(list: string | undefined): readonly string[] {
  const names = (list ?? '').split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  try {
    createHeaderPicker(given);
  } catch (thrown) {
    throw new OperatorError(`WEFT_FORWARDED_HEADERS: ${(thrown as OperatorError).message}`, { exitCode: 2 });
  }
  return given;
}

/**
 * The members that a manifest names.
 * @throws OperatorError naming the file and what is wrong in it
 */
export function readManifest(file: string): readonly ManifestEntry[] {
  const { subgraphs } = readJson('WEFT_SUBGRAPHS_FILE', file, MANIFEST);
  return subgraphs.map(({ name, url, sdlFile }) => ({
    name,
    url,
    sdlFile: sdlFile === undefined ? undefined : resolve(dirname(file), sdlFile),
  }));
}
