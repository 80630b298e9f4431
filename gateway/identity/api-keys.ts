// API keys: texts that their holder knows and we know only the hashes of, read from a file and again when it changes.
import { hash, timingSafeEqual } from 'node:crypto';
import type { Logger } from '@weft/core/logger';
import { readJson } from '@weft/core/read-json';
import { z } from 'zod';
import { RELOAD_LIMITS } from '../reload/limits.ts';
import { type FileWatch, watchFiles } from '../reload/watch-files.ts';
import { DEPARTMENT, DIVISION } from './claims.ts';
import { CredentialsRefused } from './credentials.ts';
import type { IdentityLimits } from './limits.ts';
import { createPrincipal, type Principal } from './principal.ts';

const ENTRY = z.strictObject({
  /** The principal's subject; never shown to be secret. */
  id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 . _ -'),
  /** Of the key's text, in UTF-8. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits in lower case'),
  roles: z.array(z.string().min(1)).default([]),
  scopes: z.array(z.string().min(1)).default([]),
  division: z.string().regex(DIVISION, 'expected a code of GB/T 2260').optional(),
  department: z
    .string()
    .regex(DEPARTMENT, 'expected a code of lower-case letters, digits and hyphens')
    .optional(),
  /** As of RFC 3339. */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

type Entry = z.infer<typeof ENTRY>;

interface ApiKey {
  /** Equal for two readings only when nothing of the entry has changed. */
  readonly text: string;
  readonly sha256: Buffer;
  readonly principal: Principal;
}

export interface ApiKeysOptions {
  readonly file: string;
  readonly limits: IdentityLimits;
  readonly logger: Logger;
  /** Called when the file was read again. */
  onChange(): void;
  readonly now?: (() => number) | undefined;
}

export interface ApiKeys {
  /** @throws CredentialsRefused */
  identify(key: unknown): Principal;
  /** Whether the principal is one of a key that is in the file as it was then. */
  holds(principal: Principal): boolean;
  /** Reads the file now; what cannot be used is logged, and the keys from before serve on. */
  reload(): void;
  close(): void;
}

/** @throws OperatorError naming the file and what is wrong in it */
export async function openApiKeys(options: ApiKeysOptions): Promise<ApiKeys> {
  const { file, limits, logger, now = Date.now } = options;
  let keys: readonly ApiKey[] = [];
  const reload = () => {
    try {
      keys = readKeys(file, limits.apiKeysMax, keys);
      logger.info({ apiKeys: keys.length }, 'the API keys were read again');
      options.onChange();
    } catch (err) {
      logger.error({ err }, 'the API keys cannot be read: those from before serve on');
    }
  };
  const watch: FileWatch = watchFiles({ limits: RELOAD_LIMITS, logger, onChange: reload });
  await watch.setFiles([file]);
  try {
    keys = readKeys(file, limits.apiKeysMax, []);
  } catch (thrown) {
    watch.close();
    throw thrown;
  }
  return {
    identify: (key) => find(keys, key, limits.apiKeyCharsMax, now()),
    holds: (principal) => keys.some((key) => key.principal === principal),
    reload,
    close: () => watch.close(),
  };
}

/** A key whose entry has not changed keeps its principal. */
function readKeys(file: string, keysMax: number, before: readonly ApiKey[]): readonly ApiKey[] {
  const known = new Map(before.map((key) => [key.text, key]));
  const entries = readJson('WEFT_API_KEYS_FILE', file, fileOf(keysMax)).apiKeys;
  return entries.map((entry) => known.get(JSON.stringify(entry)) ?? apiKeyOf(entry));
}

function fileOf(keysMax: number) {
  const isUnique = (entries: readonly Entry[], name: 'id' | 'sha256') =>
    new Set(entries.map((entry) => entry[name])).size === entries.length;
  return z.strictObject({
    apiKeys: z
      .array(ENTRY)
      .max(keysMax, `expected at most ${keysMax} keys`)
      .refine((entries) => isUnique(entries, 'id'), 'two keys have the same id')
      .refine((entries) => isUnique(entries, 'sha256'), 'two ids have the same key'),
  });
}

function apiKeyOf(entry: Entry): ApiKey {
  const { id, sha256, expiresAt, ...authority } = entry;
  const expiresAtMs = expiresAt === undefined ? undefined : Date.parse(expiresAt);
  return {
    text: JSON.stringify(entry),
    sha256: Buffer.from(sha256, 'hex'),
    principal: createPrincipal({ subject: id, ...authority, expiresAtMs }),
  };
}

/** Looks at every key, whichever fits: how long it takes tells nothing of which, or how nearly. */
function find(keys: readonly ApiKey[], given: unknown, charsMax: number, nowMs: number): Principal {
  if (typeof given !== 'string' || given === '' || given.length > charsMax)
    throw new CredentialsRefused('the API key is not a text of a fitting length');
  const digest = hash('sha256', given, 'buffer');
  let found: ApiKey | undefined;
  for (const key of keys) if (timingSafeEqual(key.sha256, digest)) found = key;
  if (found === undefined) throw new CredentialsRefused('nobody has this API key');
  if (nowMs >= (found.principal.expiresAtMs ?? Number.POSITIVE_INFINITY))
    throw new CredentialsRefused('the API key has ended');
  return found.principal;
}
