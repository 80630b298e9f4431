// The secrets of a home folder: made at random at the first start, kept in files that only their owner can read.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { z } from 'zod';

export interface Secrets {
  /** Folder with one file a secret, named as the SDL names it. */
  readonly directory: string;
  /** The gateway's: JSON `{ cursorKeys: [{ id, secret }], subgraphKeys: [{ id, secret }] }`. */
  readonly keysFile: string;
  /** The same `subgraphKeys` and nothing else, for those who verify. */
  readonly subgraphKeysFile: string;
  /** Ed25519, PEM: signs the checkpoints of the evidence. Its public key lies beside it as `evidence-key.pub.pem`. */
  readonly evidenceKeyFile: string;
  /** Ed25519, PEM: signs the graph for gateways. */
  readonly registryKeyFile: string;
  /** Its public key, PEM: for those who verify. */
  readonly registryPublicKeyFile: string;
  readonly hotlineAppKey: string;
  readonly hotlineWebhook: string;
  /** How the hub and the simulated departments know each other. */
  readonly departments: DepartmentSecrets;
}

export interface DepartmentSecrets {
  readonly urbanManagementApp: string;
  readonly urbanManagementHmac: string;
  /** `whsec_` and Base64 (Standard Webhooks). */
  readonly urbanManagementWebhook: string;
  /** `id:secret` */
  readonly marketSupervisionClient: string;
  readonly marketSupervisionWebhook: string;
}

/** Reads the secrets, and makes those that are missing. */
export function openSecrets(home: string): Secrets {
  const directory = join(home, 'secrets');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const keysFile = join(home, 'keys.json');
  const subgraphKeysFile = join(home, 'subgraph-keys.json');
  const { subgraphKeys } = openKeys(keysFile);
  writeSecret(subgraphKeysFile, JSON.stringify({ subgraphKeys }));
  const registryKey = openSigningKey(home, 'registry-key');
  return {
    directory,
    keysFile,
    subgraphKeysFile,
    evidenceKeyFile: openSigningKey(home, 'evidence-key').privateFile,
    registryKeyFile: registryKey.privateFile,
    registryPublicKeyFile: registryKey.publicFile,
    hotlineAppKey: secret(directory, 'hotline-app-key'),
    hotlineWebhook: secret(directory, 'hotline-webhook'),
    departments: {
      urbanManagementApp: secret(directory, 'urban-management-app', () => 'weft'),
      urbanManagementHmac: secret(directory, 'urban-management-hmac'),
      urbanManagementWebhook: secret(
        directory,
        'urban-management-webhook',
        () => `whsec_${randomBytes(32).toString('base64')}`,
      ),
      marketSupervisionClient: secret(directory, 'market-supervision-client', () => `weft:${randomText()}`),
      marketSupervisionWebhook: secret(directory, 'market-supervision-webhook'),
    },
  };
}

const KEY_KINDS = ['cursorKeys', 'subgraphKeys'] as const;

/** Adds a key of each kind that the file lacks, and leaves what it has. */
function openKeys(file: string): Readonly<Record<string, unknown>> {
  const kept = existsSync(file) ? readKeys(file) : {};
  const missing = KEY_KINDS.filter((kind) => kept[kind] === undefined);
  if (missing.length === 0) return kept;
  const keys = { ...kept, ...Object.fromEntries(missing.map((kind) => [kind, [createKey()]])) };
  writeSecret(file, JSON.stringify(keys));
  return keys;
}

/** @throws OperatorError when it is no JSON object: what it was must not be lost by writing another */
function readKeys(file: string): Readonly<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new OperatorError(`${file} is not a JSON object: mend it, or remove it to have new keys made`, {
      cause,
    });
  }
}

interface SigningKey {
  readonly privateFile: string;
  readonly publicFile: string;
}

/** What has been signed must be verifiable for good: a key that is there is never replaced. */
function openSigningKey(home: string, name: string): SigningKey {
  const privateFile = join(home, `${name}.pem`);
  const publicFile = join(home, `${name}.pub.pem`);
  if (!existsSync(privateFile)) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeSecret(publicFile, publicKey.export({ type: 'spki', format: 'pem' }) as string);
    writeSecret(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  }
  return { privateFile, publicFile };
}

function createKey(): { readonly id: string; readonly secret: string } {
  return { id: randomBytes(4).toString('hex'), secret: randomBytes(32).toString('base64url') };
}

function randomText(): string {
  return randomBytes(24).toString('base64url');
}

function secret(directory: string, name: string, make: () => string = randomText): string {
  const file = join(directory, name);
  if (!existsSync(file)) writeSecret(file, make());
  return readFileSync(file, 'utf8').trim();
}

/** In one step: a full disk or a kill leaves no empty secret that would be kept for ever. */
export function writeSecret(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
