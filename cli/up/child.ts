// One supervised process: started, watched, started again when it falls, stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { delay } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';
import type { ProcessMessage } from '@weft/core/process';

export interface ChildSpec {
  readonly name: string;
  /** Absolute path of the program. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path; appended to. */
  readonly logFile: string;
  /** It stands for a system of other people: it is not ours to start again when it falls. */
  readonly simulated?: boolean;
}

const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;
const RESTART_MS_MIN = 250;
const RESTART_MS_MAX = 10_000;
/** A process that ran this long is healthy again: the back-off starts anew. */
const HEALTHY_MS = 30_000;

export class Child {
  readonly spec: ChildSpec;
  #process: ChildProcess | undefined;
  #stopping = false;
  #restartMs = RESTART_MS_MIN;
  readonly #tell: (line: string) => void;
  readonly #onPid: () => void;

  /** @param onPid called whenever a new process was started, so that its id can be written down */
  constructor(spec: ChildSpec, tell: (line: string) => void, onPid: () => void) {
    this.spec = spec;
    this.#tell = tell;
    this.#onPid = onPid;
  }

  /** False once its process has ended, and until it is started. */
  get isRunning(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * Starts it, waits until it says that it is ready, and keeps it running from then on.
   * @returns where it can be reached
   * @throws OperatorError with the process's own one-line reason
   */
  async start(): Promise<Readonly<Record<string, string>>> {
    const startedAt = performance.now();
    const child = this.#spawn();
    const urls = await readyUrls(this.spec, child);
    child.once('exit', (code, signal) => void this.#restart(startedAt, code, signal));
    return urls;
  }

  /** SIGTERM, and SIGKILL to one that has not gone after 10 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
      child.once('exit', () => {
        clearTimeout(force);
        resolve();
      });
      child.kill('SIGTERM');
    });
  }

  #spawn(): ChildProcess {
    const log = openSync(this.spec.logFile, 'a');
    const child = spawn(process.execPath, [this.spec.script], {
      env: this.spec.env,
      stdio: ['ignore', log, log, 'ipc'],
      // Ctrl-C in the terminal must reach the supervisor alone: it stops the parts in order. When the supervisor is
      // killed, the IPC channel closes and the process ends by itself.
      detached: true,
    });
    closeSync(log);
    this.#process = child;
    this.#onPid();
    return child;
  }

  async #restart(startedAt: number, code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    if (this.#stopping) return;
    const ended = `${this.spec.name} ended (${signal ?? `exit code ${code}`})`;
    if (this.spec.simulated === true) {
      this.#tell(`${ended}: 'npm run -s weft -- simulate ${this.spec.name}' brings it back`);
      return;
    }
    if (performance.now() - startedAt > HEALTHY_MS) this.#restartMs = RESTART_MS_MIN;
    this.#tell(
      `${this.spec.name} ended (${signal ?? `exit code ${code}`}): starting it again; its log is ${this.spec.logFile}`,
    );
    await delay(this.#restartMs);
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MS_MAX);
    if (this.#stopping) return;
    try {
      await this.start();
      this.#tell(`${this.spec.name} is back`);
    } catch (thrown) {
      this.#tell((thrown as Error).message);
      void this.#restart(performance.now(), 1, null);
    }
  }
}

function readyUrls(spec: ChildSpec, child: ChildProcess): Promise<Readonly<Record<string, string>>> {
  return new Promise((resolve, reject) => {
    const fail = (message: string, exitCode = 1) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new OperatorError(message, { exitCode }));
    };
    const timer = setTimeout(
      () => fail(`${spec.name} was not ready after ${READY_MS_MAX / 1000} s: see ${spec.logFile}`),
      READY_MS_MAX,
    );
    child.on('message', (message: ProcessMessage) => {
      if (message.kind === 'failed')
        return fail(`${spec.name}: ${message.message.split('\n')[0]}`, message.exitCode);
      clearTimeout(timer);
      resolve(message.urls);
    });
    child.once('error', (error) => fail(`${spec.name} cannot be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      fail(`${spec.name} ended while it started (${signal ?? `exit code ${code}`}): see ${spec.logFile}`),
    );
  });
}
