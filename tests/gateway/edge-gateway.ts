// Gateways over the library's graph, as many as a test wants, each with settings of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import type { EngineLimits } from '@weft/gateway/limits';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { composeOrThrow } from './library-gateway.ts';
import { type Library, startLibrary } from './library-graph.ts';

export interface LibraryGateways {
  readonly library: Library;
  /** A folder that is gone with the rig. */
  readonly folder: string;
  start(env: Readonly<Record<string, string>>, limits?: Partial<EngineLimits>): Promise<StartedGateway>;
  close(): Promise<void>;
}

export async function startLibraryGateway(logger: Logger): Promise<LibraryGateways> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-edge-'));
  const library = await startLibrary();
  const supergraphFile = join(folder, 'supergraph.graphql');
  writeFileSync(supergraphFile, composeOrThrow(library.all));
  const started: StartedGateway[] = [];
  return {
    library,
    folder,
    async start(env, limits = {}) {
      const config = readGatewayConfig({ PORT: '0', WEFT_SUPERGRAPH_FILE: supergraphFile, ...env });
      const gateway = await startGateway({ config, logger, limits });
      started.push(gateway);
      return gateway;
    },
    async close() {
      await Promise.all(started.map((gateway) => gateway.close()));
      await library.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
