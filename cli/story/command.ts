// `weft story N`: plays a story on the running hub, step by step, with what each client sees as it happens.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { isAlive } from '@weft/core/process-table';
import { homeDirectory } from '../checkout.ts';
import { openIssuer } from '../token/issuer.ts';
import { readRun } from '../up/run-file.ts';
import { A_DEPARTMENT_JOINS } from './a-department-joins.ts';
import { A_TO_B_TO_C } from './a-to-b-to-c.ts';
import { EVIDENCE } from './evidence.ts';
import { ONE_POTHOLE } from './one-pothole.ts';
import { openStage } from './stage.ts';
import type { Story } from './story.ts';

const STORIES: readonly Story[] = [A_TO_B_TO_C, ONE_POTHOLE, A_DEPARTMENT_JOINS, EVIDENCE];

/** Seconds between two steps: enough to read what was seen. */
const PACE_S = 3;
const PACE_S_MAX = 60;
/** Seconds for what a step makes other systems do: ample on a busy machine. */
const LIMIT_S = 60;
const LIMIT_S_MAX = 300;
/** What a shell has for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Lists the stories, or plays one; returns when all of it was seen.
 * @throws OperatorError for arguments, when no hub with simulated systems runs here, and naming the step that was not seen
 */
export async function storyCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const { story, paceMs, seenMsMax } = readArguments(argv);
  if (story === undefined) {
    for (const { number, name, shows } of STORIES) print(`weft story ${number}   ${name}: ${shows}`);
    return;
  }
  const home = homeDirectory(env);
  const run = readRun(home);
  if (run === undefined || !isAlive(run.pid))
    throw new OperatorError(`no hub runs in ${home}: run 'npm start' first, or set WEFT_HOME`);
  // Whoever reads, `head` for one, has enough.
  process.stdout.on('error', () => undefined);
  const stage = openStage({
    home,
    env,
    urls: run.urls,
    issuer: openIssuer(home, env.NODE_ENV),
    paceMs,
    seenMsMax,
    mark: `〔${story.number}-${randomBytes(3).toString('hex')}〕`,
    print,
  });
  print(`story ${story.number}: ${story.name}\n${story.shows}`);
  // Whoever has seen enough leaves the departments to their people again.
  const leave = () => void stage.close().finally(() => process.exit(INTERRUPTED));
  process.on('SIGINT', leave).on('SIGTERM', leave);
  const beganAtMs = performance.now();
  try {
    await story.play(stage);
  } finally {
    await stage.close();
  }
  const seconds = ((performance.now() - beganAtMs) / 1_000).toFixed(1);
  print(`\nstory ${story.number} was seen to its end, in ${seconds} s\n${stage.place ?? ''}`);
}

function readArguments(argv: readonly string[]): {
  readonly story: Story | undefined;
  readonly paceMs: number;
  readonly seenMsMax: number;
} {
  const { values, positionals } = parse(argv);
  const [name, ...others] = positionals;
  if (others.length > 0) throw wrongUse("expected 'weft story [NUMBER] [--pace SECONDS] [--limit SECONDS]'");
  const paceMs = readSeconds('pace', values.pace ?? String(PACE_S), 0, PACE_S_MAX);
  const seenMsMax = readSeconds('limit', values.limit ?? String(LIMIT_S), 1, LIMIT_S_MAX);
  const story = STORIES.find(({ number }) => String(number) === name);
  if (name !== undefined && story === undefined)
    throw wrongUse(`there is no story ${name}: there are ${STORIES.map(({ number }) => number).join(', ')}`);
  return { story, paceMs, seenMsMax };
}

/** @returns milliseconds */
function readSeconds(option: string, text: string, min: number, max: number): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
  if (!(seconds >= min && seconds <= max))
    throw wrongUse(`--${option}: expected ${min} to ${max} seconds, got '${text}'`);
  return seconds * 1_000;
}

function parse(argv: readonly string[]) {
  try {
    const options = { pace: { type: 'string' }, limit: { type: 'string' } } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message} ('weft help' lists the commands)`, {
      cause,
      exitCode: 2,
    });
  }
}

function wrongUse(message: string): OperatorError {
  return new OperatorError(message, { exitCode: 2 });
}
