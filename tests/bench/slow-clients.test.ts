// `weft bench subscriptions --slow`, the short form: clients that stop reading are told and cut off, and the others have every event.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/hub.ts';

interface Phase {
  readonly expected: number;
  readonly delivered: number;
  readonly p99Ms: number;
  readonly grownMiB?: number;
}

interface Raw {
  readonly slow: {
    readonly operationsPerSocket: number;
    readonly rounds: readonly {
      readonly alone: Phase;
      readonly stopped: Phase;
      readonly end: Readonly<Record<'closes' | 'gaps' | 'errors', Readonly<Record<string, number>>>>;
      readonly lost: number;
      readonly doubled: number;
    }[];
  };
}

const SOCKETS = 2;
const CLIENTS = 50;
const RATE = 100;
const SECONDS = 8;
const BENCH_MS_MAX = 240_000;
const GROWN_MIB_MAX = 50;

describe('clients that stop reading', () => {
  it('are told and cut off, cost little, lose nothing when they come back, and the others have everything', {
    timeout: BENCH_MS_MAX,
  }, async () => {
    const home = mkdtempSync(join(tmpdir(), 'weft-bench-slow-'));
    try {
      const size = [
        '--clients',
        `${CLIENTS}`,
        '--rate',
        `${RATE}`,
        '--seconds',
        `${SECONDS}`,
        '--rounds',
        '1',
      ];
      const argv = [
        'bench',
        'subscriptions',
        '--only',
        '',
        '--slow',
        '--slow-sockets',
        `${SOCKETS}`,
        ...size,
      ];
      const { stderr } = await promisify(execFile)(process.execPath, ['cli/main.ts', ...argv], {
        cwd: ROOT,
        // A lock of its own: nothing here is held against what another bench measures.
        env: { ...process.env, WEFT_HOME: home, TMPDIR: home },
        timeout: BENCH_MS_MAX,
      });
      console.info(stderr.trim());
      const raw = JSON.parse(readFileSync(join(home, 'bench', 'subscriptions.json'), 'utf8')) as Raw;
      const [round] = raw.slow.rounds;
      const operations = SOCKETS * raw.slow.operationsPerSocket;
      expect(round).toMatchObject({
        end: {
          closes: { 4499: SOCKETS },
          gaps: { SLOW_CONSUMER: operations },
          errors: { LIMIT_EXCEEDED: operations },
        },
        lost: 0,
        doubled: 0,
      });
      for (const phase of [round?.alone, round?.stopped])
        expect(phase).toMatchObject({
          expected: CLIENTS * RATE * SECONDS,
          delivered: CLIENTS * RATE * SECONDS,
        });
      expect(round?.stopped.grownMiB ?? 0).toBeLessThan(GROWN_MIB_MAX);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
