// The process that serves the owned subgraphs: directory, incidents, registry.
import { createLogger } from '@weft/core/logger';
import { runProcess } from '@weft/core/process';
import { readSubgraphsConfig } from './config.ts';
import { startSubgraphs } from './start.ts';

await runProcess('subgraphs', async () => {
  const config = readSubgraphsConfig(process.env);
  return await startSubgraphs({ ...config, logger: createLogger('subgraphs', config.logLevel) });
});
