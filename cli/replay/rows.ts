// Reads a CSV of municipal requests through a mapping: rows in order of creation, and those that cannot be used.
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { OperatorError } from '@weft/core/errors';
import { type CsvError, type Info, parse } from 'csv-parse';
import { type Mapping, missingColumns, type RequestType } from './mapping.ts';
import { createTimeReader, type TimeReader, toShanghaiText } from './wall-time.ts';

/** A request as the hotline's control takes it, and when it is due. */
export interface ReplayRow {
  /** The line of the file on which the row ends, from 1. */
  readonly line: number;
  readonly createdAtMs: number;
  readonly order: {
    readonly externalRef: string;
    readonly subject: string;
    readonly content: string;
    readonly kind: string;
    readonly areaCode: string;
    readonly address: string;
    readonly itemCode?: string;
    readonly source: string;
    readonly acceptTime: string;
  };
  /** Set when the police were told too. */
  readonly policeCategory?: string;
}

export interface RefusedRow {
  readonly line: number;
  readonly reason: string;
}

export interface ReadRows {
  /** Sorted by time of creation, then by id. */
  readonly rows: readonly ReplayRow[];
  /** In the order of their lines. */
  readonly refused: readonly RefusedRow[];
  /** Rows whose area is blank or not listed: they went to the mapping's default. */
  readonly areaDefaulted: number;
}

/** All rows are held in memory, to be sorted: about 1 kB each. */
const ROWS_MAX = 1_000_000;
const ROW_BYTES_MAX = 65_536;
const ID_CHARS_MAX = 100;

type Cells = Readonly<Record<string, string>>;

/**
 * Reads the whole file. A row that cannot be used is reported with its line, and the rest goes on.
 * @throws OperatorError when the file cannot be read, has more than 1,000,000 rows, or lacks a column of the mapping
 */
export async function readRows(file: string, mapping: Mapping, signal?: AbortSignal): Promise<ReadRows> {
  const collector = new RowCollector(mapping);
  await parseCsv(file, (cells, line) => collector.take(cells, line), {
    onHeader: (header) => requireColumns(file, mapping, header),
    onSkip: (line, reason) => collector.refuse(line, reason),
    signal,
  });
  return collector.finish();
}

/** The names of a CSV's columns. */
export async function readHeader(file: string): Promise<readonly string[]> {
  let header: readonly string[] = [];
  const enough = new AbortController();
  const onHeader = (names: readonly string[]) => {
    header = names;
    enough.abort();
  };
  try {
    await parseCsv(file, () => {}, { onHeader, onSkip: () => {}, signal: enough.signal });
  } catch (thrown) {
    if (!enough.signal.aborted) throw thrown;
  }
  return header;
}

interface ParseEvents {
  readonly onHeader: (header: readonly string[]) => void;
  readonly onSkip: (line: number, reason: string) => void;
  readonly signal: AbortSignal | undefined;
}

async function parseCsv(
  file: string,
  onRow: (cells: Cells, line: number) => void,
  events: ParseEvents,
): Promise<void> {
  const parser = parse({
    bom: true,
    columns: (header: string[]) => {
      events.onHeader(header);
      return header;
    },
    info: true,
    max_record_size: ROW_BYTES_MAX,
    skip_empty_lines: true,
    skip_records_with_error: true,
  });
  parser.on('skip', (error: CsvError | undefined) => {
    const line = error === undefined ? 0 : Number(error.lines ?? 0);
    events.onSkip(line, error?.message ?? 'not readable as CSV');
  });
  try {
    await pipeline(
      createReadStream(file),
      parser,
      async (records: AsyncIterable<{ record: Cells; info: Info }>) => {
        for await (const { record, info } of records) onRow(record, info.lines);
      },
      ...(events.signal === undefined ? [] : [{ signal: events.signal }]),
    );
  } catch (cause) {
    if (cause instanceof OperatorError || events.signal?.aborted) throw cause;
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new OperatorError(isMissing ? `there is no file ${file}` : `${file}: ${(cause as Error).message}`, {
      cause,
      exitCode: isMissing ? 2 : 1,
    });
  }
}

function requireColumns(file: string, mapping: Mapping, header: readonly string[]): void {
  const missing = missingColumns(mapping, header);
  if (missing.length === 0) return;
  throw new OperatorError(
    `${file} has no column ${missing.join(', ')}, which mapping '${mapping.name}' reads; it has: ${header.join(', ')}`,
    { exitCode: 2 },
  );
}

/** What a row must have to be used. */
interface CheckedRow {
  readonly id: string;
  readonly createdAtMs: number;
  readonly type: RequestType;
}

/** A cell may read `constructor`: only what the mapping itself lists counts. */
function lookUp<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

class RowCollector {
  readonly #mapping: Mapping;
  readonly #readTime: TimeReader;
  readonly #rows: ReplayRow[] = [];
  readonly #refused: RefusedRow[] = [];
  readonly #lineById = new Map<string, number>();
  #areaDefaulted = 0;

  constructor(mapping: Mapping) {
    this.#mapping = mapping;
    this.#readTime = createTimeReader(mapping.time.pattern, mapping.time.zone);
  }

  take(cells: Cells, line: number): void {
    if (this.#rows.length >= ROWS_MAX) {
      throw new OperatorError(`line ${line}: at most ${ROWS_MAX} rows can be replayed; split the file`);
    }
    const checked = this.#check(cells);
    if ('reason' in checked) {
      this.refuse(line, checked.reason);
      return;
    }
    this.#lineById.set(checked.id, line);
    this.#rows.push(this.#toRow(cells, line, checked));
  }

  refuse(line: number, reason: string): void {
    this.#refused.push({ line, reason });
  }

  finish(): ReadRows {
    this.#rows.sort(
      (a, b) => a.createdAtMs - b.createdAtMs || (a.order.externalRef < b.order.externalRef ? -1 : 1),
    );
    this.#refused.sort((a, b) => a.line - b.line);
    return { rows: this.#rows, refused: this.#refused, areaDefaulted: this.#areaDefaulted };
  }

  #check(cells: Cells): CheckedRow | { readonly reason: string } {
    const id = this.#cell(cells, 'id');
    if (id === '') return { reason: 'the id is blank' };
    if (id.length > ID_CHARS_MAX) return { reason: `the id is longer than ${ID_CHARS_MAX} characters` };
    const lineBefore = this.#lineById.get(id);
    if (lineBefore !== undefined) return { reason: `id ${id} stands on line ${lineBefore} already` };
    const createdAtText = this.#cell(cells, 'createdAt');
    const createdAtMs = this.#readTime(createdAtText);
    if (createdAtMs === undefined) {
      return { reason: `'${createdAtText}' is not a time of the form ${this.#mapping.time.pattern}` };
    }
    const typeName = this.#cell(cells, 'type');
    const type = lookUp(this.#mapping.types, typeName) ?? this.#mapping.typeDefault;
    return type === undefined
      ? { reason: `type '${typeName}' is not in the mapping` }
      : { id, createdAtMs, type };
  }

  #toRow(cells: Cells, line: number, { id, createdAtMs, type }: CheckedRow): ReplayRow {
    return {
      line,
      createdAtMs,
      order: {
        externalRef: id,
        subject: type.subject,
        content: this.#mapping.content.replaceAll(/\{([^}]*)\}/g, (_, column: string) =>
          (cells[column] ?? '').trim(),
        ),
        kind: type.kind,
        areaCode: this.#areaCode(this.#cell(cells, 'area')),
        address: this.#cell(cells, 'address'),
        ...(type.itemCode === undefined ? {} : { itemCode: type.itemCode }),
        source: lookUp(this.#mapping.sources, this.#cell(cells, 'source')) ?? this.#mapping.sourceDefault,
        acceptTime: toShanghaiText(createdAtMs),
      },
      ...(type.police === undefined ? {} : { policeCategory: type.police.category }),
    };
  }

  #areaCode(area: string): string {
    const listed = lookUp(this.#mapping.areas, area);
    if (listed !== undefined) return listed;
    this.#areaDefaulted += 1;
    return this.#mapping.areaDefault;
  }

  #cell(cells: Cells, field: keyof Mapping['columns']): string {
    return (cells[this.#mapping.columns[field]] ?? '').trim();
  }
}
