// `weft ingest quarantine`: what came in and was not understood; listed, shown, replayed by the SDL as it is now, put away.
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BuildErrors, compileSystem } from '@weft/connectors/compile/compile';
import {
  discardQuarantined,
  listQuarantined,
  PAGE_ITEMS_MAX,
  type QuarantinedItem,
  type QuarantineFilter,
  type ShownItem,
  showQuarantined,
} from '@weft/connectors/ingest/quarantine-book';
import {
  type Replayed,
  type ReplayOptions,
  replayAll,
  replayQuarantined,
} from '@weft/connectors/ingest/replay';
import { openStore, type Store } from '@weft/connectors/ingest/store';
import type { SystemPlan } from '@weft/connectors/plan';
import { findSystemFolders, SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import { urlOfRunning } from '@weft/core/embedded-postgres';
import { HubError, OperatorError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { postgresAppender } from '@weft/events/postgres/appender';
import { homeDirectory } from '../checkout.ts';
import { csvRow } from './csv.ts';

const LISTED_MAX = 1_000;
const EXPECTED =
  "expected 'weft ingest quarantine' with list, show ID, replay ID, replay --all --system NAME [--source NAME], or discard ID --why TEXT [--by NAME]";

const OPTIONS = {
  system: { type: 'string' },
  source: { type: 'string' },
  type: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  discarded: { type: 'boolean' },
  csv: { type: 'boolean' },
  all: { type: 'boolean' },
  by: { type: 'string' },
  why: { type: 'string' },
} as const;

type Values = ReturnType<typeof parse>['values'];

/** Where the SDL lies that a replay goes by; the checkout's own unless told. */
export interface IngestOptions {
  readonly subgraphs?: string;
  write?(text: string): void;
}

/** @throws OperatorError naming what is wrong */
export async function ingestCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  { subgraphs = SUBGRAPHS_FOLDER, write = (text) => void process.stdout.write(text) }: IngestOptions = {},
): Promise<void> {
  const { values, positionals } = parse(argv);
  const [noun, verb, id, ...rest] = positionals;
  const isWell = noun === 'quarantine' && rest.length === 0 && isComplete(verb, id, values);
  if (!isWell) throw wrong(EXPECTED);
  await onStore(env, async (store) => {
    if (verb === 'list') return list(store, values, write);
    if (verb === 'discard') {
      const by = values.by ?? userInfo().username;
      const item = await discardQuarantined(store, id ?? '', { by, why: values.why ?? '' });
      return write(`${item.id} discarded by ${by}\n`);
    }
    const systems = compileAll(subgraphs);
    if (verb === 'show') return write(shown(await showQuarantined(store, systems, id ?? '')));
    return replay({ store, appender: postgresAppender, systems, env }, id, values, write);
  });
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`ingest: ${(cause as Error).message}`, { cause, exitCode: 2 });
  }
}

function isComplete(verb: string | undefined, id: string | undefined, values: Values): boolean {
  switch (verb) {
    case 'list':
      return id === undefined;
    case 'show':
      return id !== undefined;
    case 'discard':
      return id !== undefined && values.why !== undefined;
    case 'replay':
      return values.all === true ? id === undefined && values.system !== undefined : id !== undefined;
    default:
      return false;
  }
}

async function list(store: Store, values: Values, write: (text: string) => void): Promise<void> {
  const filter: QuarantineFilter = {
    system: values.system,
    source: values.source,
    type: values.type,
    since: timeOf(values.since, 'since'),
    until: timeOf(values.until, 'until'),
    discarded: values.discarded,
  };
  const items: QuarantinedItem[] = [];
  let after: string | undefined;
  let hasMore = true;
  while (hasMore && items.length < LISTED_MAX) {
    const page = await listQuarantined(store, filter, PAGE_ITEMS_MAX, after);
    items.push(...page.items);
    after = page.endCursor ?? undefined;
    hasMore = page.hasNextPage;
  }
  if (values.csv === true)
    write(csvRow(['id', 'received', 'system', 'source', 'type', 'place', 'attempts', 'reason']));
  for (const item of items)
    write(values.csv === true ? csvRow(cellsOf(item)) : `${cellsOf(item).map(plain).join('\t')}\n`);
  if (items.length === 0 && values.csv !== true) write('nothing in quarantine\n');
  if (hasMore) process.stderr.write(`the first ${LISTED_MAX}; narrow by --system, --type, --since\n`);
}

function cellsOf(item: QuarantinedItem): readonly (string | number | null)[] {
  const { id, receivedAt, system, source, type, place, attempts, reason } = item;
  return [id, receivedAt.toISOString(), system, source, type, place, attempts, reason];
}

/** One line an item, whatever the old system put into its names. */
function plain(cell: string | number | null): string {
  return String(cell ?? '-').replaceAll(/\p{Cc}/gu, ' ');
}

function shown(item: ShownItem): string {
  const { discardedAt, discardedBy, discardReason, attempts, attemptedAt, bytes, charset, isCut } = item;
  const lines = [
    ...cellsOf(item).map(plain).slice(0, 6),
    `${attempts} replays failed${attemptedAt === null ? '' : `, the last one at ${attemptedAt.toISOString()}`}`,
    plain(item.reason),
    ...(discardedAt === null
      ? []
      : [`discarded at ${discardedAt.toISOString()} by ${plain(discardedBy)}: ${plain(discardReason)}`]),
    `${bytes} bytes, ${charset}${isCut ? ', cut' : ''}:`,
  ];
  // What moves a terminal's cursor has no business on one.
  return `${lines.join('\n')}\n\n${item.body.replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD')}\n`;
}

async function replay(
  options: ReplayOptions,
  id: string | undefined,
  values: Values,
  write: (text: string) => void,
): Promise<void> {
  const { system = '', source } = values;
  const all = id === undefined ? await replayAll(options, { system, source }) : undefined;
  const replayed: readonly Replayed[] = all?.replayed ?? [await replayQuarantined(options, id ?? '')];
  for (const { id: replayedId, outcome, reason } of replayed)
    write(`${[replayedId, outcome, reason === null ? '' : plain(reason)].join('\t').trimEnd()}\n`);
  const failed = replayed.filter(({ outcome }) => outcome === 'FAILED').length;
  write(
    `${replayed.length - failed} of ${replayed.length} replayed${all?.hasMore ? '; there are more' : ''}\n`,
  );
  if (failed > 0) process.exitCode = 1;
}

/** @throws OperatorError with every mistake of the SDL: a replay by half a description would be none */
function compileAll(subgraphs: string): readonly SystemPlan[] {
  return findSystemFolders(subgraphs).map((folder) => {
    try {
      return compileSystem(folder).plan;
    } catch (thrown) {
      if (!(thrown instanceof BuildErrors)) throw thrown;
      throw new OperatorError(thrown.message, { cause: thrown });
    }
  });
}

function timeOf(text: string | undefined, name: string): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw wrong(`--${name} is no time: expected RFC 3339, 2026-11-22T08:00:00+08:00`);
  return time;
}

async function onStore(
  env: Readonly<Record<string, string | undefined>>,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const home = homeDirectory(env);
  const url = env.DATABASE_URL || urlOfRunning(join(home, 'postgres'));
  if (url === undefined) throw wrong(`no database: no hub runs in ${home}, and DATABASE_URL is not set`);
  const store = openStore(url, createLogger('ingest', 'silent'));
  try {
    await work(store);
  } catch (cause) {
    if (!(cause instanceof HubError)) throw cause;
    const detail =
      cause.code === 'STORE_UNAVAILABLE' ? ` (${(cause.cause as Error | undefined)?.message})` : '';
    throw new OperatorError(`${cause.message}${detail}`, { cause });
  } finally {
    await store.close();
  }
}

function wrong(message: string): OperatorError {
  return new OperatorError(message, { exitCode: 2 });
}
