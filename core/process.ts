// The life of one process of the hub: start, tell the supervisor, stop once and in bounded time.
import { OperatorError } from './errors.ts';

/** What a started process gives back: where it can be reached, and how to end it. */
export interface Started {
  /** Name to URL, told to the supervisor and printed. */
  readonly urls: Readonly<Record<string, string>>;
  /** Says that it is about to end, and waits until it is sent no more work. Called before `close` on SIGTERM, and only then. */
  drain?(): Promise<void>;
  /** For `drain` and `close` together; then the process is cut off. Default 8 s. */
  readonly stopMsMax?: number;
  /** Stops taking work, ends what is in flight, frees everything. Called once. */
  close(): Promise<void>;
}

/** Messages from a process to its supervisor over Node's IPC channel. */
export type ProcessMessage =
  | { readonly kind: 'ready'; readonly urls: Readonly<Record<string, string>> }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: number };

const STOP_MS_MAX = 8_000;
/** Ctrl-C reaches a process twice when npm passes it on: a signal so soon after the first is the same. */
const ECHO_MS = 500;

/**
 * Runs `start`, reports readiness or a one-line failure to the supervisor (and to standard error), drains and closes on
 * SIGTERM, closes on SIGINT or when the supervisor is gone. A second signal, or a stop that takes longer than `stopMsMax`,
 * cuts it off with exit code 1.
 */
export async function runProcess(name: string, start: () => Promise<Started>): Promise<void> {
  // A closed terminal or pipe must not hang the shutdown.
  process.stdout.on('error', ignoreClosedPipe);
  process.stderr.on('error', ignoreClosedPipe);
  let started: Started | undefined;
  let stoppingSinceMs: number | undefined;
  const stop = async (isDraining: boolean) => {
    if (stoppingSinceMs !== undefined) return;
    stoppingSinceMs = performance.now();
    setTimeout(() => process.exit(1), started?.stopMsMax ?? STOP_MS_MAX).unref();
    if (isDraining) await started?.drain?.();
    await started?.close();
    process.exit(0);
  };
  const onSignal = (isDraining: boolean) => {
    if (stoppingSinceMs !== undefined && performance.now() - stoppingSinceMs > ECHO_MS) process.exit(1);
    void stop(isDraining);
  };
  process.on('SIGTERM', () => onSignal(true));
  process.on('SIGINT', () => onSignal(false));
  process.on('disconnect', () => void stop(false));
  try {
    started = await start();
    if (stoppingSinceMs !== undefined) await started.close();
    else await send({ kind: 'ready', urls: started.urls });
  } catch (thrown) {
    const message = thrown instanceof OperatorError ? thrown.message : `${(thrown as Error).stack ?? thrown}`;
    process.stderr.write(`weft ${name}: ${message}\n`);
    const exitCode = thrown instanceof OperatorError ? thrown.exitCode : 70;
    await send({ kind: 'failed', message, exitCode });
    process.exit(exitCode);
  }
}

function send(message: ProcessMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    // The supervisor may be gone already; 'disconnect' then does what is needed.
    process.send(message, () => resolve());
  });
}

/** EPIPE on a log stream says only that nobody reads it any more. */
function ignoreClosedPipe(): void {}
