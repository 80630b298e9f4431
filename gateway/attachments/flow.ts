// A stream that passes bytes on, and ends when they come or go too slowly or are too many.
import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { HubError } from '@weft/core/errors';

export interface FlowLimits {
  /** Between two chunks, whoever holds them up. */
  readonly idleMs: number;
  readonly totalMs?: number;
  readonly bytesMax?: number;
}

export interface Flow {
  readonly stream: Transform;
  /** Of what has passed. */
  readonly bytes: () => number;
  /** SHA-256 in hex of all that has passed; once. */
  readonly sha256: () => string;
}

/** It is destroyed with a HubError: DEADLINE_EXCEEDED, or LIMIT_EXCEEDED. */
export function createFlow({ idleMs, totalMs, bytesMax = Number.POSITIVE_INFINITY }: FlowLimits): Flow {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      idle.refresh();
      bytes += chunk.length;
      if (bytes > bytesMax) return done(tooLong(bytesMax));
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      stop();
      done();
    },
    destroy(error, done) {
      stop();
      done(error);
    },
  });
  const idle = setTimeout(() => stream.destroy(late('idleMs', idleMs)), idleMs);
  const whole =
    totalMs === undefined ? undefined : setTimeout(() => stream.destroy(late('totalMs', totalMs)), totalMs);
  const stop = () => {
    clearTimeout(idle);
    clearTimeout(whole);
  };
  return { stream, bytes: () => bytes, sha256: () => hash.digest('hex') };
}

function late(limit: string, max: number): HubError {
  return new HubError('DEADLINE_EXCEEDED', `The bytes did not come in time: ${limit} is ${max} ms.`, {
    details: { limit, max },
  });
}

/** Of what has more bytes than it may. */
export function tooLong(max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `An attachment has at most ${max} bytes.`, {
    details: { limit: 'attachmentBytesMax', max },
  });
}
