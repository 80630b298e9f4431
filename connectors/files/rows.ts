// A file as rows: what every format yields, and how far it may be trusted.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { HubError } from '@weft/core/errors';
import iconv from 'iconv-lite';
import type { FileLimits, FilesPlan } from '../plan.ts';
import { readCsvRows } from './csv-rows.ts';
import { readXmlRows } from './xml-rows.ts';

/** One record of a file, understood as far as its format goes. */
export interface FileRow {
  /** From 1: where it begins. */
  readonly line: number;
  /** What mappings see as `$`; of a row that is not sound what there is of it. */
  readonly payload: unknown;
  /** About how much memory it takes. */
  readonly bytes: number;
  /** Why the row is not sound; undefined when it is. */
  readonly problem: string | undefined;
}

export interface RowOptions {
  readonly plan: Pick<FilesPlan, 'format' | 'record' | 'delimiter' | 'columns'>;
  /** Of the source; a byte-order mark, and the declaration of an XML file, go before it. */
  readonly encoding: string;
  readonly limits: FileLimits;
}

/**
 * The rows of a file on this machine, in order and one after the other: no more of the file is in memory than a few rows.
 * @throws HubError UPSTREAM_INVALID or LIMIT_EXCEEDED, with `line` in its details, where the rest of the file cannot be trusted
 */
export async function* readRows(path: string, options: RowOptions): AsyncGenerator<FileRow> {
  const { plan, limits } = options;
  const encoding = await encodingOf(path, plan.format, options.encoding);
  const text = Readable.from(decodeStream(path, encoding));
  const rows = plan.format === 'CSV' ? readCsvRows(text, plan, limits) : readXmlRows(text, plan, limits);
  let count = 0;
  try {
    for await (const row of rows) {
      count += 1;
      if (count > limits.rowsMax) throw brokenAt(row.line, `expected at most ${limits.rowsMax} rows`, 'rows');
      const isForeign = row.problem === undefined && hasReplacement(row.payload);
      yield isForeign ? { ...row, problem: `expected text in ${encoding}` } : row;
    }
  } finally {
    text.destroy();
  }
}

/** What is wrong with a file as a whole from a line on. @param limit the argument of FileLimits that was reached */
export function brokenAt(line: number, problem: string, limit?: string): HubError {
  return new HubError(
    limit === undefined ? 'UPSTREAM_INVALID' : 'LIMIT_EXCEEDED',
    `line ${line}: ${problem}`,
    {
      details: limit === undefined ? { line } : { line, limit },
    },
  );
}

const HEAD_BYTES = 512;
const REPLACEMENT = '\uFFFD';

/** A byte-order mark says it all; an XML declaration is next; then the source. */
async function encodingOf(path: string, format: FilesPlan['format'], encoding: string): Promise<string> {
  const handle = await open(path);
  const head = Buffer.alloc(HEAD_BYTES);
  const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0);
  await handle.close();
  const mark = head.subarray(0, Math.min(bytesRead, 3)).toString('hex');
  if (mark === 'efbbbf') return 'utf-8';
  if (mark.startsWith('fffe')) return 'utf-16le';
  if (mark.startsWith('feff')) return 'utf-16be';
  if (format === 'CSV') return encoding;
  const declared = /^<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']/.exec(head.toString('latin1'))?.[1];
  return declared !== undefined && iconv.encodingExists(declared) ? declared : encoding;
}

/** A mark at the beginning is dropped. */
async function* decodeStream(path: string, encoding: string): AsyncGenerator<string> {
  const decoder = iconv.getDecoder(encoding, { stripBOM: true });
  for await (const chunk of createReadStream(path)) {
    const text = decoder.write(chunk as Buffer);
    if (text !== '') yield text;
  }
  const rest = decoder.end();
  if (rest !== undefined && rest !== '') yield rest;
}

function hasReplacement(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(REPLACEMENT);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasReplacement);
}
