// So many requests and no more, on connections that are kept from one time to the next: for turns that are too short for a generator of their own.
import { HubError } from '@weft/core/errors';
import { Pool } from 'undici';
import type { Target } from '../http-client.ts';
import { CONNECTIONS } from './run-load.ts';

export interface ExactLoad {
  /** Resolves when all are answered. @throws HubError when one is not answered by 200 */
  ask(requests: number): Promise<void>;
  close(): Promise<void>;
}

export function openExactLoad(
  { url, authorization }: Target,
  body: Buffer,
  connections = CONNECTIONS,
): ExactLoad {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(authorization === undefined ? {} : { authorization }),
  };
  const askOnce = () =>
    new Promise<void>((resolve, reject) => {
      let status = 0;
      const fail = (cause?: Error) =>
        reject(new HubError('UPSTREAM_INVALID', `a request failed under load (status ${status})`, { cause }));
      pool.dispatch(
        { path: pathname, method: 'POST', headers, body },
        {
          // undici refuses a handler that lacks one of these.
          onRequestStart: () => {},
          onResponseData: () => {},
          onResponseStart: (_controller, statusCode) => {
            status = statusCode;
          },
          onResponseEnd: () => (status === 200 ? resolve() : fail()),
          onResponseError: (_controller, cause) => fail(cause),
        },
      );
    });
  return {
    async ask(requests) {
      let left = requests;
      const askUntilNoneIsLeft = async () => {
        while (left > 0) {
          left -= 1;
          await askOnce();
        }
      };
      await Promise.all(Array.from({ length: connections }, askUntilNoneIsLeft));
    },
    close: () => pool.destroy(),
  };
}
