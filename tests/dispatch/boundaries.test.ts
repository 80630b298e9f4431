// kill -9 at every boundary between two steps of a dispatch (row 25 of the fault matrix).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startPostgres } from '@weft/core/embedded-postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BOUNDARIES, type Course } from './boundaries.ts';
import { type Ending, type MortalRig, openMortalRig, runCourse } from './course.ts';

/** Hubs side by side: most of the time of each passes in waiting for a lease. */
const RIGS = 4;

const SETTLED = ['SIGNED', 'FED_BACK'];
const ONCE_MORE = ['REPORTED', 'ACCEPTED', 'ROUTED', 'RETURNED', 'ROUTED', ...SETTLED];
const COMMON = { deaths: 1, areNumbersRight: true, problems: 0, isToldOnce: true };
const FIRST = ['urban-management', 'FED_BACK', 'APPLIED'] as const;
const SECOND = ['water-affairs', 'FED_BACK', 'APPLIED'] as const;

const ENDINGS: Readonly<Record<Course, Omit<Ending, keyof typeof COMMON>>> = {
  SETTLED: {
    state: 'FED_BACK',
    kinds: ['REPORTED', 'ACCEPTED', 'ROUTED', ...SETTLED],
    attempts: [FIRST],
    records: [1, 0],
  },
  BROKEN_OFF: {
    state: 'FED_BACK',
    kinds: ['REPORTED', 'ACCEPTED', 'ROUTED', ...SETTLED],
    attempts: [FIRST],
    records: [1, 0],
  },
  RETURNED: {
    state: 'FED_BACK',
    kinds: ONCE_MORE,
    attempts: [['urban-management', 'RETURNED', 'APPLIED'], SECOND],
    records: [1, 1],
  },
  REFUSED: {
    state: 'FED_BACK',
    kinds: ONCE_MORE,
    attempts: [['urban-management', 'RETURNED', 'REJECTED'], SECOND],
    records: [0, 1],
  },
  WITHDRAWN: {
    state: 'MERGED',
    kinds: ['REPORTED', 'ACCEPTED', 'ROUTED', 'MERGED'],
    attempts: [['urban-management', 'WITHDRAWN', 'SUPERSEDED']],
    records: [0, 0],
  },
};

describe('a dispatch whose process is killed', () => {
  const rigs: MortalRig[] = [];
  const free: MortalRig[] = [];
  const waiting: ((rig: MortalRig) => void)[] = [];
  let folder: string;
  let postgres: EmbeddedPostgres | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weft-boundaries-'));
    // So many hubs want nearly all the connections that a server has by default.
    postgres = await startPostgres({ directory: folder });
    const { url } = postgres;
    rigs.push(...(await Promise.all(Array.from({ length: RIGS }, () => openMortalRig(url)))));
    free.push(...rigs);
  }, 180_000);
  afterAll(async () => {
    await Promise.all(rigs.map((rig) => rig.close()));
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const borrow = () => {
    const rig = free.pop();
    return rig === undefined
      ? new Promise<MortalRig>((resolve) => waiting.push(resolve))
      : Promise.resolve(rig);
  };
  const giveBack = (rig: MortalRig) => {
    const next = waiting.shift();
    if (next === undefined) free.push(rig);
    else next(rig);
  };

  test.concurrent.for(BOUNDARIES)(
    '$course, $process, $name',
    { timeout: 300_000 },
    async (boundary, { expect: local }) => {
      const rig = await borrow();
      try {
        local(await runCourse(rig, boundary)).toEqual({ ...COMMON, ...ENDINGS[boundary.course] });
      } finally {
        giveBack(rig);
      }
    },
  );

  test('has a name for each boundary', () => {
    const names = BOUNDARIES.map(({ course, process, name }) => `${course} ${process} ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });
});
