// The graph that a gateway starts with: from a supergraph file, or composed of stored SDL. No subgraph is asked.
import { readFileSync } from 'node:fs';
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { compose, type Subgraph } from '@weft/schema/compose';
import { printProblem } from '@weft/schema/problem';
import type { GatewayConfig, ManifestEntry } from './config.ts';

export interface LoadedSupergraph {
  readonly supergraphSdl: string;
  /** Addresses that replace those in the supergraph. */
  readonly subgraphUrls: Readonly<Record<string, string>>;
}

/** @throws OperatorError naming the file that cannot be read, or every finding of composition */
export function loadSupergraph(
  config: Pick<GatewayConfig, 'supergraphFile' | 'manifest'>,
  logger: Logger,
): LoadedSupergraph {
  const { supergraphFile, manifest = [] } = config;
  const subgraphUrls = Object.fromEntries(manifest.map(({ name, url }) => [name, url]));
  if (supergraphFile !== undefined)
    return { supergraphSdl: readText('WEFT_SUPERGRAPH_FILE', supergraphFile), subgraphUrls };
  const composition = compose(manifest.map(readSubgraph));
  if (composition.errors !== undefined) {
    throw new OperatorError(
      `the graph does not compose:\n  ${composition.errors.map(printProblem).join('\n  ')}`,
    );
  }
  for (const hint of composition.hints)
    logger.debug({ code: hint.code, systems: hint.systems }, printProblem(hint));
  return { supergraphSdl: composition.supergraphSdl, subgraphUrls };
}

function readSubgraph({ name, url, sdlFile }: ManifestEntry): Subgraph {
  if (sdlFile === undefined) {
    throw new OperatorError(
      `WEFT_SUBGRAPHS_FILE: ${name} needs sdlFile, since no WEFT_SUPERGRAPH_FILE is set`,
      { exitCode: 2 },
    );
  }
  return { name, url, sdl: readText('WEFT_SUBGRAPHS_FILE', sdlFile) };
}

function readText(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const code = (thrown as { readonly code?: string }).code ?? 'unreadable';
    throw new OperatorError(`${setting}: ${file} cannot be read (${code})`, { exitCode: 2, cause: thrown });
  }
}
