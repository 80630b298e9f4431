// Opens what makes checkpoints for a process: its key, its own small pool, its turns.
import { readFileSync } from 'node:fs';
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import pg from 'pg';
import { type CheckpointSigner, openSigner } from './checkpoint.ts';
import type { HashAlgorithm } from './hash.ts';
import { startCheckpointing } from './postgres/checkpoints.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * Reads the key that signs checkpoints and exports.
 * @param file an Ed25519 private key in PEM (PKCS #8)
 * @param setting named in errors
 * @throws OperatorError when it is not there, or is another kind of key
 */
export function readSigner(file: string, setting: string): CheckpointSigner {
  try {
    return openSigner(readFileSync(file, 'utf8'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'is not there' : 'is no Ed25519 private key in PEM';
    throw new OperatorError(`${setting}: ${file} ${problem}`, { exitCode: 2, cause });
  }
}

export interface CheckpointsOptions {
  /** With the schema `evidence`, migrated. */
  readonly databaseUrl: string;
  readonly signer: CheckpointSigner;
  readonly algorithm: HashAlgorithm;
  readonly intervalMs: number;
  readonly logger: Logger;
}

/** Makes checkpoints every `intervalMs`; a database that is away is tried again. */
export function openCheckpoints(options: CheckpointsOptions): { close(): Promise<void> } {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'weft-evidence',
  });
  const onLost = (err: Error) => options.logger.debug({ err }, 'connection of the evidence lost');
  pool.on('error', onLost);
  // The pool listens to idle ones only: one that is lost in the middle of a checkpoint must not end the process either.
  pool.on('connect', (client) => client.on('error', onLost));
  const checkpointing = startCheckpointing({ ...options, pool });
  return {
    async close() {
      await checkpointing.close();
      await pool.end();
    },
  };
}
