// The process that moves events from the outbox to the live engine, and trims both.
import { createLogger } from '@weft/core/logger';
import { runProcess } from '@weft/core/process';
import { readEventsConfig } from './config.ts';
import { startEvents } from './start.ts';

await runProcess('events', async () => {
  const config = readEventsConfig(process.env);
  return startEvents({ ...config, logger: createLogger('events', config.logLevel) });
});
