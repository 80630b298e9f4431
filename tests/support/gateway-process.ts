// A gateway as a process of its own over a given supergraph: asked over HTTP, its memory read from outside.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compose, type Subgraph } from '@weft/schema/compose';
import { BARE_ENVIRONMENT } from './environment.ts';
import type { HeapMessage } from './heap-probe.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const PROBE = new URL('./heap-probe.ts', import.meta.url).href;
const READY_MS_MAX = 30_000;
const ANSWER_MS_MAX = 60_000;

export interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

export interface Timed {
  readonly answer: Answer;
  /** As it came. */
  readonly text: string;
  readonly ms: number;
}

export interface GatewayProcess {
  readonly origin: string;
  readonly pid: number;
  ask(query: string): Promise<Timed>;
  post(body: string): Promise<Timed>;
  /** Of `/health/live`. */
  healthMs(): Promise<number>;
  residentBytes(): number;
  /** Of its heap, what is left when all that nobody needs is collected: by `--expose-gc` and the probe alone. */
  heapBytes(): Promise<number>;
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Since the last `resetPeak()`. */
  peakResidentBytes(): number;
  resetPeak(): void;
  stop(): Promise<void>;
}

export async function startGatewayProcess(
  members: readonly Subgraph[],
  env: Readonly<Record<string, string>> = {},
  { probesHeap = false } = {},
): Promise<GatewayProcess> {
  const composition = compose(members);
  if (composition.errors !== undefined) throw new Error(JSON.stringify(composition.errors, null, 2));
  const home = mkdtempSync(join(tmpdir(), 'weft-gateway-'));
  const supergraphFile = join(home, 'supergraph.graphql');
  writeFileSync(supergraphFile, composition.supergraphSdl);
  const probe = probesHeap ? ['--expose-gc', '--import', PROBE] : [];
  const child = spawn(process.execPath, [...probe, 'gateway/main.ts'], {
    cwd: ROOT,
    env: {
      ...BARE_ENVIRONMENT,
      PORT: '0',
      WEFT_SUPERGRAPH_FILE: supergraphFile,
      WEFT_LOG_LEVEL: 'error',
      WEFT_DRAIN_GRACE_MS: '0',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    return gatewayAt(await readOrigin(child), child, home);
  } catch (thrown) {
    await stop(child, home);
    throw thrown;
  }
}

async function readOrigin(child: ChildProcess): Promise<string> {
  const signal = AbortSignal.timeout(READY_MS_MAX);
  const [message] = (await once(child, 'message', { signal })) as [
    { readonly kind: string; readonly urls?: { readonly graphql: string }; readonly message?: string },
  ];
  if (message.urls === undefined) throw new Error(`the gateway did not start: ${message.message}`);
  return new URL(message.urls.graphql).origin;
}

function gatewayAt(origin: string, child: ChildProcess, home: string): GatewayProcess {
  const pid = child.pid ?? 0;
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const post = (body: string) => timedPost(`${origin}/graphql`, body);
  return {
    origin,
    pid,
    exited,
    post,
    ask: (query) => post(JSON.stringify({ query })),
    async healthMs() {
      const startedAt = performance.now();
      const response = await fetch(`${origin}/health/live`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
      await response.text();
      if (response.status !== 200) throw new Error(`/health/live says ${response.status}`);
      return performance.now() - startedAt;
    },
    residentBytes: () => readStatus(pid, 'VmRSS'),
    async heapBytes() {
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const answered = once(child, 'message', { signal }) as Promise<[HeapMessage]>;
      child.send({ kind: 'heap' });
      return (await answered)[0].bytes;
    },
    peakResidentBytes: () => readStatus(pid, 'VmHWM'),
    // https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
    resetPeak: () => writeFileSync(`/proc/${pid}/clear_refs`, '5'),
    stop: () => stop(child, home),
  };
}

async function timedPost(url: string, body: string): Promise<Timed> {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const text = await response.text();
  return { text, answer: JSON.parse(text) as Answer, ms: performance.now() - startedAt };
}

function readStatus(pid: number, field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1_024;
}

async function stop(child: ChildProcess, home: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
  rmSync(home, { recursive: true, force: true });
}
