// What an operator asks of webhooks' state: how each stands, what lies aside, send that again, begin anew.
import type pg from 'pg';

export interface WebhookState {
  readonly name: string;
  readonly delivered: string;
  readonly delivered_at: Date | null;
  readonly dead_letters: number;
  readonly failure: string | null;
  readonly failed_at: Date | null;
}

export interface DeadLetterRow {
  readonly id: string;
  readonly webhook: string;
  readonly attempts: number;
  readonly failure: string;
  readonly died_at: Date;
  readonly redrive_asked_at: Date | null;
}

type Database = Pick<pg.Client, 'query'>;

/** Every webhook that has delivered or failed, by name. */
export async function listWebhooks(database: Database): Promise<readonly WebhookState[]> {
  const { rows } = await database.query<WebhookState>(`
    SELECT name, delivered, delivered_at, failure, failed_at,
           (SELECT count(*)::int FROM webhooks.dead_letter WHERE webhook = name) AS dead_letters
    FROM webhooks.webhook ORDER BY name`);
  return rows;
}

/** The oldest first. */
export async function listDeadLetters(
  database: Database,
  webhook: string | undefined,
  lettersMax: number,
): Promise<readonly DeadLetterRow[]> {
  const { rows } = await database.query<DeadLetterRow>(
    `SELECT id, webhook, attempts, failure, died_at, redrive_asked_at FROM webhooks.dead_letter
     WHERE $1::text IS NULL OR webhook = $1 ORDER BY webhook, place LIMIT $2`,
    [webhook ?? null, lettersMax],
  );
  return rows;
}

/**
 * Asks for dead letters to be sent again: by the process that delivers the webhook, once each, beside the live results.
 * @param id of one; undefined: all of the webhook
 * @returns how many
 */
export async function askForRedrive(
  database: Database,
  webhook: string,
  id: string | undefined,
): Promise<number> {
  const { rowCount } = await database.query(
    `UPDATE webhooks.dead_letter SET redrive_asked_at = now()
     WHERE webhook = $1 AND ($2::text IS NULL OR id = $2)`,
    [webhook, id ?? null],
  );
  return rowCount ?? 0;
}

/** Forgets a webhook's position: it begins at now when its process starts again. @returns whether there was one */
export async function forgetPosition(database: Database, webhook: string): Promise<boolean> {
  const { rowCount } = await database.query(
    'UPDATE webhooks.webhook SET cursor = NULL WHERE name = $1 AND cursor IS NOT NULL',
    [webhook],
  );
  return rowCount === 1;
}
