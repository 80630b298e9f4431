// Runs one stretch of load: with wrk where it is installed, else with the load generator in Node.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { deadlineSignal } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import { LOAD_CORE, pinned } from '../pinning.ts';
import { bareEnvironment } from '../program.ts';

/** Keep-alive connections that each have one request under way. */
export const CONNECTIONS = 50;

/** What a stretch may last beyond its time: answers under way are waited for. */
const OVERTIME_MS_MAX = 60_000;
const OUTPUT_CHARACTERS_MAX = 100_000;

export type LoadTool = 'wrk' | 'node';

export interface LoadSpec {
  readonly tool: LoadTool;
  readonly url: string;
  /** Header of every request; undefined: none. */
  readonly authorization: string | undefined;
  /** What is posted. */
  readonly bodyFile: string;
  readonly seconds: number;
  readonly isPinning: boolean;
}

export interface LoadResult {
  readonly requests: number;
  readonly elapsedMs: number;
  /** Connections that broke, statuses other than 2xx and 3xx, time-outs. */
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** wrk takes a tenth of the processor that a generator in Node takes: it is preferred. */
export function findLoadTool(): LoadTool {
  // `wrk -v` prints its version and ends with 1.
  return spawnSync('wrk', ['-v']).error === undefined ? 'wrk' : 'node';
}

/** @throws HubError when the generator fails or does not end; the signal's reason when it aborts */
export async function runLoad(spec: LoadSpec, signal: AbortSignal): Promise<LoadResult> {
  const output = await run(spec, deadlineSignal(spec.seconds * 1_000 + OVERTIME_MS_MAX, signal));
  const line = /RESULT (\{.*\})/.exec(output)?.[1];
  if (line === undefined) {
    throw new HubError(
      'UPSTREAM_UNAVAILABLE',
      `the load generator ${spec.tool} failed: ${output.slice(0, 500)}`,
    );
  }
  return JSON.parse(line) as LoadResult;
}

function commandOf({ tool, url, bodyFile, seconds }: LoadSpec): readonly string[] {
  if (tool === 'node') {
    const script = join(import.meta.dirname, 'node-load.ts');
    return [process.execPath, script, url, bodyFile, String(CONNECTIONS), String(seconds)];
  }
  const script = join(import.meta.dirname, 'result.lua');
  return ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', '30s', '-s', script, url];
}

function run(spec: LoadSpec, signal: AbortSignal): Promise<string> {
  const [file = '', ...args] = pinned(commandOf(spec), LOAD_CORE, spec.isPinning);
  const child = spawn(file, args, {
    env: bareEnvironment({ BODY_FILE: spec.bodyFile, AUTHORIZATION: spec.authorization ?? '' }),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    if (output.length < OUTPUT_CHARACTERS_MAX) output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(signal.aborted ? signal.reason : error));
    child.once('close', () => resolve(output));
  });
}
