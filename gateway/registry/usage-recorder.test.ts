// Laws of telling use: of subscriptions that run for long, and of reports that are large.
import { createLogger } from '@weft/core/logger';
import { buildSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { OperationWatch } from '../observe/operation-watch.ts';
import type { UsageLimits } from './usage-limits.ts';
import { createUsageRecorder } from './usage-recorder.ts';

const schema = buildSchema('type Query { a: Int } type Subscription { changed: Int }');
const CLIENT = { name: 'wall', version: undefined };

interface Told {
  readonly sequence: number;
  readonly dropped: number;
  readonly operations: readonly {
    readonly name: string | null;
    readonly count: number;
    readonly errors: number;
  }[];
}

function recorder(limits: Partial<UsageLimits> = {}) {
  const reports: Told[] = [];
  const client = {
    async ask(_query: string, variables: Readonly<Record<string, unknown>>) {
      reports.push(variables.report as Told);
      return { recordUsage: true };
    },
  };
  const usage = createUsageRecorder({ client, logger: createLogger('test', 'silent'), limits });
  return { usage, reports };
}

function watchOf(query: string, isBegun = false): OperationWatch {
  const used = { query, operationName: undefined, schema };
  return { used, client: CLIENT, isBegun, errors: 0 } as unknown as OperationWatch;
}

describe('the recorder of use', () => {
  it('counts a subscription when it begins, and tells that it is in use as long as it runs', async () => {
    const { usage, reports } = recorder({ reportMs: 5, liveSeenMs: 20 });
    const watch = watchOf('subscription Live { changed }', true);
    usage.operationBegan?.(watch);
    usage.begin();
    await expect.poll(() => reports.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
    usage.operationEnded(watch, 'ok', 1);
    await usage.close();
    const told = reports.length;
    await usage.close();
    expect(
      reports
        .flatMap(({ operations }) => operations.map(({ name, count }) => `${name} ${count}`))
        .slice(0, 3),
    ).toEqual(['Live 1', 'Live 0', 'Live 0']);
    expect(reports.length).toBe(told);
  });

  it('parts what is too much for one report, and numbers the parts', async () => {
    const { usage, reports } = recorder({ reportOperationsMax: 2 });
    for (const alias of ['a', 'b', 'c', 'd', 'e'])
      usage.operationEnded(watchOf(`query Q${alias} { ${alias}: a }`), 'ok', 1);
    await usage.close();
    expect(reports.map(({ sequence, operations }) => [sequence, operations.length])).toEqual([
      [1, 2],
      [2, 2],
      [3, 1],
    ]);
  });

  it('lets go of the schema when it has described an operation', async () => {
    const { usage } = recorder();
    const watch = watchOf('{ a }');
    usage.operationEnded(watch, 'ok', 1);
    await usage.close();
    expect(watch.used?.schema).toBeUndefined();
  });

  it('takes less than a microsecond of an operation', () => {
    const { usage } = recorder();
    const watch = watchOf('{ a }');
    const rounds = 200_000;
    const bestOf = (run: () => void) =>
      Math.min(
        ...Array.from({ length: 5 }, () => {
          const startedAt = performance.now();
          for (let n = 0; n < rounds; n += 1) run();
          return ((performance.now() - startedAt) / rounds) * 1_000;
        }),
      );
    // A hundredth of what an operation costs the gateway at the least, which is a hundred microseconds.
    expect(bestOf(() => usage.operationEnded(watch, 'ok', 1))).toBeLessThan(1);
  });
});
