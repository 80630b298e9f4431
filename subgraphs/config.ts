// The settings of the process that serves the owned subgraphs.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseAllowedHosts } from '@weft/core/address-guard';
import { logLevel, milliseconds, port, readConfig } from '@weft/core/config';
import { OperatorError } from '@weft/core/errors';
import { readSubgraphKeys, type SubgraphKey } from '@weft/core/signatures/keys';
import { EVENT_LOG_SHAPE } from '@weft/events/setting';
import type { CheckpointSigner } from '@weft/evidence/checkpoint';
import { HASH_ALGORITHMS, type HashAlgorithm } from '@weft/evidence/hash';
import { readSigner } from '@weft/evidence/open';
import { z } from 'zod';
import {
  ATTACHMENT_SETTINGS,
  type AttachmentSettings,
  BYTES_MAX_MAX,
} from './incidents/attachments/limits.ts';
import { readVariants, type Variants } from './registry/variants.ts';

const bytes = (byDefault: number) => {
  const error = `expected whole bytes from 1 to ${BYTES_MAX_MAX}`;
  return z.coerce.number({ error }).int(error).min(1, error).max(BYTES_MAX_MAX, error).default(byDefault);
};

const SHAPE = {
  /** PostgreSQL that holds the owners' schemas, migrated already: postgresql://user:password@host:port/database */
  DATABASE_URL: z
    .string({ error: 'expected postgresql://user:password@host:port/database' })
    .regex(/^postgres(ql)?:\/\//, 'expected postgresql://user:password@host:port/database'),
  /** What carries the log live: `postgres`, or the URL of a Redis or a NATS. */
  EVENT_LOG: EVENT_LOG_SHAPE,
  /** The port of all owned subgraphs; 0 takes a free one. */
  WEFT_SUBGRAPHS_PORT: port.default(0),
  WEFT_HOST: z.string().min(1).default('127.0.0.1'),
  /** `{ "subgraphKeys": [{ "id", "secret" }] }`: only who signs with one of them is answered. */
  WEFT_KEYS_FILE: z.string().optional(),
  /** Ed25519 private key in PEM that signs checkpoints of the evidence; without it there are none. */
  WEFT_EVIDENCE_KEY_FILE: z.string().optional(),
  WEFT_EVIDENCE_HASH: z.enum(HASH_ALGORITHMS).default('sha256'),
  /** Between one checkpoint and the next. */
  WEFT_EVIDENCE_INTERVAL_MS: milliseconds(3_600_000).default(10_000),
  /** What those may do to incidents who give no credentials. */
  WEFT_ANONYMOUS_MAY: z.enum(['demo', 'nothing'], { error: 'expected demo or nothing' }).default('nothing'),
  /** The deadlines of incidents; absent: those of docs/incidents.md. */
  WEFT_DEADLINES_FILE: z.string().optional(),
  /** Ed25519 private key in PEM that signs the graph for gateways; without it they are given none. */
  WEFT_REGISTRY_KEY_FILE: z.string().optional(),
  /** `host:port`, with commas between them: systems that may be registered there although it is not public. */
  WEFT_REGISTRY_ALLOWED_HOSTS: z.string().optional(),
  /** A manifest as the gateway reads it: what is registered in the hub's own name at start. */
  WEFT_REGISTRY_SEED_FILE: z.string().optional(),
  /** Variants of the graph by tags: `{ "variants": { "public": { "include": ["public"] } } }`. */
  WEFT_REGISTRY_VARIANTS_FILE: z.string().optional(),
  /** Departments and workers that join those that come with the program. */
  WEFT_DIRECTORY_FILE: z.string().optional(),
  /** The folder of the bytes of attachments; absent: none are taken. */
  WEFT_ATTACHMENTS: z.string().optional(),
  /** Bytes of one. */
  WEFT_ATTACHMENT_BYTES_MAX: bytes(ATTACHMENT_SETTINGS.bytesMax),
  /** After so long what no incident refers to is deleted. */
  WEFT_ATTACHMENTS_UNREFERENCED_MS: milliseconds(30 * 86_400_000).default(ATTACHMENT_SETTINGS.unreferencedMs),
  /** Bytes of one principal that no incident refers to. */
  WEFT_ATTACHMENTS_PENDING_BYTES_MAX: bytes(ATTACHMENT_SETTINGS.pendingBytesMax),
  /** `production`: no demo. */
  NODE_ENV: z.string().optional(),
  WEFT_LOG_LEVEL: logLevel,
};

export interface SubgraphsConfig {
  readonly databaseUrl: string;
  readonly eventLog: string;
  readonly port: number;
  readonly host: string;
  readonly subgraphKeys: readonly SubgraphKey[] | undefined;
  readonly evidence: EvidenceConfig;
  readonly anonymousMay: 'demo' | 'nothing';
  readonly deadlinesFile: string | undefined;
  readonly registry: RegistryConfig;
  readonly directoryFile: string | undefined;
  /** Undefined: none are taken. */
  readonly attachments: AttachmentSettings | undefined;
  readonly logLevel: string;
}

export interface RegistryConfig {
  /** Undefined: gateways are given no graph. */
  readonly signingKey: KeyObject | undefined;
  readonly allowedHosts: ReadonlySet<string>;
  readonly seedFile: string | undefined;
  /** Besides the whole graph. */
  readonly variants: Variants;
}

export interface EvidenceConfig {
  /** Undefined: no checkpoints are made. */
  readonly signer: CheckpointSigner | undefined;
  readonly algorithm: HashAlgorithm;
  readonly intervalMs: number;
}

/** @throws OperatorError naming every setting that is wrong */
export function readSubgraphsConfig(env: Readonly<Record<string, string | undefined>>): SubgraphsConfig {
  const config = readConfig(SHAPE, env);
  if (config.WEFT_ANONYMOUS_MAY === 'demo' && config.NODE_ENV === 'production')
    throw new OperatorError('WEFT_ANONYMOUS_MAY: demo is for demos, and NODE_ENV is production', {
      exitCode: 2,
    });
  return Object.freeze({
    databaseUrl: config.DATABASE_URL,
    eventLog: config.EVENT_LOG,
    port: config.WEFT_SUBGRAPHS_PORT,
    host: config.WEFT_HOST,
    subgraphKeys: readSubgraphKeys(config.WEFT_KEYS_FILE),
    evidence: {
      signer:
        config.WEFT_EVIDENCE_KEY_FILE === undefined
          ? undefined
          : readSigner(config.WEFT_EVIDENCE_KEY_FILE, 'WEFT_EVIDENCE_KEY_FILE'),
      algorithm: config.WEFT_EVIDENCE_HASH,
      intervalMs: config.WEFT_EVIDENCE_INTERVAL_MS,
    },
    anonymousMay: config.WEFT_ANONYMOUS_MAY,
    deadlinesFile: config.WEFT_DEADLINES_FILE,
    registry: {
      signingKey: readSigningKey(config.WEFT_REGISTRY_KEY_FILE),
      allowedHosts: parseAllowedHosts('WEFT_REGISTRY_ALLOWED_HOSTS', config.WEFT_REGISTRY_ALLOWED_HOSTS),
      seedFile: config.WEFT_REGISTRY_SEED_FILE,
      variants: readVariants(config.WEFT_REGISTRY_VARIANTS_FILE),
    },
    directoryFile: config.WEFT_DIRECTORY_FILE,
    attachments:
      config.WEFT_ATTACHMENTS === undefined
        ? undefined
        : {
            folder: resolve(config.WEFT_ATTACHMENTS),
            bytesMax: config.WEFT_ATTACHMENT_BYTES_MAX,
            unreferencedMs: config.WEFT_ATTACHMENTS_UNREFERENCED_MS,
            pendingBytesMax: config.WEFT_ATTACHMENTS_PENDING_BYTES_MAX,
          },
    logLevel: config.WEFT_LOG_LEVEL,
  });
}

/** @throws OperatorError when it is not there, or is another kind of key */
function readSigningKey(file: string | undefined): KeyObject | undefined {
  if (file === undefined) return undefined;
  try {
    const key = createPrivateKey(readFileSync(file, 'utf8'));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = isMissing ? 'is not there' : 'is no Ed25519 private key in PEM';
    throw new OperatorError(`WEFT_REGISTRY_KEY_FILE: ${file} ${problem}`, { exitCode: 2, cause });
  }
  throw new OperatorError(`WEFT_REGISTRY_KEY_FILE: ${file} is no Ed25519 private key in PEM`, {
    exitCode: 2,
  });
}
