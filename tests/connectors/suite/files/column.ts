// What the columns of files share: an old system that leaves one file a change, with a marker behind it.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import iconv from 'iconv-lite';
import type { CaseName, SuiteFault, SuiteRecord, SuiteSystem } from '../column.ts';
import { type FolderWriter, openFolderWriter } from './folder-writer.ts';
import { type FileFormat, fileOf } from './format.ts';

/** What no file has, wherever it lies. */
export const NO_FILE_HAS: Partial<Readonly<Record<CaseName, string>>> = {
  'write unknown': 'Files are read and never written: the hub leaves nothing with such a system.',
};

const MARKER = '.ok';
/** How long a folder that was unmounted is away. */
const AWAY_MS = 200;

/** How the files are reached, beside the writer that leaves them. */
export interface FilePlace {
  readonly env: Readonly<Record<string, string>>;
  readonly counts?: { readonly reads: number; readonly atOnceMax: number };
  /** Sets a fault of the way there. @returns whether there is such a way to break it */
  fault?(fault: SuiteFault | undefined): boolean;
  restart?(): Promise<void>;
  close?(): Promise<void>;
}

/** @param folder of the SDL, below systems/ */
export async function startFiles(
  folder: string,
  format: FileFormat,
  openPlace: (root: string) => Promise<FilePlace>,
): Promise<SuiteSystem> {
  const home = mkdtempSync(join(tmpdir(), 'weft-suite-files-'));
  const writer = openFolderWriter(join(home, 'export'));
  openFolderWriter(join(writer.folder, 'out'));
  const place = await openPlace(writer.folder);
  let fault: SuiteFault | undefined;
  let count = 0;
  return {
    folder: fileURLToPath(new URL(`../systems/${folder}`, import.meta.url)),
    env: place.env,
    discover: format === 'CSV' ? ['--csv', exampleFile(home)] : undefined,
    readsStore: true,
    put: async () => undefined,
    async push(record) {
      count += 1;
      await leave(writer, `out/book_${count}.${format.toLowerCase()}`, record, format, fault);
    },
    reads: async () => place.counts?.reads ?? 0,
    concurrentReadsMax: async () => place.counts?.atOnceMax ?? 0,
    async fault(next) {
      const isOfTheWay = place.fault?.(next) === true;
      if (next !== undefined && !isOfTheWay && !OF_FILES.has(next)) throw new Error(`${next} cannot occur`);
      fault = next;
    },
    async restart() {
      if (place.restart !== undefined) return place.restart();
      // What a lost mount looks like to whoever reads.
      renameSync(writer.folder, `${writer.folder}.away`);
      await delay(AWAY_MS);
      renameSync(`${writer.folder}.away`, writer.folder);
    },
    async close() {
      await place.close?.();
      rmSync(home, { recursive: true });
    },
  };
}

/** What an old system gives whoever asks how its files look. */
function exampleFile(home: string): string {
  const file = join(home, 'book_1.csv');
  writeFileSync(file, iconv.decode(fileOf(EXAMPLE, 'CSV', undefined), 'gb18030'));
  return file;
}

const EXAMPLE: SuiteRecord = {
  id: 'R-1',
  name: '平江路1号',
  area: '320508017003',
  state: 'OPEN',
  version: 1,
  changedAt: '2026-11-22T08:00:00+08:00',
};

const OF_FILES: ReadonlySet<SuiteFault> = new Set([
  'slow',
  'half body',
  'wrong charset',
  'wrong type',
  'duplicate',
]);

async function leave(
  writer: FolderWriter,
  name: string,
  record: SuiteRecord,
  format: FileFormat,
  fault: SuiteFault | undefined,
): Promise<void> {
  const content = fileOf(record, format, fault);
  if (fault === 'slow') await writer.writeSlowly(name, content, 4, 60);
  else
    writer.write(
      name,
      fault === 'half body' ? content.subarray(0, Math.floor(content.length * 0.75)) : content,
    );
  writer.mark(name, MARKER);
}
