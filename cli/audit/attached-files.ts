// Compares files that lie beside an export with what its evidence says was attached.
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { readExport } from '@weft/evidence/export';
import type { Finding } from '@weft/evidence/verify';
import { z } from 'zod';

/** Files of the folder that are looked at, at the most. */
const FILES_MAX = 10_000;
/** Of those that no entry names, in one line. */
const NAMED_MAX = 5;

const ATTACHMENTS = z.array(z.object({ sha256: z.string() }));

export interface ComparedFiles {
  /** Hashes that entries name. */
  readonly named: number;
  /** What is missing or was changed. */
  readonly findings: readonly Finding[];
}

/**
 * Whatever the files are called: each hash that an entry names must be that of one of them.
 * @param text of an export; what cannot be read of it names nothing
 * @throws OperatorError when the folder or a file of it cannot be read
 */
export async function compareFiles(text: string, folder: string): Promise<ComparedFiles> {
  const named = attachedIn(text);
  const files = await hashFiles(folder);
  const hashes = new Set(files.values());
  const wanted = new Set(named.map(({ sha256 }) => sha256));
  const strange = [...files].flatMap(([name, hash]) => (wanted.has(hash) ? [] : [name]));
  const more = strange.length > NAMED_MAX ? ', …' : '';
  const others =
    strange.length === 0 ? '' : `; of no entry: ${strange.slice(0, NAMED_MAX).join(', ')}${more}`;
  const findings = named
    .filter(({ sha256 }) => !hashes.has(sha256))
    .map(({ where, sha256 }) => ({
      where,
      problem: `no file of ${folder} has the SHA-256 ${sha256}: it is missing or was changed${others}`,
    }));
  return { named: wanted.size, findings };
}

/** Each with its place in the export. */
function attachedIn(text: string): readonly { readonly where: string; readonly sha256: string }[] {
  const read = readExport(text);
  if (read.kind === 'bad') return [];
  return read.content.entries.flatMap(({ fields }, entry) => {
    const parsed = ATTACHMENTS.safeParse(fields.attachments?.value);
    return (parsed.data ?? []).map(({ sha256 }, index) => ({
      where: `entries[${entry}].fields.attachments.value[${index}]`,
      sha256,
    }));
  });
}

/** Name to hash, of the plain files of the folder itself. */
async function hashFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  try {
    const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    if (names.length > FILES_MAX)
      throw new OperatorError(`--files ${folder} has more than ${FILES_MAX} files`);
    for (const { name } of names) hashes.set(name, await hashFile(join(folder, name)));
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new OperatorError(`--files ${folder} cannot be read: ${code}`, { cause });
  }
  return hashes;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
