// What the loss of a live result's connection is told as.
import { createLogger } from '@weft/core/logger';
import { describe, expect, it } from 'vitest';
import { openLiveResults } from './live-results.ts';

describe('live results whose gateway is away', () => {
  it('say by the cause that it cannot be reached', async () => {
    const lost = Promise.withResolvers<string>();
    const results = openLiveResults({
      gatewayUrl: 'ws://127.0.0.1:1/graphql',
      apiKey: undefined,
      subscription: { query: 'subscription { x { cursor } }', field: 'x', fieldName: 'x', variables: {} },
      after: undefined,
      logger: createLogger('live-results', 'silent'),
      onLost: lost.resolve,
    });
    try {
      expect(await lost.promise).toBe('the gateway cannot be reached: connect ECONNREFUSED 127.0.0.1:1');
    } finally {
      await results.close();
    }
  });
});
