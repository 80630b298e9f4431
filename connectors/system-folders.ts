// Finds the folders that describe wrapped systems.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the subgraphs of this checkout are. */
export const SUBGRAPHS_FOLDER = fileURLToPath(new URL('../subgraphs', import.meta.url));

/** Every folder below `parent` with an SDL file that uses `@source`, in the order of their names. */
export function findSystemFolders(parent: string): readonly string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => join(parent, entry.name))
    .filter(isWrapped)
    .sort();
}

/** The environment names that the SDL of a wrapped system takes its addresses from (`$env.NAME`). */
export function environmentNames(folder: string): readonly string[] {
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  const names = texts.flatMap((text) =>
    [...text.matchAll(/\$env\.([A-Za-z_][A-Za-z0-9_]*)/g)].map((match) => match[1] ?? ''),
  );
  return [...new Set(names)].sort();
}

function isWrapped(folder: string): boolean {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .some((name) => /@source\s*\(/.test(readFileSync(join(folder, name), 'utf8')));
}
