// Reads the text of the issuer's key set, from its URL or from a file, in bounded time and size.
import { open } from 'node:fs/promises';
import { HubError, OperatorError } from '@weft/core/errors';
import { request } from 'undici';

/** A URL is asked without following redirects: another address is another issuer. */
export type KeyLocation = { readonly url: URL } | { readonly file: string };

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** @throws OperatorError when keys would come over a line that others can write on */
export function locateKeys(setting: string): KeyLocation {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(setting)) return { file: setting };
  const url = URL.canParse(setting) ? new URL(setting) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (url === undefined || !isSafe)
    throw new OperatorError('WEFT_JWKS: expected https://…, http:// on this machine, or a file', {
      exitCode: 2,
    });
  return { url };
}

/** @throws HubError when it cannot be read, or has more than `bytesMax` bytes */
export function loadKeys(location: KeyLocation, bytesMax: number, signal: AbortSignal): Promise<string> {
  return 'url' in location ? loadUrl(location.url, bytesMax, signal) : loadFile(location.file, bytesMax);
}

async function loadUrl(url: URL, bytesMax: number, signal: AbortSignal): Promise<string> {
  const headers = { accept: 'application/jwk-set+json, application/json' };
  const { statusCode, body } = await request(url, { signal, headers });
  if (statusCode !== 200) {
    // What is given up fails with an abort, which nobody waits for.
    body.on('error', () => undefined).destroy();
    throw new HubError('UPSTREAM_INVALID', `the issuer answered with status ${statusCode}`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // To leave the loop is to give up the rest.
    if (bytes > bytesMax) throw tooLong(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function loadFile(file: string, bytesMax: number): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    if (size > bytesMax) throw tooLong(bytesMax);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function tooLong(bytesMax: number): HubError {
  return new HubError('UPSTREAM_INVALID', `the issuer's key set has more than ${bytesMax} bytes`);
}
