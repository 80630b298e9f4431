// The delivery of webhooks as a process.
import { createLogger } from '@weft/core/logger';
import { runProcess } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { createAddressGuard } from './address-guard.ts';
import { readWebhooksConfig } from './config.ts';
import { startWebhooks } from './start.ts';
import { readWebhooks } from './webhooks-file.ts';

await runProcess('webhooks', async () => {
  const config = readWebhooksConfig(process.env);
  const guard = createAddressGuard(config.allowedHosts);
  const secrets = openSecrets(config.secretsDirectory, process.env);
  return startWebhooks({
    webhooks: readWebhooks(config.webhooksFile, secrets, guard),
    databaseUrl: config.databaseUrl,
    gatewayUrl: config.gatewayUrl,
    guard,
    logger: createLogger('webhooks', config.logLevel),
  });
});
