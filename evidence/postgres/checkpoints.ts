// Makes checkpoints over what was committed since the last one; of several processes, one at a time.
import type { Logger } from '@weft/core/logger';
import type pg from 'pg';
import { type Checkpoint, type CheckpointSigner, hashOfCheckpoint } from '../checkpoint.ts';
import { NO_PREVIOUS_HASH } from '../entry.ts';
import type { HashAlgorithm } from '../hash.ts';
import { leafHash, rootOf } from '../merkle.ts';
import { CHECKPOINT_COLUMNS } from './columns.ts';

/** Leaves of one tree; what is beyond comes under the next. */
export const TREE_LEAVES_MAX = 10_000;
/** Trees made at one go, when much is waiting. */
const TREES_AT_ONCE_MAX = 20;
/** Of the evidence: one process makes a checkpoint, the others leave it to that one. */
const LOCK = 7_270_736_901;

const OPEN = `
SELECT position::text, hash FROM evidence.entry WHERE checkpoint IS NULL AND algorithm = $1 ORDER BY position LIMIT $2`;
const LATEST = `SELECT ${CHECKPOINT_COLUMNS} FROM evidence.checkpoint ORDER BY number DESC LIMIT 1`;
const REMEMBER_KEY = `INSERT INTO evidence.key (id, jwk) VALUES ($1, $2) ON CONFLICT DO NOTHING`;
const INSERT = `
INSERT INTO evidence.checkpoint (number, at, algorithm, tree_size, root_hash, previous_hash, key_id, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;
const COVER = `
UPDATE evidence.entry SET checkpoint = $1, leaf_index = leaf.place
FROM unnest($2::bigint[], $3::int[]) AS leaf(position, place) WHERE entry.position = leaf.position AND entry.checkpoint IS NULL`;

export interface CheckpointOptions {
  readonly signer: CheckpointSigner;
  readonly algorithm: HashAlgorithm;
}

/**
 * Makes one checkpoint over what waits for one, oldest first.
 * @param client in no transaction
 * @returns undefined when nothing waits, or another process is at it
 * @throws what the database rejects with; nothing is kept of a checkpoint that failed
 */
export async function makeCheckpoint(
  client: pg.ClientBase,
  { signer, algorithm }: CheckpointOptions,
): Promise<Checkpoint | undefined> {
  await client.query('BEGIN');
  try {
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS held', [
      LOCK,
    ]);
    const made = rows[0]?.held === true ? await coverOpen(client, signer, algorithm) : undefined;
    await client.query('COMMIT');
    return made;
  } catch (thrown) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw thrown;
  }
}

async function coverOpen(
  client: pg.ClientBase,
  signer: CheckpointSigner,
  algorithm: HashAlgorithm,
): Promise<Checkpoint | undefined> {
  const { rows: open } = await client.query<{ position: string; hash: string }>(OPEN, [
    algorithm,
    TREE_LEAVES_MAX,
  ]);
  if (open.length === 0) return undefined;
  const { rows } = await client.query<Checkpoint>(LATEST);
  const before = rows[0];
  const checkpoint = signer.sign({
    number: (before?.number ?? 0) + 1,
    at: new Date().toISOString(),
    algorithm,
    treeSize: open.length,
    rootHash: rootOf(
      algorithm,
      open.map(({ hash }) => leafHash(algorithm, hash)),
    ).toString('hex'),
    previousHash: before === undefined ? NO_PREVIOUS_HASH : hashOfCheckpoint(before),
  });
  const { number, at, treeSize, rootHash, previousHash, keyId, signature } = checkpoint;
  await client.query(REMEMBER_KEY, [keyId, JSON.stringify(signer.publicKey.export({ format: 'jwk' }))]);
  await client.query(INSERT, [number, at, algorithm, treeSize, rootHash, previousHash, keyId, signature]);
  await client.query(COVER, [number, open.map(({ position }) => position), open.map((_, place) => place)]);
  return checkpoint;
}

export interface Checkpointing extends CheckpointOptions {
  /** Takes a connection for the time of a checkpoint. */
  readonly pool: pg.Pool;
  readonly intervalMs: number;
  readonly logger: Logger;
}

/** Makes checkpoints from now on; one that fails is tried again at the next turn. `close` waits for the one under way. */
export function startCheckpointing(options: Checkpointing): { close(): Promise<void> } {
  const { pool, intervalMs, logger } = options;
  let running: Promise<void> | undefined;
  const turn = async () => {
    const client = await pool.connect();
    try {
      for (let made = 0; made < TREES_AT_ONCE_MAX; made += 1) {
        const checkpoint = await makeCheckpoint(client, options);
        if (checkpoint === undefined || checkpoint.treeSize < TREE_LEAVES_MAX) return;
      }
    } finally {
      client.release();
    }
  };
  const timer = setInterval(() => {
    running ??= turn()
      .catch((err: unknown) =>
        logger.warn({ err }, 'no checkpoint of the evidence could be made: it is tried again'),
      )
      .finally(() => {
        running = undefined;
      });
  }, intervalMs);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
