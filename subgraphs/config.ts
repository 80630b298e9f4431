// The settings of the process that serves the owned subgraphs.
import { logLevel, milliseconds, port, readConfig } from '@weft/core/config';
import { OperatorError } from '@weft/core/errors';
import { readSubgraphKeys, type SubgraphKey } from '@weft/core/signatures/keys';
import { EVENT_LOG_SHAPE } from '@weft/events/setting';
import type { CheckpointSigner } from '@weft/evidence/checkpoint';
import { HASH_ALGORITHMS, type HashAlgorithm } from '@weft/evidence/hash';
import { readSigner } from '@weft/evidence/open';
import { z } from 'zod';

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
  readonly logLevel: string;
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
    logLevel: config.WEFT_LOG_LEVEL,
  });
}
