import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/hub.ts';

/** What is read of `.weft/bench/subscriptions.json`. */
interface Raw {
  readonly measurements: readonly {
    readonly candidate: string;
    readonly shape: string;
    readonly expected: number;
    readonly delivered: number;
    readonly duplicates: number;
    readonly misordered: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
    readonly fetchesPerEvent?: number;
    readonly deliveryBytes: number;
  }[];
  readonly failures: readonly unknown[];
  readonly idle?: {
    readonly sockets: number;
    readonly subscriptions: number;
    readonly empty: { readonly descriptors: number };
    readonly held: { readonly descriptors: number; readonly rssMiB: number; readonly heapMiB: number };
    readonly cycled: { readonly descriptors: number };
    readonly released: { readonly descriptors: number };
  };
}

const ROWS = ['bare-ws', 'bare-outbox', 'weft-postgres'];
const CLIENTS = 20;
const GROUPS = 4;
const EVENTS = 2 * 20;
const BENCH_MS_MAX = 240_000;

const run = (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
  promisify(execFile)(process.execPath, ['cli/main.ts', 'bench', 'subscriptions', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    timeout: BENCH_MS_MAX,
  });

describe('weft bench subscriptions, one round of two seconds without peers', () => {
  const home = mkdtempSync(join(tmpdir(), 'weft-bench-live-'));
  const document = join(home, 'subscriptions.md');
  let stdout: string;
  let raw: Raw;
  beforeAll(async () => {
    const size = ['--clients', `${CLIENTS}`, '--groups', `${GROUPS}`, '--seconds', '2', '--rounds', '1'];
    const idle = ['--idle', '--sockets', '20', '--subscriptions', '60', '--cycles', '100'];
    const done = await run(
      // A lock of its own: nothing here is held against what another bench measures.
      { WEFT_HOME: home, TMPDIR: home },
      ...['--only', ROWS.join(','), ...size, ...idle, '--report', document],
    );
    stdout = done.stdout;
    raw = JSON.parse(readFileSync(join(home, 'bench', 'subscriptions.json'), 'utf8')) as Raw;
  }, BENCH_MS_MAX);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const find = (candidate: string, shape: string) =>
    raw.measurements.find((one) => one.candidate === candidate && one.shape === shape);

  it('makes every delivery once and in order, to all or to one group', () => {
    expect(raw.failures).toEqual([]);
    for (const candidate of ROWS) {
      const once = { duplicates: 0, misordered: 0 };
      const all = CLIENTS * EVENTS;
      expect(find(candidate, 'broadcast')).toMatchObject({ ...once, expected: all, delivered: all });
      const ofGroups = all / GROUPS;
      expect(find(candidate, 'groups')).toMatchObject({ ...once, expected: ofGroups, delivered: ofGroups });
    }
  });

  it('measures delays by the stamp in the event, and what is fetched', () => {
    for (const { candidate, p50Ms, p99Ms, fetchesPerEvent, deliveryBytes } of raw.measurements) {
      expect(p50Ms).toBeGreaterThan(0);
      expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
      expect(deliveryBytes).toBeGreaterThan(100);
      if (candidate.startsWith('bare-')) expect(fetchesPerEvent).toBeUndefined();
      else expect(fetchesPerEvent).toBeGreaterThanOrEqual(2);
    }
  });

  it('holds idle subscriptions, and finds every descriptor given back', () => {
    const { sockets, subscriptions, empty, held, cycled, released } =
      raw.idle ?? expect.fail('no idle figures');
    expect({ sockets, subscriptions }).toEqual({ sockets: 20, subscriptions: 60 });
    expect(held.rssMiB).toBeGreaterThan(50);
    expect(held.heapMiB).toBeGreaterThan(10);
    expect(held.descriptors - empty.descriptors).toBeGreaterThanOrEqual(20);
    expect(cycled.descriptors).toBeLessThanOrEqual(held.descriptors);
    expect(released.descriptors).toBeLessThanOrEqual(held.descriptors - 20);
  });

  it('prints tables and writes the document', () => {
    expect(stdout).toMatch(/^weft-postgres +\d+ \(\d+–\d+\) +100 %/m);
    expect(stdout).toMatch(/^groups, weft-postgres: p99 +\d+\.\d\d /m);
    const text = readFileSync(document, 'utf8');
    expect(text).toMatch(/^\| groups, weft-postgres: p99 \| \d+\.\d\d .*<= 3 \| (met|missed) \|$/m);
    expect(text).toMatch(/^\| bare-ws \| \d+ \(/m);
    expect(text).toContain(`Groups: ${GROUPS} groups of ${CLIENTS / GROUPS} clients`);
    expect(text).toContain('20 sockets hold 60 idle subscriptions');
    expect(text).toMatch(/^\| processor \| .+ \|$/m);
  });

  it('refuses a row that is not there and arguments that are no numbers', async () => {
    await expect(run({}, '--only', 'nobody')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no row 'nobody'") as string,
    });
    await expect(run({}, '--rate', 'many')).rejects.toMatchObject({ code: 2 });
  });
});
