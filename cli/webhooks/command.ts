// `weft webhooks`: delivers them, or shows how they stand and sends again what was put aside.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '@weft/core/embedded-postgres';
import { OperatorError } from '@weft/core/errors';
import {
  askForRedrive,
  type DeadLetterRow,
  forgetPosition,
  listDeadLetters,
  listWebhooks,
  type WebhookState,
} from '@weft/webhooks/operator';
import pg from 'pg';

/** Letters that are shown at once; the oldest. */
const LETTERS_MAX = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * `weft webhooks`: the process; `list`, `dead-letters [NAME]`, `redrive NAME [ID]`, `reset NAME`: on the database of
 * DATABASE_URL, or on the embedded one of this home.
 * @throws OperatorError for a mistake in the arguments, or when the database cannot be reached
 */
export async function webhooksCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const [verb, name, id, ...rest] = parsePositionals(argv);
  if (verb === undefined) {
    await import('@weft/webhooks/main');
    return;
  }
  const isKnown = ['list', 'dead-letters', 'redrive', 'reset'].includes(verb);
  const needsName = verb === 'redrive' || verb === 'reset';
  if (!isKnown || (needsName && name === undefined) || rest.length > 0) {
    throw new OperatorError(
      "expected 'weft webhooks', or with list, dead-letters [NAME], redrive NAME [ID], reset NAME",
      { exitCode: 2 },
    );
  }
  await onDatabase(env, async (client) => {
    for (const line of await answer(client, verb, name, id)) process.stdout.write(`${line}\n`);
  });
}

function parsePositionals(argv: readonly string[]): readonly string[] {
  try {
    return parseArgs({ args: [...argv], options: {}, allowPositionals: true, strict: true }).positionals;
  } catch (cause) {
    throw new OperatorError(`webhooks: ${(cause as Error).message}`, { cause, exitCode: 2 });
  }
}

async function answer(
  client: pg.Client,
  verb: string,
  name = '',
  id: string | undefined,
): Promise<readonly string[]> {
  switch (verb) {
    case 'list': {
      const webhooks = await listWebhooks(client);
      return webhooks.length === 0
        ? ['no webhook has delivered or failed yet']
        : webhooks.map(describeWebhook);
    }
    case 'dead-letters': {
      const letters = await listDeadLetters(client, name === '' ? undefined : name, LETTERS_MAX);
      return letters.length === 0 ? ['no dead letters'] : letters.map(describeLetter);
    }
    case 'redrive': {
      const count = await askForRedrive(client, name, id);
      if (count === 0)
        throw new OperatorError(
          `there is no dead letter ${id === undefined ? 'of' : `${id} of`} ${name}: 'weft webhooks dead-letters' lists them`,
        );
      return [`${countOf(count, 'dead letter')} of ${name} will be sent again`];
    }
    default:
      return [
        (await forgetPosition(client, name))
          ? `${name} begins at now when its process starts again`
          : `${name} has no position`,
      ];
  }
}

function describeWebhook({ name, delivered, delivered_at, dead_letters, failure, failed_at }: WebhookState) {
  const last = delivered_at === null ? 'never' : `last ${delivered_at.toISOString()}`;
  const wrong = failure === null ? '' : `; ${failed_at?.toISOString()}: ${failure}`;
  return `${name} ${delivered} delivered, ${last}, ${countOf(dead_letters, 'dead letter')}${wrong}`;
}

function describeLetter({ id, webhook, attempts, failure, died_at, redrive_asked_at }: DeadLetterRow) {
  const asked = redrive_asked_at === null ? '' : ', to be sent again';
  return `${webhook} ${id} ${countOf(attempts, 'attempt')} ${died_at.toISOString()}${asked}: ${failure}`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

async function onDatabase(
  env: Readonly<Record<string, string | undefined>>,
  act: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const given = env.DATABASE_URL || undefined;
  // Loaded where it is needed: it brings the compiler of connectors with it, and the process that delivers needs neither.
  const { homeDirectory } = await import('../checkout.ts');
  const embedded =
    given === undefined
      ? await startPostgres({ directory: join(homeDirectory(env), 'postgres') })
      : undefined;
  const client = new pg.Client({
    connectionString: given ?? embedded?.url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // What is lost is told by the statement that meets with it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await act(client);
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`webhooks: the database says: ${(cause as Error).message}`, { cause });
  } finally {
    await client.end();
    // One that a hub runs is left to it.
    if (embedded?.adopted === false) await embedded.stop();
  }
}
