// Where things are in a checkout, and the stored SDL of every subgraph in it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { systemsByDepartment } from '@weft/connectors/departments';
import type { SystemPlan } from '@weft/connectors/plan';
import { CONNECTORS_SUBGRAPH, readConnectorsSdl } from '@weft/connectors/subgraph/own-subgraph';
import { environmentNames } from '@weft/connectors/system-folders';

/** The checkout's root folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder of all that a running hub keeps: `.weft` in the checkout, or WEFT_HOME. */
export function homeDirectory(env: Readonly<Record<string, string | undefined>>): string {
  return resolve(ROOT, env.WEFT_HOME === undefined || env.WEFT_HOME === '' ? '.weft' : env.WEFT_HOME);
}

export interface StoredSubgraph {
  readonly name: string;
  /** The process that answers for it. */
  readonly servedBy: 'subgraphs' | 'connectors';
  /** For composition: connector directives compiled away. */
  readonly sdl: string;
  /** The environment names that a wrapped system's SDL takes its addresses from. */
  readonly environment: readonly string[];
}

/**
 * Every folder of subgraphs/ in the order of its name: an owned one has `schema.graphql`, a wrapped one only SDL with
 * connector directives. With them comes `connectors`, which the connector host has of its own.
 * @throws OperatorError with file and line when a wrapped system's description has errors, and when two serve one department
 */
export function readStoredSubgraphs(): readonly StoredSubgraph[] {
  const folder = join(ROOT, 'subgraphs');
  const folders = readdirSync(folder, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() &&
        readdirSync(join(folder, entry.name)).some((file) => file.endsWith('.graphql')),
    )
    .map((entry) => readStored(folder, entry.name));
  systemsByDepartment(folders.flatMap(({ plan }) => plan ?? []));
  return [...folders.map(({ stored }) => stored), readOwnConnectors()].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** @returns the plan too of a wrapped one */
function readStored(
  folder: string,
  name: string,
): { readonly stored: StoredSubgraph; readonly plan?: SystemPlan } {
  const owned = join(folder, name, 'schema.graphql');
  if (existsSync(owned)) {
    const sdl = readFileSync(owned, 'utf8');
    return { stored: { name, servedBy: 'subgraphs', sdl, environment: [] } };
  }
  const wrapped = join(folder, name);
  const { plan } = compileSystem(wrapped);
  const environment = environmentNames(wrapped);
  return { stored: { name, servedBy: 'connectors', sdl: plan.storedSdl, environment }, plan };
}

function readOwnConnectors(): StoredSubgraph {
  return { name: CONNECTORS_SUBGRAPH, servedBy: 'connectors', sdl: readConnectorsSdl(), environment: [] };
}
