// A gateway as a process of its own, that tells its heap.
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { BARE_ENVIRONMENT } from '../support/environment.ts';
import type { ProbedMessage } from '../support/heap-probe.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const ANSWER_MS_MAX = 60_000;

export interface StormGateway {
  readonly graphql: string;
  readonly ws: string;
  readonly origin: string;
  readonly pid: number;
  /** Milliseconds from the start of the process to its word that it is ready. */
  readonly readyMs: number;
  /** Of what is no garbage. */
  heapBytes(): Promise<number>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** @param env all that it gets besides PATH, PORT and the level of its log */
export async function startStormGateway(env: Readonly<Record<string, string>>): Promise<StormGateway> {
  const startedAt = performance.now();
  const probe = new URL('../support/heap-probe.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--expose-gc', '--import', probe, 'gateway/main.ts'], {
    cwd: ROOT,
    env: {
      ...BARE_ENVIRONMENT,
      PORT: '0',
      WEFT_LOG_LEVEL: 'silent',
      WEFT_DRAIN_GRACE_MS: '0',
      WEFT_DRAIN_TIMEOUT_MS: '3000',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const told = await messageOf(child, exited, (message) => message.kind !== 'heap');
  if (told.kind !== 'ready') throw new Error(`the gateway did not start: ${JSON.stringify(told)}`);
  const { graphql = '', ws = '' } = told.urls;
  return {
    graphql,
    ws,
    origin: new URL(graphql).origin,
    pid: child.pid ?? 0,
    readyMs: performance.now() - startedAt,
    async heapBytes() {
      const answer = messageOf(child, exited, ({ kind }) => kind === 'heap');
      child.send({ kind: 'heap' });
      const message = await answer;
      return message.kind === 'heap' ? message.bytes : Number.NaN;
    },
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

function messageOf(
  child: ChildProcess,
  exited: Promise<number | null>,
  isWanted: (message: ProbedMessage) => boolean,
): Promise<ProbedMessage> {
  return new Promise((done, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error('the gateway says nothing'))), ANSWER_MS_MAX);
    const onMessage = (message: ProbedMessage) => {
      if (isWanted(message)) end(() => done(message));
    };
    const end = (settle: () => void) => {
      clearTimeout(timer);
      child.off('message', onMessage);
      settle();
    };
    child.on('message', onMessage);
    void exited.then((code) => end(() => reject(new Error(`the gateway ended with ${code}`))));
  });
}
