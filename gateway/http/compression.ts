// Compresses an answer in the content coding that its client would rather have (https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3).
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export type AnswerCoding = 'br' | 'gzip';

/** Accept-Encoding is a list that a client may make long; what is beyond this is not read. */
const ACCEPT_ENCODING_CHARS_MAX = 500;

/** The coding with the highest quality, `br` of equal ones; undefined when the answer goes as it is. */
export function negotiateCoding(acceptEncoding: string | undefined): AnswerCoding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const qualities = new Map<string, number>();
  for (const item of acceptEncoding.slice(0, ACCEPT_ENCODING_CHARS_MAX).toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const quality = parameters.find((part) => part.startsWith('q='));
    const value = quality === undefined ? 1 : Number(quality.slice(2));
    if (name !== '') qualities.set(name, Number.isFinite(value) ? value : 0);
  }
  const qualityOf = (name: string) => qualities.get(name) ?? qualities.get('*') ?? 0;
  const [br, gz] = [qualityOf('br'), Math.max(qualityOf('gzip'), qualities.get('x-gzip') ?? 0)];
  if (br === 0 && gz === 0) return undefined;
  return br >= gz ? 'br' : 'gzip';
}

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);

/** Levels at which both take about as long as the network saves; higher ones are for what is stored. */
const GZIP_LEVEL = 5;
const BROTLI_QUALITY = 4;

/** Off the event loop. */
export function compress(body: string, coding: AnswerCoding): Promise<Buffer> {
  switch (coding) {
    case 'br':
      return compressBrotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
    case 'gzip':
      return compressGzip(body, { level: GZIP_LEVEL });
    default:
      return coding satisfies never;
  }
}
