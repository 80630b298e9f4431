// One process of the bench: started on its core, watched while it starts, always stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { compileCacheEnvironment } from '@weft/core/compile-cache';
import { HubError } from '@weft/core/errors';
import type { ProcessMessage } from '@weft/core/process';
import { type Ask, createAsker } from './subscriptions/control.ts';

export interface ProgramSpec {
  readonly name: string;
  /** The command line, pinned or not. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Absolute; overwritten. */
  readonly logFile: string;
}

export interface Program {
  readonly name: string;
  readonly pid: number;
  /** What it writes to its standard output and error; absolute. */
  readonly logFile: string;
  /** Undefined while it runs; then why not. */
  ended(): string | undefined;
  /** Its addresses, for programs of ours, which tell them. @throws HubError when it ends instead, or the signal aborts */
  ready(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Asks a program of ours that answers questions (`subscriptions/control.ts`). */
  readonly ask: Ask;
  /** SIGTERM, and SIGKILL after 5 s. */
  stop(): Promise<void>;
}

const STOP_MS_MAX = 5_000;

export function startProgram({ name, command, env, cwd, logFile }: ProgramSpec): Program {
  const log = openSync(logFile, 'w');
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    // The IPC channel closes when the bench is killed: the program then ends by itself.
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  let failure: string | undefined;
  let urls: Readonly<Record<string, string>> | undefined;
  child.on('message', (message: ProcessMessage) => {
    if (message?.kind === 'ready') urls = message.urls;
  });
  child.once('error', (error) => {
    failure = `cannot be started: ${error.message}`;
  });
  const ended = () =>
    failure ??
    (child.exitCode === null && child.signalCode === null
      ? undefined
      : `ended with ${child.signalCode ?? `exit code ${child.exitCode}`}: see ${logFile}`);
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    ended,
    ask: createAsker(child, name),
    ready: (signal) => untilReady(child, name, () => urls, ended, signal),
    stop: () => stop(child),
  };
}

function untilReady(
  child: ChildProcess,
  name: string,
  urls: () => Readonly<Record<string, string>> | undefined,
  ended: () => string | undefined,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      const told = urls();
      if (told !== undefined) resolve(told);
      else if (ended() !== undefined) reject(new HubError('UPSTREAM_UNAVAILABLE', `${name} ${ended()}`));
      else if (signal.aborted) reject(signal.reason);
      else return;
      child.off('message', settle).off('exit', settle).off('error', settle);
      signal.removeEventListener('abort', settle);
    };
    child.on('message', settle).on('exit', settle).on('error', settle);
    signal.addEventListener('abort', settle);
    settle();
  });
}

function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** What every candidate gets: no setting of the one who starts the bench leaks into what is measured. */
export function bareEnvironment(
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, NODE_ENV: 'production', ...compileCacheEnvironment(), ...more };
}
