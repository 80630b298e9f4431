// The gateway as a process.
import { createLogger } from '@weft/core/logger';
import { runProcess } from '@weft/core/process';
import { readGatewayConfig } from './config.ts';
import { startGateway } from './start.ts';

await runProcess('gateway', async () => {
  const config = readGatewayConfig(process.env);
  const gateway = await startGateway({ config, logger: createLogger('gateway', config.logLevel) });
  process.on('SIGHUP', () => void gateway.reload());
  return gateway;
});
