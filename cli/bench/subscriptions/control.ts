// Questions from the bench to the programs that it starts, and their answers, over Node's IPC channel.
import type { ChildProcess } from 'node:child_process';
import { HubError } from '@weft/core/errors';

interface Question {
  readonly kind: 'ask';
  readonly number: number;
  readonly name: string;
  readonly body: unknown;
}

interface Answer {
  readonly kind: 'answer';
  readonly number: number;
  readonly body?: unknown;
  /** The message of what was thrown. */
  readonly failure?: string;
}

/** @throws HubError UPSTREAM_INVALID with what the program threw, UPSTREAM_UNAVAILABLE when it is gone; the signal's reason */
export type Ask = <Reply>(name: string, body: unknown, signal: AbortSignal) => Promise<Reply>;

/** The bench's side. */
export function createAsker(child: ChildProcess, name: string): Ask {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let count = 0;
  child.on('message', (message: Answer) => {
    if (message?.kind !== 'answer') return;
    const waiter = waiting.get(message.number);
    if (message.failure === undefined) waiter?.resolve(message.body);
    else waiter?.reject(new HubError('UPSTREAM_INVALID', `${name}: ${message.failure}`));
  });
  child.once('exit', () => {
    const gone = new HubError('UPSTREAM_UNAVAILABLE', `${name} has ended`);
    for (const waiter of waiting.values()) waiter.reject(gone);
  });
  return async <Reply>(question: string, body: unknown, signal: AbortSignal) => {
    signal.throwIfAborted();
    const number = count++;
    const waiter = Promise.withResolvers<unknown>();
    waiting.set(number, waiter);
    const onAbort = () => waiter.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      child.send({ kind: 'ask', number, name: question, body } satisfies Question, (error) => {
        if (error !== null) waiter.reject(new HubError('UPSTREAM_UNAVAILABLE', `${name}: ${error.message}`));
      });
      return (await waiter.promise) as Reply;
    } finally {
      signal.removeEventListener('abort', onAbort);
      waiting.delete(number);
    }
  };
}

/** What a program does when it is asked, by the question's name. */
export type Handlers = Readonly<Record<string, (body: never) => unknown>>;

/** The program's side. */
export function answerQuestions(handlers: Handlers): void {
  process.on('message', (message: Question) => {
    if (message?.kind === 'ask') void answer(handlers, message);
  });
}

async function answer(handlers: Handlers, { number, name, body }: Question): Promise<void> {
  try {
    const handler = handlers[name];
    if (handler === undefined) throw new HubError('BAD_USER_INPUT', `there is no question '${name}'`);
    send({ kind: 'answer', number, body: await handler(body as never) });
  } catch (thrown) {
    send({ kind: 'answer', number, failure: (thrown as Error).message });
  }
}

function send(message: Answer): void {
  // Who asked may be gone: nobody waits for the answer then.
  if (process.connected) process.send?.(message, () => undefined);
}
