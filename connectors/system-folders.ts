// Finds the folders that describe wrapped systems, and the variants of them that are chosen at start.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '@weft/core/errors';

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

/**
 * The folders, each in the variant that is chosen for its system: `human-resources=over-mqtt` puts the folder
 * `human-resources/over-mqtt/human-resources` in the place of `human-resources`. Variants have the same graph and speak another protocol.
 * @param choices `system=variant`, with commas between
 * @throws OperatorError when there is no such system or variant
 */
export function chooseVariants(folders: readonly string[], choices: string | undefined): readonly string[] {
  const chosen = new Map((choices ?? '').split(',').flatMap((choice) => readChoice(choice, folders)));
  return folders.map((folder) => chosen.get(folder) ?? folder);
}

function readChoice(choice: string, folders: readonly string[]): readonly (readonly [string, string])[] {
  if (choice.trim() === '') return [];
  const [system = '', variant = ''] = choice.trim().split('=');
  const folder = folders.find((one) => basename(one) === system);
  const named = /^[a-z0-9-]+$/.test(variant) && folder !== undefined ? join(folder, variant, system) : '';
  if (folder === undefined || !existsSync(named) || !isWrapped(named)) {
    throw new OperatorError(
      `WEFT_SYSTEM_VARIANTS: there is no ${choice.trim()}: write system=variant, for a folder subgraphs/SYSTEM/VARIANT/SYSTEM with SDL`,
      { exitCode: 2 },
    );
  }
  return [[folder, named]];
}

/** The environment names that the SDL of a wrapped system, its variants among it, takes its addresses from (`$env.NAME`). */
export function environmentNames(folder: string): readonly string[] {
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
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
