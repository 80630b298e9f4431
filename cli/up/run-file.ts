// What a running hub writes down: who runs where, so that another command finds it and the next start can clear up after a kill.
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';
import { holdExclusively, type Release } from '@weft/core/exclusive';
import { commandLineOf, freePort, isPortFree } from '@weft/core/process-table';
import { z } from 'zod';
import { ROOT } from '../checkout.ts';

const RUN = z.object({
  /** The supervisor. */
  pid: z.number(),
  /** Name of each supervised process to its id. */
  pids: z.record(z.string(), z.number()),
  /** Name to URL of everything that can be reached. */
  urls: z.record(z.string(), z.string()),
});

export type Run = z.infer<typeof RUN>;

const LEFTOVER_MS_MAX = 15_000;

/** The hub that runs, or ran last, in a home folder; undefined when there was none. */
export function readRun(home: string): Run | undefined {
  try {
    return RUN.parse(JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')));
  } catch {
    // None, or cut off while it was written: there is nothing to be learnt from it.
    return undefined;
  }
}

/** Replaces the file in one step: a reader never sees half of it. */
export function writeRun(home: string, run: Run): void {
  writeAtomically(join(home, 'run.json'), JSON.stringify(run, null, 2));
}

/** The hub ended in order. */
export function removeRun(home: string): void {
  rmSync(join(home, 'run.json'), { force: true });
}

/**
 * Makes this process the one hub of a home, until it ends, and ends what one that was killed left behind.
 * @returns gives the home back
 * @throws OperatorError when a hub runs here
 */
export async function takeOver(home: string): Promise<Release> {
  try {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, '.writable'), '');
  } catch (cause) {
    throw new OperatorError(`cannot write ${home}: give yourself write permission on it, or set WEFT_HOME`, {
      cause,
    });
  }
  const release = await holdExclusively(realpathSync(home));
  if (release === undefined) throw alreadyRuns(readRun(home));
  await endLeftovers(Object.values(readRun(home)?.pids ?? {}));
  return release;
}

function alreadyRuns(run: Run | undefined): OperatorError {
  const which = run === undefined ? '' : ` (process ${run.pid})`;
  return new OperatorError(
    `the hub runs already${which}: stop it first, or set WEFT_HOME and PORT for a second one`,
  );
}

async function endLeftovers(pids: readonly number[]): Promise<void> {
  const left = pids.filter(isPart);
  for (const pid of left) process.kill(pid, 'SIGTERM');
  const until = Date.now() + LEFTOVER_MS_MAX;
  while (left.some(isPart)) {
    if (Date.now() > until) for (const pid of left.filter(isPart)) process.kill(pid, 'SIGKILL');
    await delay(50);
  }
}

const PROGRAMS = ['gateway', 'subgraphs', 'connectors', 'events', 'webhooks', 'simulators'].map((part) =>
  join(ROOT, part, 'main.ts'),
);

/** A process id is used again by the system: only one that runs a program of this checkout is a part of ours. */
function isPart(pid: number): boolean {
  const words = commandLineOf(pid)?.split(' ') ?? [];
  return PROGRAMS.some((program) => words.includes(program));
}

const PORTS = z.record(z.string(), z.number());

/**
 * A port for each name: the one it had last time when that is free, else a free one. Kept, so that addresses last.
 * @param taken ports that somebody will listen on who does not yet
 */
export async function assignPorts<Name extends string>(
  home: string,
  names: readonly Name[],
  taken: ReadonlySet<number> = new Set(),
): Promise<Record<Name, number>> {
  const file = join(home, 'ports.json');
  const kept = readPorts(home);
  const ports = {} as Record<Name, number>;
  // Nobody listens on any of them before all are given.
  const given = new Set(taken);
  for (const name of names) {
    const before = kept[name];
    const isFree = before !== undefined && !given.has(before) && (await isPortFree(before, '127.0.0.1'));
    ports[name] = isFree ? before : await freePort(new Set([...given, ...Object.values(kept)]));
    given.add(ports[name]);
  }
  writeAtomically(file, JSON.stringify(ports, null, 2));
  return ports;
}

/** The ports of the last start, by name; empty before the first one. */
export function readPorts(home: string): Readonly<Record<string, number>> {
  try {
    return PORTS.parse(JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')));
  } catch {
    // The first start, or a damaged file: new ports.
    return {};
  }
}

function writeAtomically(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
