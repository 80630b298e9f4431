// What webhooks keep in PostgreSQL: the lease of who delivers, the position, and the dead letters.
import type { Logger } from '@weft/core/logger';
import pg from 'pg';
import { WEBHOOK_LIMITS } from './limits.ts';

export interface DeadLetter {
  /** The `webhook-id`. */
  readonly id: string;
  readonly body: string;
}

/**
 * The right to deliver one webhook, which one process has at a time. It is an advisory lock of a session, and all that is
 * written under it goes through that session: who has lost the one can do the other no more.
 */
export interface Lease {
  /** Aborts when the session is lost, and the lease with it. */
  readonly lost: AbortSignal;
  /** The cursor of the last result that is settled; undefined before the first. */
  readPosition(): Promise<string | undefined>;
  saveDelivered(cursor: string): Promise<void>;
  /** What is told to who looks; the position stays. */
  saveFailure(failure: string): Promise<void>;
  /** Puts a result aside and goes past it, in one transaction; false, and nothing done, when there are too many already. */
  bury(letter: DeadLetter, cursor: string, attempts: number, failure: string): Promise<boolean>;
  /** Dead letters that somebody wants sent again, the oldest first. */
  readRedrives(): Promise<readonly DeadLetter[]>;
  /** Takes it out. */
  resurrect(id: string): Promise<void>;
  /** It stays; who wants it sent again asks once more. */
  failAgain(id: string, failure: string): Promise<void>;
  release(): Promise<void>;
}

/** First key of the advisory locks; the second is the hash of the webhook's name. */
const LOCK_CLASS = 1_463_119_940;

/** @returns undefined while another process has it. Rejects with what the database says */
export async function takeLease(
  databaseUrl: string,
  name: string,
  logger: Logger,
): Promise<Lease | undefined> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: WEBHOOK_LIMITS.queryTimeoutMs,
    query_timeout: WEBHOOK_LIMITS.queryTimeoutMs,
    statement_timeout: WEBHOOK_LIMITS.queryTimeoutMs,
    application_name: `weft webhook ${name}`,
    keepAlive: true,
  });
  const lost = new AbortController();
  client.on('error', (err) => {
    logger.debug({ err, webhook: name }, 'the session of a lease ended');
    lost.abort(err);
  });
  client.on('end', () => lost.abort(new pg.DatabaseError('the session ended', 0, 'error')));
  try {
    await client.connect();
    const { rows } = await client.query<{ taken: boolean }>(
      'SELECT pg_try_advisory_lock($1, hashtext($2)) AS taken',
      [LOCK_CLASS, name],
    );
    if (rows[0]?.taken === true) return leaseOf(client, name, lost.signal);
  } catch (thrown) {
    await endQuietly(client);
    throw thrown;
  }
  await endQuietly(client);
  return undefined;
}

/** The session may be gone: then there is nothing to end. */
async function endQuietly(client: pg.Client): Promise<void> {
  await client.end().catch(() => undefined);
}

const SAVE_DELIVERED = `
INSERT INTO webhooks.webhook AS w (name, cursor, delivered, delivered_at) VALUES ($1, $2, 1, now())
ON CONFLICT (name) DO UPDATE SET cursor = $2, delivered = w.delivered + 1, delivered_at = now(),
  failure = NULL, failed_at = NULL`;

const SAVE_FAILURE = `
INSERT INTO webhooks.webhook (name, failure, failed_at) VALUES ($1, $2, now())
ON CONFLICT (name) DO UPDATE SET failure = $2, failed_at = now()`;

// One statement, one transaction. A result that came again after it was put aside is the same letter.
const BURY = `
WITH room AS (
  SELECT FROM webhooks.dead_letter WHERE webhook = $1 HAVING count(*) < $7
), buried AS (
  INSERT INTO webhooks.dead_letter (id, webhook, body, attempts, failure)
  SELECT $2, $1, $3, $5, $6 FROM room
  ON CONFLICT (id) DO UPDATE SET body = $3, attempts = $5, failure = $6
  RETURNING 1
), passed AS (
  INSERT INTO webhooks.webhook (name, cursor, failure, failed_at) SELECT $1, $4, $6, now() FROM buried
  ON CONFLICT (name) DO UPDATE SET cursor = $4, failure = $6, failed_at = now()
)
SELECT count(*)::int AS buried FROM buried`;

function leaseOf(client: pg.Client, name: string, lost: AbortSignal): Lease {
  const shorten = (failure: string) => failure.slice(0, WEBHOOK_LIMITS.failureCharactersMax);
  return {
    lost,
    async readPosition() {
      const { rows } = await client.query<{ cursor: string | null }>(
        'SELECT cursor FROM webhooks.webhook WHERE name = $1',
        [name],
      );
      return rows[0]?.cursor ?? undefined;
    },
    async saveDelivered(cursor) {
      await client.query(SAVE_DELIVERED, [name, cursor]);
    },
    async saveFailure(failure) {
      await client.query(SAVE_FAILURE, [name, shorten(failure)]);
    },
    async bury({ id, body }, cursor, attempts, failure) {
      const values = [name, id, body, cursor, attempts, shorten(failure), WEBHOOK_LIMITS.deadLettersMax];
      const { rows } = await client.query<{ buried: number }>(BURY, values);
      return rows[0]?.buried === 1;
    },
    async readRedrives() {
      const { rows } = await client.query<DeadLetter>(
        `SELECT id, body FROM webhooks.dead_letter WHERE webhook = $1 AND redrive_asked_at IS NOT NULL
         ORDER BY place LIMIT $2`,
        [name, WEBHOOK_LIMITS.redriveBatchMax],
      );
      return rows;
    },
    async resurrect(id) {
      await client.query('DELETE FROM webhooks.dead_letter WHERE id = $1', [id]);
    },
    async failAgain(id, failure) {
      await client.query(
        `UPDATE webhooks.dead_letter SET redrive_asked_at = NULL, attempts = attempts + 1, failure = $2
         WHERE id = $1`,
        [id, shorten(failure)],
      );
    },
    release: () => endQuietly(client),
  };
}
