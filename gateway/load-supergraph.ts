// The graph that a gateway serves: from a supergraph file, or composed of stored SDL. No subgraph is asked.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { Subgraph } from '@weft/schema/compose';
import { composeInWorker } from '@weft/schema/compose-in-worker';
import { printProblem } from '@weft/schema/problem';
import type { GatewayConfig } from './config.ts';
import { type ManifestEntry, readManifest } from './config-files.ts';
import type { WholeSupergraph } from './registry/disk-copy.ts';
import type { GraphPayload } from './registry/signed-supergraph.ts';
import type { ReloadLimits } from './reload/limits.ts';
import type { SubscriptionSetting } from './upstream/settings.ts';

export interface LoadedSupergraph {
  readonly supergraphSdl: string;
  /** Addresses that replace those in the supergraph. */
  readonly subgraphUrls: Readonly<Record<string, string>>;
  /** By name: where subgraphs take subscriptions that do not at their own address. */
  readonly subscriptions?: Readonly<Record<string, SubscriptionSetting>> | undefined;
  /** Of all of the above, 16 hex digits: equal graphs have equal ones on every gateway. */
  readonly hash: string;
  /** The setting and the file that gave it. */
  readonly origin: string;
  /** As the registry signed it; undefined of a graph of the files, whose addresses an operator wrote. */
  readonly registered?: WholeSupergraph | undefined;
}

/** A graph that the registry gave, or the copy of one. */
export function loadedFrom(
  payload: GraphPayload,
  origin: string,
  registered: WholeSupergraph,
): LoadedSupergraph {
  const { supergraphSdl, ...members } = payload;
  return { ...hashed(supergraphSdl, members, origin), registered };
}

export interface LoadOptions {
  readonly config: Pick<GatewayConfig, 'supergraphFile' | 'manifestFile' | 'manifest'>;
  readonly logger: Logger;
  readonly limits: Pick<ReloadLimits, 'fileBytesMax' | 'composeTimeoutMs' | 'composeHeapMbMax'>;
  /** Told which files the graph is made of, before they are read. */
  onFiles(files: readonly string[]): Promise<void>;
}

/** @throws OperatorError naming the file that cannot be read, or every finding of composition */
export async function loadSupergraph(options: LoadOptions): Promise<LoadedSupergraph> {
  const { config, limits } = options;
  const { supergraphFile, manifestFile } = config;
  const roots = [supergraphFile, manifestFile].filter((file) => file !== undefined);
  await options.onFiles(roots);
  const manifest = manifestFile === undefined ? (config.manifest ?? []) : readManifest(manifestFile);
  const members = {
    subgraphUrls: Object.fromEntries(manifest.map(({ name, url }) => [name, url])),
    subscriptions: Object.fromEntries(
      manifest.flatMap(({ name, subscriptions }) =>
        subscriptions === undefined ? [] : [[name, subscriptions] as const],
      ),
    ),
  };
  if (supergraphFile !== undefined) {
    const supergraphSdl = await readText('WEFT_SUPERGRAPH_FILE', supergraphFile, limits.fileBytesMax);
    return hashed(supergraphSdl, members, `WEFT_SUPERGRAPH_FILE: ${supergraphFile}`);
  }
  const sdlFiles = manifest.flatMap(({ sdlFile }) => (sdlFile === undefined ? [] : [sdlFile]));
  await options.onFiles([...roots, ...sdlFiles]);
  return hashed(await composeManifest(options, manifest), members, `WEFT_SUBGRAPHS_FILE: ${manifestFile}`);
}

async function composeManifest(
  { logger, limits }: LoadOptions,
  manifest: readonly ManifestEntry[],
): Promise<string> {
  const subgraphs = await Promise.all(manifest.map((entry) => readSubgraph(entry, limits.fileBytesMax)));
  const composition = await composeInWorker(subgraphs, limits);
  if (composition.errors !== undefined) {
    throw new OperatorError(
      `the graph does not compose:\n  ${composition.errors.map(printProblem).join('\n  ')}`,
      { exitCode: 2 },
    );
  }
  for (const hint of composition.hints)
    logger.debug({ code: hint.code, systems: hint.systems }, printProblem(hint));
  return composition.supergraphSdl;
}

async function readSubgraph({ name, url, sdlFile }: ManifestEntry, bytesMax: number): Promise<Subgraph> {
  if (sdlFile === undefined) {
    throw new OperatorError(
      `WEFT_SUBGRAPHS_FILE: ${name} needs sdlFile, since no WEFT_SUPERGRAPH_FILE is set`,
      { exitCode: 2 },
    );
  }
  return { name, url, sdl: await readText('WEFT_SUBGRAPHS_FILE', sdlFile, bytesMax) };
}

async function readText(setting: string, file: string, bytesMax: number): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > bytesMax)
      throw new OperatorError(`${setting}: ${file} has more than ${bytesMax} bytes`, { exitCode: 2 });
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    const code = (thrown as { readonly code?: string }).code ?? 'unreadable';
    throw new OperatorError(`${setting}: ${file} cannot be read (${code})`, { exitCode: 2, cause: thrown });
  }
}

const HASH_DIGITS = 16;

type Members = Pick<LoadedSupergraph, 'subgraphUrls' | 'subscriptions'>;

function hashed(supergraphSdl: string, members: Members, origin: string): LoadedSupergraph {
  const hash = createHash('sha256')
    .update(
      JSON.stringify([supergraphSdl, sorted(members.subgraphUrls), sorted(members.subscriptions ?? {})]),
    )
    .digest('hex');
  return { supergraphSdl, ...members, hash: hash.slice(0, HASH_DIGITS), origin };
}

function sorted<Value>(record: Readonly<Record<string, Value>>): readonly (readonly [string, Value])[] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
