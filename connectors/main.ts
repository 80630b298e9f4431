// The connector host as a process: every wrapped system of this checkout, on one port, with its webhook receiver.
import { createLogger } from '@weft/core/logger';
import { runProcess } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { readSubgraphKeys } from '@weft/core/signatures/keys';
import { postgresAppender } from '@weft/events/postgres/appender';
import { compileSystem } from './compile/compile.ts';
import { readConnectorsConfig, secretEnvironment } from './config.ts';
import { startHost } from './host.ts';
import { chooseVariants, findSystemFolders, SUBGRAPHS_FOLDER } from './system-folders.ts';

await runProcess('connectors', async () => {
  const config = readConnectorsConfig();
  const logger = createLogger('connectors', config.WEFT_LOG_LEVEL);
  const folders = chooseVariants(findSystemFolders(SUBGRAPHS_FOLDER), config.WEFT_SYSTEM_VARIANTS);
  const systems = folders.map((folder) => {
    const { plan, warnings } = compileSystem(folder);
    for (const warning of warnings)
      logger.info({ system: plan.name, warning }, 'the SDL of a system has a warning');
    return plan;
  });
  return startHost({
    systems,
    databaseUrl: config.DATABASE_URL,
    appender: postgresAppender,
    env: config.env,
    secrets: openSecrets(config.WEFT_SECRETS_DIR, secretEnvironment()),
    host: config.WEFT_HOST,
    servePort: config.WEFT_CONNECTORS_PORT,
    ingestPort: config.WEFT_INGEST_PORT,
    subgraphKeys: readSubgraphKeys(config.WEFT_KEYS_FILE),
    guardRedisUrl: config.WEFT_GUARD_REDIS_URL,
    guardReplicas: config.WEFT_GUARD_REPLICAS,
    driftEveryMs: config.WEFT_DRIFT_EVERY,
    logger,
  });
});
