// Fault rows 7, 9, 13 and 23, the short form: gateways and the log's engine killed under clients that resume, and reloads.
// The long form is tests/faults/live/run.ts.
import { describe, expect, it } from 'vitest';
import { type EngineName, startEngine } from './live/engines.ts';
import { runRestarts } from './live/restarts.ts';

const SEED = Number(process.env.WEFT_TEST_SEED ?? Date.now() % 1_000_000);
const TEST_MS_MAX = 240_000;
const ENGINES: readonly EngineName[] = ['postgres', 'redis', 'nats'];

describe('clients that resume', () => {
  it.for(ENGINES)(
    'miss nothing and get nothing twice, on %s',
    { timeout: TEST_MS_MAX },
    async (name, { skip }) => {
      const engine = await startEngine(name);
      if (engine === undefined) return skip(`${name} cannot be started here`);
      try {
        const report = await runRestarts({
          engine,
          clients: 20,
          events: 400,
          perSecond: 50,
          kills: 2,
          engineRestarts: 1,
          reloads: 4,
          seed: SEED,
        });
        expect(report, `seed ${SEED}`).toMatchObject({
          deliveries: 20 * 400,
          lost: 0,
          doubled: 0,
          reversed: 0,
          strange: 0,
          gaps: 0,
          errors: 0,
        });
        expect(report.reconnects).toBeGreaterThan(0);
      } finally {
        await engine.close();
      }
    },
  );
});
