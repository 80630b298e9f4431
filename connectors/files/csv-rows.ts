// The rows of a CSV text, RFC 4180 and what old systems make of it: one object a row, its names from the header.
import type { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import type { FileLimits, FilesPlan } from '../plan.ts';
import { brokenAt, type FileRow } from './rows.ts';

/**
 * An empty cell is null. A row of fewer cells than the header, or of more that are not empty, is not sound.
 * @throws HubError as readRows, when the rows before were given
 */
export async function* readCsvRows(
  text: Readable,
  plan: Pick<FilesPlan, 'delimiter' | 'columns'>,
  limits: FileLimits,
): AsyncGenerator<FileRow> {
  const reader = createReader(plan, limits);
  for await (const part of text as AsyncIterable<string>) {
    await reader.write(part);
    yield* reader.take();
  }
  await reader.end();
  yield* reader.take();
  if (reader.isEmpty()) throw brokenAt(1, 'expected a header, got an empty file');
}

/** Feeds the parser a part at a time: what it found of a part is taken before the next, and before what broke it is told. */
function createReader({ delimiter, columns }: Pick<FilesPlan, 'delimiter' | 'columns'>, limits: FileLimits) {
  let header: readonly string[] | undefined;
  let rows: FileRow[] = [];
  let broken: unknown;
  // Where the row that is being read begins.
  let line = 1;
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: limits.rowBytesMax,
    cast: (cell, { index }) => {
      // An empty cell has no bytes that the parser counts: a line of commas would grow without end.
      if (index >= limits.columnsMax)
        throw brokenAt(line, `expected at most ${limits.columnsMax} columns`, 'columns');
      return cell;
    },
    on_record: (record: readonly string[], { lines }) => {
      if (header === undefined) header = readHeader(record, columns, line);
      else rows.push(rowOf(header, record, line));
      line = lines + 1;
      return null; // Nothing is left to the parser's own queue.
    },
  });
  parser.resume();
  parser.on('error', (thrown) => {
    broken ??= whyBroken(thrown, line, limits);
  });
  const settled = (work: (done: () => void) => void) => new Promise<void>((resolve) => work(resolve));
  return {
    write: (part: string) => settled((done) => parser.write(part, done)),
    end: () => settled((done) => parser.once('close', done).end()),
    isEmpty: () => header === undefined,
    *take(): Generator<FileRow> {
      const taken = rows;
      rows = [];
      yield* taken;
      if (broken !== undefined) throw broken;
    },
  };
}

function readHeader(cells: readonly string[], columns: readonly string[], line: number): readonly string[] {
  const names = cells.map((cell) => cell.trim());
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index);
  if (twice !== undefined) throw brokenAt(line, `the header has '${twice.slice(0, 50)}' twice`);
  const missing = columns.find((name) => !names.includes(name));
  if (missing !== undefined) throw brokenAt(line, `the header lacks '${missing}'`);
  return names;
}

function rowOf(header: readonly string[], cells: readonly string[], line: number): FileRow {
  const bytes = cells.reduce((sum, cell) => sum + cell.length * 2 + 16, 0);
  const excess = cells.slice(header.length).some((cell) => cell !== '');
  if (cells.length < header.length || excess) {
    const problem = `expected ${header.length} cells, got ${cells.length}`;
    // A list, since nobody can say which cell is whose.
    return { line, payload: cells, bytes, problem };
  }
  const entries = header.flatMap((name, index) =>
    name === '' ? [] : [[name, cells[index] || null] as const],
  );
  return { line, payload: Object.fromEntries(entries), bytes, problem: undefined };
}

function whyBroken(thrown: unknown, line: number, limits: FileLimits): unknown {
  const { code } = thrown as Partial<CsvError>;
  if (code === 'CSV_MAX_RECORD_SIZE') {
    const problem = `expected a row of at most ${limits.rowBytesMax} bytes: a quote may not be closed`;
    return brokenAt(line, problem, 'rowBytes');
  }
  if (code === 'CSV_QUOTE_NOT_CLOSED') return brokenAt(line, 'a quote is not closed');
  if (typeof code === 'string' && code.startsWith('CSV_')) return brokenAt(line, 'expected CSV');
  return thrown;
}
