// `weft tail FIELD`: follows a live field of a running gateway in the terminal.
import {
  type ConnectionState,
  createWeftClient,
  type GraphQLFailure,
  type WeftEvent,
  type WeftGap,
} from '@weft/client/client';
import { OperatorError } from '@weft/core/errors';
import { homeDirectory } from '../checkout.ts';
import { readRun } from '../up/run-file.ts';
import { readTailArguments, type TailArguments } from './arguments.ts';
import { clockOf, lineOf } from './lines.ts';
import { buildOperation } from './operation.ts';
import { readSchema } from './schema.ts';

/**
 * Follows until Ctrl-C; events go to standard output, all else to standard error.
 * @throws OperatorError naming what is wrong, or what ended the stream
 */
export async function tailCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const options = readTailArguments(argv);
  const { http, ws } = options.url ?? urlsOfHome(homeDirectory(env));
  const operation = buildOperation(await readSchema(http, options.token), options);
  const screen = createScreen(options);
  const client = createWeftClient({ url: ws, token: options.token, onState: screen.state });
  const ended = Promise.withResolvers<void>();
  const subscription = client.subscribe(
    { ...operation, field: options.field },
    {
      next: screen.event,
      gap: screen.gap,
      complete: ended.resolve,
      error: ({ code, message, cause }) => ended.reject(new OperatorError(`${code}: ${message}`, { cause })),
    },
  );
  // A terminal signals the group, and `npx` and scripts/weft.mjs pass the same Ctrl-C on: it comes several times.
  process.on('SIGINT', ended.resolve).on('SIGTERM', ended.resolve);
  // Whoever reads, `head` for one, has enough.
  process.stdout.on('error', () => ended.resolve());
  try {
    await ended.promise;
  } finally {
    client.close();
    if (subscription.cursor !== undefined)
      process.stderr.write(`weft tail: the last cursor, to go on with --after:\n${subscription.cursor}\n`);
  }
}

function urlsOfHome(home: string): { readonly http: string; readonly ws: string } {
  const { graphql: http, ws } = readRun(home)?.urls ?? {};
  if (http === undefined || ws === undefined)
    throw new OperatorError(
      `no hub runs in ${home}: start one, set WEFT_HOME to its home, or say where with --url`,
    );
  return { http, ws };
}

interface Screen {
  event(event: WeftEvent): void;
  gap(gap: WeftGap): void;
  state(state: ConnectionState): void;
}

function createScreen({ isJson }: Pick<TailArguments, 'isJson'>): Screen {
  const say = (text: string) => process.stderr.write(`${clockOf(new Date())}  ${text}\n`);
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const told = new Set<string>();
  let lastState = '';
  return {
    event({ value, errors, cursor }) {
      const at = new Date();
      if (isJson) return void print(JSON.stringify({ at, cursor, value, errors }));
      print(lineOf(at, value));
      for (const error of errors ?? []) tellOnce(told, error, say);
    },
    gap({ from, to, reason }) {
      if (isJson) print(JSON.stringify({ at: new Date(), gap: { from, to, reason } }));
      say(
        `!!! GAP (${reason}): events were missed${from === null ? '' : `; what is kept of them: --after ${from}`}`,
      );
    },
    state({ kind, error }) {
      const text =
        kind === 'stale'
          ? `!!! CONNECTION LOST (${error?.message ?? 'unknown'}): trying again`
          : `--- ${kind}`;
      // Each try in vain says the same.
      if (text !== lastState && kind !== 'closed') say(text);
      lastState = text;
    },
  };
}

/** A field that one may not see is an error of every event. */
function tellOnce(
  told: Set<string>,
  { message, path, extensions }: GraphQLFailure,
  say: (text: string) => void,
): void {
  const place = path?.join('.') ?? '';
  const key = `${String(extensions?.code)} ${place}`;
  if (told.has(key) || told.size > TOLD_MAX) return;
  told.add(key);
  const code = String(extensions?.code ?? 'ERROR');
  const advice = code === 'UNAUTHENTICATED' ? '; --token says who asks (`weft token` prints one)' : '';
  say(`!!! ${code}${place === '' ? '' : ` at ${place}`}: ${message}${advice} (told once)`);
}

const TOLD_MAX = 1_000;
