// Hive Gateway's settings. Environment: BENCH_PLANNER=js|rust, BENCH_SHARING=on|off, BENCH_LIVE=URL of the subgraph with subscriptions.
import { defineConfig } from '@graphql-hive/gateway';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';

// The bench that started this is gone.
process.on('disconnect', () => process.exit());

const { BENCH_PLANNER: planner, BENCH_SHARING: sharing, BENCH_LIVE: live } = process.env;
const subscriptions = live === undefined ? {} : { subscriptions: { kind: 'ws', location: live } };

export const gatewayConfig = defineConfig({
  ...(planner === 'rust' ? { unifiedGraphHandler } : {}),
  // Off: no fetch and no answer is shared between clients that ask the same at the same moment. On: both are.
  ...(sharing === 'on'
    ? { inboundInflightRequestDeduplication: true }
    : {
        transportEntries: {
          '*': { options: { deduplicateInflightRequests: false } },
          reviews: { options: { deduplicateInflightRequests: false, ...subscriptions } },
        },
      }),
});
