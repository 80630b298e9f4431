// A thread that does one kind of work for a process, one piece at a time, each bounded in time and memory.
import { Worker } from 'node:worker_threads';
import { OperatorError } from '@weft/core/errors';

export interface WorkerLimits {
  /** Of one piece of work; its thread is ended then. */
  readonly timeoutMs: number;
  /** Old-space heap of the thread. */
  readonly heapMbMax: number;
  /** Pieces of work that may wait for their turn; default 100. */
  readonly waitingMax?: number | undefined;
}

export interface BoundedWorker<Task, Result> {
  /**
   * @throws OperatorError when the work takes too long or too much memory, when its thread falls, or when too many wait; the
   *   next piece has a fresh thread
   */
  run(task: Task): Promise<Result>;
  /** Ends the thread, and what is under way with an error. */
  close(): Promise<void>;
}

const WAITING_MAX = 100;
/** A thread that has had nothing to do for so long gives its memory back. */
const IDLE_MS_MAX = 60_000;

/**
 * @param program answers each message of its parent with one
 * @param failure begins every error: `the graph could not be composed`
 */
export function openBoundedWorker<Task, Result>(
  program: URL,
  limits: WorkerLimits,
  failure: string,
): BoundedWorker<Task, Result> {
  const fail = (reason: string, cause?: unknown) => new OperatorError(`${failure}: ${reason}`, { cause });
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const end = async () => {
    const ended = worker;
    worker = undefined;
    await ended?.terminate();
  };
  const runNow = async (task: Task): Promise<Result> => {
    if (isClosed) throw fail('the process ends');
    clearTimeout(idle);
    worker ??= openThread(program, limits);
    try {
      const result = await answerOf<Task, Result>(worker, task, limits, fail);
      idle = setTimeout(() => void end(), IDLE_MS_MAX).unref();
      worker.unref();
      return result;
    } catch (thrown) {
      await end();
      throw thrown;
    }
  };
  return {
    async run(task) {
      if (waiting >= (limits.waitingMax ?? WAITING_MAX)) throw fail(`${waiting} others wait already`);
      waiting += 1;
      const mine = turn.then(() => runNow(task)).finally(() => (waiting -= 1));
      // Whoever is next waits for the end, not for the outcome.
      turn = mine.catch(() => undefined);
      return await mine;
    },
    async close() {
      isClosed = true;
      clearTimeout(idle);
      await end();
    },
  };
}

function openThread(program: URL, { heapMbMax }: WorkerLimits): Worker {
  const worker = new Worker(program, {
    resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
    // A thread of the process's own, but not one that may see its settings.
    env: {},
  });
  // Of a thread that has nothing to do, or is being ended, nobody else hears an error, and the process would fall by it.
  return worker.on('error', () => undefined);
}

async function answerOf<Task, Result>(
  worker: Worker,
  task: Task,
  { timeoutMs, heapMbMax }: WorkerLimits,
  fail: (reason: string, cause?: unknown) => OperatorError,
): Promise<Result> {
  const answered = Promise.withResolvers<Result>();
  const onMessage = (result: Result) => answered.resolve(result);
  const onError = (error: unknown) => answered.reject(fail(reasonOf(error, heapMbMax), error));
  const onExit = (code: number) => answered.reject(fail(`its thread ended with code ${code}`));
  const timer = setTimeout(() => answered.reject(fail(`it took longer than ${timeoutMs} ms`)), timeoutMs);
  worker.ref();
  worker.on('message', onMessage).on('error', onError).on('exit', onExit).postMessage(task);
  try {
    return await answered.promise;
  } finally {
    clearTimeout(timer);
    worker.off('message', onMessage).off('error', onError).off('exit', onExit);
  }
}

function reasonOf(error: unknown, heapMbMax: number): string {
  if ((error as { readonly code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY')
    return `it took more than ${heapMbMax} MB`;
  return error instanceof Error ? error.message : String(error);
}
