// Posts JSON on connections that are kept: what `fetch` takes besides, the hub on the same machine would lack.
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });

export interface Posted {
  readonly status: number;
  readonly text: string;
}

/** @throws when there is no whole answer in time */
export function postJson(
  url: string,
  body: object,
  { headers = {}, msMax }: { readonly headers?: Readonly<Record<string, string>>; readonly msMax: number },
): Promise<Posted> {
  const { promise, resolve, reject } = Promise.withResolvers<Posted>();
  const text = JSON.stringify(body);
  const sent = request(url, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers },
  });
  const late = setTimeout(() => sent.destroy(new Error(`${url}: no answer in ${msMax} ms`)), msMax);
  sent.on('response', (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      clearTimeout(late);
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
    });
    response.on('error', reject);
    response.on('aborted', () => reject(new Error(`${url}: the answer was broken off`)));
  });
  sent.on('error', (error) => {
    clearTimeout(late);
    reject(error);
  });
  sent.end(text);
  return promise;
}
