// A copy of a system's folder in which some text is another: one description for two ways to speak.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface CopiedFolder {
  readonly path: string;
  remove(): void;
}

/** @param changes text of `records.graphql` to what stands in its place; each must be there */
export function copyFolder(name: string, changes: Readonly<Record<string, string>>, as = name): CopiedFolder {
  const parent = mkdtempSync(join(tmpdir(), 'weft-suite-'));
  const path = join(parent, as);
  cpSync(fileURLToPath(new URL(`../systems/${name}`, import.meta.url)), path, { recursive: true });
  const file = join(path, 'records.graphql');
  let sdl = readFileSync(file, 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (!sdl.includes(from)) throw new Error(`${name} has no ${from}`);
    sdl = sdl.replace(from, () => to);
  }
  writeFileSync(file, sdl);
  return { path, remove: () => rmSync(parent, { recursive: true }) };
}
