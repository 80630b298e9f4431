// `weft connect commands`: lists the writes to old systems, and lets a person decide what the hub cannot find out.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Command } from '@weft/connectors/commands/command';
import {
  confirmCommand,
  discardCommand,
  type OperateOptions,
  redriveCommand,
} from '@weft/connectors/commands/operate';
import { listCommands, PAGE_COMMANDS_MAX, readAttempts, readCommands } from '@weft/connectors/commands/reads';
import { COMMAND_STATES, type CommandState } from '@weft/connectors/commands/states';
import { writeField } from '@weft/connectors/commands/write-field';
import { compileSystem } from '@weft/connectors/compile/compile';
import { openStore, type Store } from '@weft/connectors/ingest/store';
import { findSystemFolders, SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import { urlOfRunning } from '@weft/core/embedded-postgres';
import { HubError, OperatorError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { postgresAppender } from '@weft/events/postgres/appender';
import { homeDirectory } from './checkout.ts';

const USAGE =
  "expected 'weft connect commands list [--system NAME] [--state STATE]', 'show ID', 'redrive ID [--force]', 'discard ID' or 'confirm ID [--ref TEXT]'";

interface Given {
  readonly system?: string | undefined;
  readonly state?: string | undefined;
  readonly force?: boolean | undefined;
  readonly ref?: string | undefined;
}

/** Prints one line a command, or what one has become. @throws OperatorError naming what is wrong */
export async function connectCommandsCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { given, verb, id } = readArguments(argv);
  const store = openCommandStore(env);
  try {
    if (verb === 'list' && id === undefined) return await list(store, given);
    if (id === undefined) throw wrong(USAGE);
    if (verb === 'show') return await show(store, id);
    const command = await decide(operateOptions(store), verb, id, given);
    process.stdout.write(`${lineOf(command)}\n`);
  } catch (thrown) {
    if (thrown instanceof HubError)
      throw new OperatorError(thrown.message, {
        cause: thrown,
        exitCode: thrown.code === 'NOT_FOUND' ? 2 : 1,
      });
    throw thrown;
  } finally {
    await store.close();
  }
}

function readArguments(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: {
        system: { type: 'string' },
        state: { type: 'string' },
        force: { type: 'boolean' },
        ref: { type: 'string' },
      },
      allowPositionals: true,
    });
    const [verb, id, ...rest] = positionals;
    if (rest.length > 0) throw wrong(USAGE);
    return { given: values satisfies Given, verb, id };
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`${(cause as Error).message}: ${USAGE}`, { cause, exitCode: 2 });
  }
}

function openCommandStore(env: Readonly<Record<string, string | undefined>>): Store {
  const home = homeDirectory(env);
  const databaseUrl = env.DATABASE_URL || urlOfRunning(join(home, 'postgres'));
  if (databaseUrl === undefined)
    throw wrong(`no database: no hub runs in ${home}, and DATABASE_URL is not set`);
  return openStore(databaseUrl, createLogger('weft', 'silent'));
}

async function list(store: Store, { system, state }: Given): Promise<void> {
  if (state !== undefined && !isState(state))
    throw wrong(`there is no state ${state}: expected one of ${COMMAND_STATES.join(', ')}`);
  const { commands, hasNextPage } = await listCommands(store, { system, state }, PAGE_COMMANDS_MAX);
  const lines = commands.map(lineOf);
  if (hasNextPage) lines.push(`the latest ${PAGE_COMMANDS_MAX}: ask for --system or --state`);
  process.stdout.write(lines.length === 0 ? 'no commands\n' : `${lines.join('\n')}\n`);
}

function isState(text: string): text is CommandState {
  return (COMMAND_STATES as readonly string[]).includes(text);
}

function lineOf({
  id,
  system,
  field,
  state,
  idempotencyKey,
  subject,
  code,
  upstreamRef,
  updatedAt,
}: Command): string {
  const what = state === 'APPLIED' ? (upstreamRef ?? '') : (code ?? '');
  return [id, state, system, field, idempotencyKey, subject ?? '', updatedAt.toISOString(), what].join('\t');
}

async function show(store: Store, id: string): Promise<void> {
  const command = (await readCommands(store, [id])).get(id);
  if (command === undefined)
    throw wrong(`there is no command ${id}: 'weft connect commands list' lists them`);
  const attempts = (await readAttempts(store, [id])).get(id) ?? [];
  const lines = attempts.map(({ at, kind, outcome, code }) =>
    ['', at.toISOString(), kind, outcome, code ?? ''].join('\t'),
  );
  const applied = command.mayBeApplied ? 'the old system may have it' : 'the old system does not have it';
  const next =
    command.nextAt === null ? 'nothing is to come by itself' : `next ${command.nextAt.toISOString()}`;
  process.stdout.write(`${[lineOf(command), `\t${applied}; ${next}`, ...lines].join('\n')}\n`);
}

function decide(
  options: OperateOptions,
  verb: string | undefined,
  id: string,
  { force, ref }: Given,
): Promise<Command> {
  switch (verb) {
    case 'redrive':
      return redriveCommand(options, id, force === true);
    case 'discard':
      return discardCommand(options, id);
    case 'confirm':
      return confirmCommand(options, id, ref ?? null);
    default:
      throw wrong(USAGE);
  }
}

/** The SDL of this checkout says which systems can be asked. */
function operateOptions(store: Store): OperateOptions {
  const plans = findSystemFolders(SUBGRAPHS_FOLDER).map((folder) => compileSystem(folder).plan);
  return {
    store,
    appender: postgresAppender,
    isAskable: ({ system, field }) => {
      const plan = plans.find(({ name }) => name === system);
      return plan !== undefined && writeField(plan, field)?.write.reconcile !== undefined;
    },
  };
}

function wrong(message: string): OperatorError {
  return new OperatorError(message, { exitCode: 2 });
}
