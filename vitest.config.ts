// How every test of the project is found and run.
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// What is compiled is kept for the next file, and for what tests start: core/compile-cache.ts.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'weft-compiled');

const EVERYTHING =
  '{client,core,schema,connectors,events,evidence,subgraphs,gateway,webhooks,cli,simulators,dashboard,tests}/**/*.test.ts';
const NEVER = ['**/node_modules/**', '**/generated/**'];
/** Files that hold time or memory against a bound: one after the other, when all others are done. */
const MEASURING = [
  'gateway/fetch/internals.test.ts',
  'gateway/identity/credentials.test.ts',
  'gateway/plan/planner-pool.test.ts',
  'simulators/hotline/hotline.test.ts',
  'tests/bench/*.test.ts',
  'tests/connectors/reads.test.ts',
  'tests/connectors/storm.test.ts',
  'tests/faults/event-log-jetstream.test.ts',
  'tests/faults/live-stores.test.ts',
  'tests/faults/locked-tables.test.ts',
  'tests/faults/switches.test.ts',
  'tests/faults/transport.test.ts',
  'tests/gateway/faults.test.ts',
  'tests/gateway/http.test.ts',
  'tests/planner/overlapping-fields.test.ts',
  'tests/registry/hub.test.ts',
  'tests/registry/storm.test.ts',
  'tests/security/http.test.ts',
  'tests/security/streams.test.ts',
  'tests/security/subgraph-response.test.ts',
  'tests/security/websocket.test.ts',
  'tests/subgraphs/directory-start.test.ts',
];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: [EVERYTHING],
          exclude: [...NEVER, ...MEASURING],
          // Two cores are busy for three fifths of the time with two: many tests wait for clocks and other processes.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: MEASURING,
          exclude: NEVER,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    reporters: ['default', './tests/reporter.ts'],
    globalSetup: './tests/global-setup.ts',
    // Files are loaded as production loads them: one graphql, Node's own type stripping.
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    // Ample: a machine with two cores runs two files at once, and some start a whole hub.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 15_000,
  },
});
