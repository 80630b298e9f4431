// The project's own source files, and the imports in them.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..', '..');
const LEFT_OUT = new Set(['node_modules', 'generated', '.weft', '.git', 'coverage']);

/** Every file with one of the endings, as a path from the root with `/`. */
export function sourceFiles(endings: readonly string[], below = ROOT): readonly string[] {
  return readdirSync(below, { withFileTypes: true }).flatMap((entry) => {
    if (LEFT_OUT.has(entry.name)) return [];
    const path = join(below, entry.name);
    if (entry.isDirectory()) return sourceFiles(endings, path);
    return endings.some((ending) => entry.name.endsWith(ending))
      ? [relative(ROOT, path).split(sep).join('/')]
      : [];
  });
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

const IMPORT =
  /(?:^|\s)(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[\s(])import\s*\(?\s*['"]([^'"]+)['"]/g;

/** The specifiers that a file imports, statically or dynamically. */
export function importsOf(file: string): readonly string[] {
  return [...read(file).matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
}

/** The top-level folder that an import leads to; undefined when it leaves the project. */
export function folderOf(specifier: string, from: string): string | undefined {
  const member = /^@weft\/([^/]+)/.exec(specifier);
  if (member !== null) return member[1];
  if (!specifier.startsWith('.')) return undefined;
  return relative(ROOT, resolve(ROOT, dirname(from), specifier)).split(sep)[0];
}
