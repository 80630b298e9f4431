// The last good graph on the disk of the gateway: what it serves from when the registry is away.
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { SIGNED_SUPERGRAPH, type SignedSupergraph } from './signed-supergraph.ts';

/** With its payload. */
export type WholeSupergraph = SignedSupergraph & { readonly payload: string };

export interface DiskCopy {
  readonly file: string;
  /**
   * Undefined where there is none. Nothing of it is verified but its form.
   * @throws OperatorError naming the file, when it cannot be read or has another form
   */
  read(): Promise<WholeSupergraph | undefined>;
  /** In one step: whoever reads has the old one or the new one. Rejects with what the system says. */
  write(signed: WholeSupergraph): Promise<void>;
}

/** @param folder made when it is not there */
export function createDiskCopy(folder: string, variant: string, bytesMax: number): DiskCopy {
  const file = join(folder, `${variant}.json`);
  return {
    file,
    read: () => readCopy(file, bytesMax),
    async write(signed) {
      await mkdir(folder, { recursive: true });
      const beside = `${file}.${process.pid}.new`;
      try {
        await writeSynced(beside, JSON.stringify(signed));
        await rename(beside, file);
      } catch (thrown) {
        await rm(beside, { force: true });
        throw thrown;
      }
      await syncFolder(folder);
    },
  };
}

async function readCopy(file: string, bytesMax: number): Promise<WholeSupergraph | undefined> {
  const text = await readText(file, bytesMax);
  if (text === undefined) return undefined;
  const parsed = SIGNED_SUPERGRAPH.safeParse(parseJson(text));
  if (parsed.success && parsed.data.payload !== null) return { ...parsed.data, payload: parsed.data.payload };
  throw new OperatorError(`${file} is not the copy of a graph`);
}

async function readText(file: string, bytesMax: number): Promise<string | undefined> {
  try {
    const { size } = await stat(file);
    if (size > bytesMax) throw new OperatorError(`${file} has more than ${bytesMax} bytes`);
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    const { code = 'unreadable' } = thrown as { readonly code?: string };
    if (code === 'ENOENT') return undefined;
    throw new OperatorError(`${file} cannot be read (${code})`, { cause: thrown });
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The rename is in the folder: without this a power cut may undo it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No form is of undefined: the caller says so.
    return undefined;
  }
}
