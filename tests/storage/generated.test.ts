// The committed Prisma clients are what the committed schemas generate.
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { findMigrationOwners } from '@weft/core/migrate';
import { afterAll, describe, expect, it } from 'vitest';

const GENERATE_MS_MAX = 60_000;

const root = resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'weft-generated-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const owners = findMigrationOwners(root).map(({ directory }) => relative(root, resolve(directory, '../..')));

/** Path to content of every file below a folder. */
function readTree(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

async function generate(owner: string): Promise<void> {
  const script = join(root, 'scripts/generate.ts');
  await promisify(execFile)(process.execPath, [script, owner], { timeout: GENERATE_MS_MAX });
}

describe('generated code', () => {
  it.each(owners)(
    'is unchanged when it is generated again from %s',
    { timeout: GENERATE_MS_MAX },
    async (owner) => {
      const copy = join(scratch, owner);
      cpSync(join(root, owner, 'prisma'), join(copy, 'prisma'), { recursive: true });
      await generate(copy);
      expect(readTree(join(copy, 'prisma'))).toEqual(readTree(join(root, owner, 'prisma')));
      expect(readTree(join(copy, 'generated'))).toEqual(readTree(join(root, owner, 'generated')));
    },
  );

  it('is another one when the schema is', { timeout: GENERATE_MS_MAX }, async () => {
    const copy = join(scratch, 'another');
    cpSync(join(root, 'subgraphs/registry/prisma'), join(copy, 'prisma'), { recursive: true });
    const schema = join(copy, 'prisma/schema.prisma');
    writeFileSync(schema, readFileSync(schema, 'utf8').replace('title    String', 'heading  String'));
    await generate(copy);
    expect(readTree(join(copy, 'generated'))).not.toEqual(
      readTree(join(root, 'subgraphs/registry/generated')),
    );
  });
});
