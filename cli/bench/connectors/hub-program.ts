// The candidate: the connector host's reading side over the wrapped old system, as `weft up` serves it.
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { openSystem } from '@weft/connectors/load/system';
import { serveSystems } from '@weft/connectors/serve/server';
import { createLogger } from '@weft/core/logger';
import { runProcess } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';

await runProcess('bench connectors', async () => {
  const { MARKET_URL } = process.env;
  const { plan } = compileSystem(fileURLToPath(new URL('./market', import.meta.url)));
  const logger = createLogger('connectors', 'warn');
  const options = { env: { MARKET_URL }, secrets: openSecrets(undefined, {}), logger };
  const system = await openSystem(plan, options);
  const served = await serveSystems([system], { host: '127.0.0.1', port: 0, logger });
  return {
    urls: { subgraph: served.urls.market ?? '' },
    async close() {
      await served.close();
      await system.close();
    },
  };
});
