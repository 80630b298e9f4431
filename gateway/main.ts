// The gateway as a process.
import { setFlagsFromString } from 'node:v8';
import { createLogger } from '@weft/core/logger';
import { runProcess } from '@weft/core/process';
import { readGatewayConfig } from './config.ts';
import { startGateway } from './start.ts';

/**
 * How much a heap may grow after a whole collection before the next one, in percent. V8 chooses about 100, and begins a
 * new space's size before that: with a heap of 40 MB the next collection began after 10 MB of buffers, twice a second, and marked
 * for 170 ms of processor time each time.
 */
const HEAP_GROWING_PERCENT = 300;
setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);

await runProcess('gateway', async () => {
  const config = readGatewayConfig(process.env);
  const gateway = await startGateway({ config, logger: createLogger('gateway', config.logLevel) });
  process.on('SIGHUP', () => void gateway.reload());
  return gateway;
});
