// The files that the gateway's settings name: manifest and keys, read and checked.
import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { readJson } from '@weft/core/read-json';
import { SUBGRAPH_KEYS } from '@weft/core/signatures/keys';
import { z } from 'zod';
import type { Policy } from './authority/requirement.ts';
import { type SubscriptionSetting, subscriptionAddress, UPSTREAM_PROTOCOLS } from './upstream/settings.ts';

const SUBSCRIPTIONS = z.strictObject({
  url: z.url().optional(),
  protocol: z.enum(UPSTREAM_PROTOCOLS).optional(),
});

const MANIFEST = z.object({
  subgraphs: z
    .array(
      z.object({
        name: z.string().min(1),
        url: z.url(),
        sdlFile: z.string().optional(),
        subscriptions: SUBSCRIPTIONS.optional(),
      }),
    )
    .min(1, 'expected at least one subgraph'),
});

const KEYS = z
  .object({
    cursorKeys: z
      .array(z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/), secret: z.string().min(32) }))
      .min(1, 'expected at least one key')
      .optional(),
    subgraphKeys: SUBGRAPH_KEYS.optional(),
  })
  .refine((keys) => keys.cursorKeys !== undefined || keys.subgraphKeys !== undefined, {
    message: 'expected cursorKeys, subgraphKeys or both',
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
  /** Where it takes subscriptions; undefined: at `url`, over graphql-transport-ws. */
  readonly subscriptions?: SubscriptionSetting | undefined;
}

/**
 * The members that a manifest names.
 * @throws OperatorError naming the file and what is wrong in it
 */
export function readManifest(file: string): readonly ManifestEntry[] {
  const { subgraphs } = readJson('WEFT_SUBGRAPHS_FILE', file, MANIFEST);
  return subgraphs.map(({ name, url, sdlFile, subscriptions }) => {
    if (subscriptions !== undefined) subscriptionAddress(name, url, subscriptions);
    const absolute = sdlFile === undefined ? undefined : resolve(dirname(file), sdlFile);
    return { name, url, sdlFile: absolute, ...(subscriptions && { subscriptions }) };
  });
}

/** @throws OperatorError naming the file and what is wrong in it */
export function readKeys(file: string): z.infer<typeof KEYS> {
  return readJson('WEFT_KEYS_FILE', file, KEYS);
}

/** @throws OperatorError naming the file and what is wrong in it */
export function readPolicies(file: string): readonly Policy[] {
  return readJson('WEFT_POLICIES_FILE', file, POLICIES).policies;
}

/** @throws OperatorError when the file is not there, or not to be read */
export function requireFile(setting: string, file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (thrown) {
    const code = (thrown as { readonly code?: string }).code ?? 'unreadable';
    throw new OperatorError(`${setting}: ${file} cannot be read (${code})`, { exitCode: 2, cause: thrown });
  }
}
