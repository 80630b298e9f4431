// A connector host as a process of its own, over folders that the environment names: WEFT_STORM_FOLDERS, a JSON list.
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { createLogger } from '@weft/core/logger';
import { runProcess } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';

const env = { ...process.env };

await runProcess('storm-host', async () =>
  startHost({
    systems: (JSON.parse(env.STORM_FOLDERS ?? '[]') as readonly string[]).map(
      (folder) => compileSystem(folder).plan,
    ),
    databaseUrl: env.DATABASE_URL ?? '',
    appender: postgresAppender,
    env,
    secrets: openSecrets(undefined, env),
    host: '127.0.0.1',
    servePort: 0,
    ingestPort: 0,
    guardRedisUrl: env.STORM_REDIS_URL,
    guardReplicas: 2,
    logger: createLogger('storm-host', 'silent'),
  }),
);
