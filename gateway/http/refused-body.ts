// The body of a request that is refused before all of it has come.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { HttpLimits } from './limits.ts';

type RefusedLimits = Pick<HttpLimits, 'refusedBytesMax' | 'refusedTimeoutMs'>;

/**
 * The answer to a request that is still sending: all of it at once, and its end when the body has ended. What still comes is
 * forgotten; of a connection that is closed while it sends, a client finds the close and not the answer
 * (https://www.rfc-editor.org/rfc/rfc9112#section-9.6). It needs its Content-Length. Who goes on beyond a limit is cut off.
 */
export function untilSent(request: IncomingMessage, answer: string, limits: RefusedLimits): Readable {
  const sent = forgetBody(request, limits);
  return Readable.from(
    (async function* () {
      yield answer;
      await sent;
    })(),
    { objectMode: false },
  );
}

function forgetBody(
  request: IncomingMessage,
  { refusedBytesMax, refusedTimeoutMs }: RefusedLimits,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    request.destroy();
    resolve();
  }, refusedTimeoutMs);
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > refusedBytesMax) request.destroy();
  });
  // Whoever breaks off has been answered.
  request.on('error', () => undefined);
  for (const event of ['end', 'close']) request.once(event, () => resolve());
  request.resume();
  return promise.finally(() => clearTimeout(timer));
}
