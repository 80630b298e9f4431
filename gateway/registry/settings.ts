// The settings that have a gateway take its graph from the registry.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseAllowedHosts } from '@weft/core/address-guard';
import { OperatorError } from '@weft/core/errors';
import { z } from 'zod';
import { REGISTRY_LIMITS } from './limits.ts';

/** Of a file name too: the copy on the disk is called by it. */
const VARIANT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Of the environment, each by its name. */
export const REGISTRY_SHAPE = {
  /** The registry's subgraph, which gives the graph and takes usage; unset, the graph is that of the files. */
  WEFT_REGISTRY_URL: z.string().optional(),
  /** PEM, one or more Ed25519 public keys: a graph is signed with one of them, or refused. */
  WEFT_REGISTRY_PUBLIC_KEYS_FILE: z.string().optional(),
  /** Folder of the last good graph. */
  WEFT_REGISTRY_CACHE: z.string().optional(),
  /** Which supergraph of the registry is served. */
  WEFT_GRAPH_VARIANT: z
    .string()
    .regex(VARIANT, 'expected up to 64 letters, digits, _ and -')
    .default('current'),
  /** Exact `host:port` of systems in the registry's graph that may be private or on this machine, with commas between them. */
  WEFT_REGISTRY_ALLOWED_HOSTS: z.string().optional(),
};

export interface RegistrySettings {
  /** http or https. */
  readonly url: string;
  readonly variant: string;
  /** At least one, all Ed25519. */
  readonly publicKeys: readonly KeyObject[];
  /** Undefined: no copy is kept. */
  readonly cacheFolder: string | undefined;
  /** `host:port` of systems that may be anywhere. */
  readonly allowedHosts: ReadonlySet<string>;
}

type Given = Readonly<z.infer<z.ZodObject<typeof REGISTRY_SHAPE>>>;

/**
 * Undefined where no registry is set.
 * @throws OperatorError naming the setting or the file that is wrong
 */
export function readRegistrySettings(given: Given): RegistrySettings | undefined {
  const allowedHosts = parseAllowedHosts('WEFT_REGISTRY_ALLOWED_HOSTS', given.WEFT_REGISTRY_ALLOWED_HOSTS);
  const address = given.WEFT_REGISTRY_URL;
  if (address === undefined) return undefined;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw refusal(`WEFT_REGISTRY_URL: ${JSON.stringify(address)} is no http:// or https:// address`);
  const file = given.WEFT_REGISTRY_PUBLIC_KEYS_FILE;
  if (file === undefined)
    throw refusal(
      'WEFT_REGISTRY_PUBLIC_KEYS_FILE: WEFT_REGISTRY_URL needs the keys that its graphs are signed with',
    );
  return Object.freeze({
    url: url.href,
    variant: given.WEFT_GRAPH_VARIANT,
    publicKeys: readPublicKeys(file),
    cacheFolder: given.WEFT_REGISTRY_CACHE,
    allowedHosts,
  });
}

const PEM = /-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g;

/** @throws OperatorError naming the file and what is wrong in it */
function readPublicKeys(file: string): readonly KeyObject[] {
  const blocks = readText(file).match(PEM) ?? [];
  if (blocks.length === 0 || blocks.length > REGISTRY_LIMITS.publicKeysMax)
    throw refusal(
      `WEFT_REGISTRY_PUBLIC_KEYS_FILE: ${file} has ${blocks.length} public keys in PEM: expected 1 to ${REGISTRY_LIMITS.publicKeysMax}`,
    );
  return blocks.map((block, index) => {
    const key = publicKeyOf(block);
    if (key?.asymmetricKeyType === 'ed25519') return key;
    throw refusal(`WEFT_REGISTRY_PUBLIC_KEYS_FILE: ${file}: key ${index + 1} is not an Ed25519 public key`);
  });
}

function publicKeyOf(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    // The caller says which one it is.
    return undefined;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const code = (thrown as { readonly code?: string }).code ?? 'unreadable';
    throw refusal(`WEFT_REGISTRY_PUBLIC_KEYS_FILE: ${file} cannot be read (${code})`, thrown);
  }
}

function refusal(problem: string, cause?: unknown): OperatorError {
  return new OperatorError(problem, { exitCode: 2, cause });
}
