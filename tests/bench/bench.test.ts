import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/hub.ts';

/** What is read of `.weft/bench/result.json`. */
interface Raw {
  readonly measurements: readonly {
    readonly candidate: string;
    readonly query: string;
    readonly requestsPerSecond: number;
    /** Absent where the system does not tell. */
    readonly cpuMsPerRequest?: number;
    readonly fetchesAlone: number;
    readonly answerBytes: number;
  }[];
  readonly failures: readonly unknown[];
}

/** Far below what is ever measured: only a gross loss of speed, or none at all, falls below. */
const SHARE_OF_LIMIT_MIN = 0.2;
const BENCH_MS_MAX = 240_000;
const LIMITS = ['limit-paths', 'limit-merged', 'limit-reused', 'limit-proxy'];

describe('weft bench, one round of a second without peers', () => {
  const home = mkdtempSync(join(tmpdir(), 'weft-bench-'));
  const document = join(home, 'benchmarks.md');
  // A lock of its own: nothing here is held against what another bench measures.
  const env = { ...process.env, WEFT_HOME: home, TMPDIR: home };
  let stdout: string;
  let raw: Raw;
  beforeAll(async () => {
    const command = ['cli/main.ts', 'bench', '--only', ['weft', ...LIMITS].join(','), '--rounds', '1'];
    const done = await promisify(execFile)(
      process.execPath,
      [...command, '--seconds', '1', '--no-peers', '--report', document],
      { cwd: ROOT, env, timeout: BENCH_MS_MAX },
    );
    stdout = done.stdout;
    raw = JSON.parse(readFileSync(join(home, 'bench', 'result.json'), 'utf8')) as Raw;
  }, BENCH_MS_MAX);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** Requests a second of processor time where that is known: other tests that run at the same time take none of it. */
  const speedOf = (candidate: string, query: string) => {
    const found = raw.measurements.find((one) => one.candidate === candidate && one.query === query);
    if (found?.cpuMsPerRequest !== undefined) return 1_000 / found.cpuMsPerRequest;
    return found?.requestsPerSecond ?? Number.NaN;
  };

  it('measures every candidate, whose answers equal those of a monolith', () => {
    expect(raw.failures).toEqual([]);
    expect(raw.measurements.map(({ candidate, query }) => `${query} ${candidate}`).sort()).toEqual(
      [
        'federated weft',
        'single weft',
        'single limit-proxy',
        ...LIMITS.slice(0, 3).map((limit) => `federated ${limit}`),
      ].sort(),
    );
  });

  it('lets the hand-written programs make 13, 7 and 4 fetches', () => {
    const fetches = LIMITS.slice(0, 3).map(
      (limit) => raw.measurements.find(({ candidate }) => candidate === limit)?.fetchesAlone,
    );
    expect(fetches).toEqual([13, 7, 4]);
  });

  it('prints a table and writes the document', () => {
    expect(stdout).toMatch(/^weft +\d+ \(\d+–\d+\)/m);
    const text = readFileSync(document, 'utf8');
    expect(text).toMatch(/^\| limit-paths \| \d+ \(/m);
    expect(text).toMatch(/^\| single: bare reverse proxy \| \d+\.\d\d .* \| (met|missed) \|$/m);
    expect(text).toMatch(/^\| processor \| .+ \|$/m);
  });

  it('finds the gateway no slower than a fifth of what Node can do at all', () => {
    expect(speedOf('weft', 'federated') / speedOf('limit-paths', 'federated')).toBeGreaterThan(
      SHARE_OF_LIMIT_MIN,
    );
    expect(speedOf('weft', 'single') / speedOf('limit-proxy', 'single')).toBeGreaterThan(SHARE_OF_LIMIT_MIN);
  });

  it(
    'compares candidates side by side, also with themselves as they are in another checkout',
    async () => {
      const names = `limit-proxy,limit-proxy@${ROOT}`;
      const done = await promisify(execFile)(
        process.execPath,
        ['cli/main.ts', 'bench', '--paired', names, '--query', 'single', '--turns', '2'],
        { cwd: ROOT, env, timeout: BENCH_MS_MAX },
      );
      const row = String.raw` +\d+\.\d{3} \(.*\) +(\d+\.\d{3}) \(.*\) +\d+\.\d{3} +\d+\.\d{3} +\d+$`;
      expect(new RegExp(`^limit-proxy${row}`, 'm').exec(done.stdout)?.[1]).toBe('1.000');
      const itself = new RegExp(`^limit-proxy@${ROOT}${row}`, 'm').exec(done.stdout)?.[1];
      expect(Number(itself)).toBeGreaterThan(0.2);
      expect(Number(itself)).toBeLessThan(5);
    },
    BENCH_MS_MAX,
  );

  it('refuses a candidate that is not there and arguments that are no numbers', async () => {
    const run = (...args: readonly string[]) =>
      promisify(execFile)(process.execPath, ['cli/main.ts', 'bench', ...args], { cwd: ROOT });
    await expect(run('--only', 'nobody')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no candidate 'nobody'") as string,
    });
    await expect(run('--rounds', 'many')).rejects.toMatchObject({ code: 2 });
    await expect(run('--paired', 'weft,nobody')).rejects.toMatchObject({ code: 2 });
    await expect(run('--paired', 'weft', '--query', 'none')).rejects.toMatchObject({ code: 2 });
  });
});
