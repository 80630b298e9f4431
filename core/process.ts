// The life of one process of the hub: start, tell the supervisor, stop once and in bounded time.
import { OperatorError } from './errors.ts';

/** What a started process gives back: where it can be reached, and how to end it. */
export interface Started {
  /** Name to URL, told to the supervisor and printed. */
  readonly urls: Readonly<Record<string, string>>;
  /** Stops taking work, ends what is in flight, frees everything. Called once. */
  close(): Promise<void>;
}

/** Messages from a process to its supervisor over Node's IPC channel. */
export type ProcessMessage =
  | { readonly kind: 'ready'; readonly urls: Readonly<Record<string, string>> }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: number };

const CLOSE_MS_MAX = 8_000;

/**
 * Runs `start`, reports readiness or a one-line failure to the supervisor (and to standard error), and closes on
 * SIGTERM, on SIGINT or when the supervisor is gone. A close that takes longer than 8 s is cut off with exit code 1.
 */
export async function runProcess(name: string, start: () => Promise<Started>): Promise<void> {
  // A closed terminal or pipe must not hang the shutdown.
  process.stdout.on('error', ignoreClosedPipe);
  process.stderr.on('error', ignoreClosedPipe);
  let started: Started | undefined;
  let closing = false;
  const close = async (exitCode: number) => {
    if (closing) return;
    closing = true;
    setTimeout(() => process.exit(1), CLOSE_MS_MAX).unref();
    await started?.close();
    process.exit(exitCode);
  };
  process.on('SIGTERM', () => void close(0));
  process.on('SIGINT', () => void close(0));
  process.on('disconnect', () => void close(0));
  try {
    started = await start();
    if (closing) await started.close();
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
