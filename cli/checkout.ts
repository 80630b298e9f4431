// Where things are in a checkout, and the stored SDL of every subgraph in it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { systemsByDepartment } from '@weft/connectors/departments';
import type { SystemPlan } from '@weft/connectors/plan';
import { CONNECTORS_SUBGRAPH, readConnectorsSdl } from '@weft/connectors/subgraph/own-subgraph';
import { environmentNames } from '@weft/connectors/system-folders';
import type { SourceText } from '@weft/schema/source-positions';

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
  /** What people wrote, by its path from the root: the SDL itself, or the files of which it was made. */
  readonly sources: readonly SourceText[];
  /** The department whose system it is, by its code; undefined: the hub's own. */
  readonly owner?: string | undefined;
  /** The environment names that a wrapped system's SDL takes its addresses from. */
  readonly environment: readonly string[];
}

/**
 * Every folder of subgraphs/ in the order of its name: an owned one has `schema.graphql`, a wrapped one only SDL with
 * connector directives. With them comes `connectors`, which the connector host has of its own.
 * @throws OperatorError with file and line when a wrapped system's description has errors, and when two serve one department
 */
export function readStoredSubgraphs(): readonly StoredSubgraph[] {
  const read = subgraphFolders().map((folder) => readStored(folder));
  systemsByDepartment(read.flatMap(({ plan }) => plan ?? []));
  return [...read.map(({ stored }) => stored), readOwnConnectors()].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** A subgraph of the checkout, and the plan of a wrapped one. */
export interface ReadSubgraph {
  readonly stored: StoredSubgraph;
  readonly plan?: SystemPlan;
}

/**
 * All of the checkout but the wrapped system of some name: what such a system has to make one graph with. The hub's own stay, whatever they are called.
 * @throws OperatorError with file and line when the description of one of them has errors
 */
export function readSubgraphsBeside(name: string): readonly ReadSubgraph[] {
  const others = subgraphFolders().filter((folder) => basename(folder) !== name || isOwned(folder));
  return [...others.map((folder) => readStored(folder)), { stored: readOwnConnectors() }];
}

function subgraphFolders(): readonly string[] {
  const parent = join(ROOT, 'subgraphs');
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(parent, entry.name))
    .filter((folder) => readdirSync(folder).some((file) => file.endsWith('.graphql')));
}

function isOwned(folder: string): boolean {
  return existsSync(join(folder, 'schema.graphql'));
}

function readStored(folder: string): ReadSubgraph {
  const name = basename(folder);
  if (isOwned(folder)) {
    const sdl = readFileSync(join(folder, 'schema.graphql'), 'utf8');
    const sources = [{ file: `subgraphs/${name}/schema.graphql`, text: sdl }];
    return { stored: { name, servedBy: 'subgraphs', sdl, sources, environment: [] } };
  }
  return readWrapped(folder, `subgraphs/${name}`);
}

/**
 * @param shown the folder as its files are named in findings
 * @throws OperatorError with file and line when the description has errors
 */
export function readWrapped(wrapped: string, shown: string): ReadSubgraph & { readonly plan: SystemPlan } {
  const name = basename(wrapped);
  const { plan } = compileSystem(wrapped);
  const environment = environmentNames(wrapped);
  const sources = readdirSync(wrapped)
    .filter((file) => file.endsWith('.graphql'))
    .sort()
    .map((file) => ({
      file: `${shown}/${file}`,
      text: readFileSync(join(wrapped, file), 'utf8'),
    }));
  // Of one that serves several departments none is the owner.
  const [serves, ...others] = plan.dispatches ?? [];
  const owner = others.length === 0 ? serves?.department : undefined;
  const stored = { name, servedBy: 'connectors' as const, sdl: plan.storedSdl, sources, environment, owner };
  return { stored, plan };
}

function readOwnConnectors(): StoredSubgraph {
  const sdl = readConnectorsSdl();
  const sources = [{ file: 'connectors/subgraph/schema.graphql', text: sdl }];
  return { name: CONNECTORS_SUBGRAPH, servedBy: 'connectors', sdl, sources, environment: [] };
}
