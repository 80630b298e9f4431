// How every test of the project is found and run.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      '{client,core,schema,connectors,events,evidence,subgraphs,gateway,webhooks,cli,simulators,dashboard,tests}/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/generated/**'],
    reporters: ['default', './tests/reporter.ts'],
    globalSetup: './tests/global-setup.ts',
    // Files are loaded as production loads them: one graphql, Node's own type stripping.
    experimental: { viteModuleRunner: false },
    pool: 'forks',
    // Ample: a machine with two cores runs two files at once, and some start a whole hub.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 15_000,
    // Two cores are busy for three fifths of the time with two: many tests wait for clocks and other processes.
    maxWorkers: 3,
  },
});
