// The short form of run.ts.
import { describe, expect, test } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { runDispatchCrashes } from './crash-run.ts';

const noPostgres = await whyNoPostgres();
const KILLS = 2;
const SEED = 20_262;

describe.skipIf(noPostgres !== undefined)('dispatches by hosts that are killed', () => {
  test('open one case for each attempt, and the library knows its number', async () => {
    const { attempts, lost, doubled, strange } = await runDispatchCrashes(KILLS, SEED);
    expect({ attempts, lost, doubled, strange }).toEqual({
      attempts: 10,
      lost: [],
      doubled: [],
      strange: [],
    });
  }, 120_000);
});
