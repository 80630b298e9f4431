// Takes an incident through departments whose hub is killed at one boundary, and tells what is there in the end.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@weft/core/process-table';
import { askSigned, createMigratedDatabase } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';
import type { Boundary, Course } from './boundaries.ts';
import { type Mortal, startMortal } from './mortal.ts';
import { type Department, startDepartment } from './old-department.ts';
import { INCIDENT, push, type Shown, STAFF, writeDirectory } from './rig.ts';

export interface MortalRig {
  readonly database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  readonly host: Mortal;
  readonly library: Mortal;
  readonly urban: Department;
  readonly water: Department;
  readonly key: { readonly id: string; readonly secret: string };
  close(): Promise<void>;
}

/** The library and the connector host as processes that can be killed, over two departments that open a second record for a second call. @param server a PostgreSQL */
export async function openMortalRig(server: string): Promise<MortalRig> {
  const [database, folder] = [
    await createMigratedDatabase(server),
    mkdtempSync(join(tmpdir(), 'weft-mortal-')),
  ];
  const [urban, water] = [await startDepartment('CG-'), await startDepartment('SW-')];
  for (const department of [urban, water]) department.ignoresNumbers = true;
  const key = { id: 'test', secret: randomUUID() };
  const keysFile = join(folder, 'keys.json');
  writeFileSync(keysFile, JSON.stringify({ subgraphKeys: [key] }));
  const env = { DATABASE_URL: database.url, URBAN_URL: urban.url, WATER_URL: water.url };
  // A port of its own: on one that it leaves when it is killed, the host of another rig could take what is pushed meanwhile.
  const host = await startMortal('./host-program.ts', { ...env, INGEST_PORT: String(await freePort()) });
  const library = await startMortal('../../subgraphs/main.ts', {
    DATABASE_URL: database.url,
    WEFT_KEYS_FILE: keysFile,
    WEFT_DIRECTORY_FILE: writeDirectory(folder),
    WEFT_LOG_LEVEL: 'silent',
  });
  return {
    ...{ database, host, library, urban, water, key },
    async close() {
      await Promise.all([host.close(), library.close()]);
      await Promise.all([urban.close(), water.close()]);
      await database.drop();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Ending {
  /** How often the process was killed on the way. */
  readonly deaths: number;
  readonly state: string;
  /** Of the steps, without deliveries. */
  readonly kinds: readonly string[];
  /** Department, outcome and delivery of each attempt. */
  readonly attempts: readonly (readonly [string | undefined, string | null, string | null])[];
  /** Whether each attempt that was delivered has the number of the one record that is there. */
  readonly areNumbersRight: boolean;
  /** Records of the incident in the book of the first department, and of the second. */
  readonly records: readonly [number, number];
  readonly problems: number;
  /** Whether each step is one event, and each delivery was told once. */
  readonly isToldOnce: boolean;
}

const MS_MAX = 60_000;
const AT = '2026-11-29T08:00:00+08:00';

/** Runs a course with one kill, and waits for its end. */
export async function runCourse(rig: MortalRig, boundary: Boundary): Promise<Ending> {
  const mortal = rig[boundary.process];
  const deathsBefore = mortal.deaths();
  const one = openCourse(rig, boundary.course);
  const id = await one.report(boundary.name);
  const arm = async (from: Boundary['from'], department: Department) => {
    if (boundary.from !== from) return;
    const { at } = boundary;
    if (typeof at !== 'string') return await mortal.arm(at);
    department.onCall = async (moment) => {
      if (moment !== at) return;
      department.onCall = undefined;
      mortal.kill();
      await waitFor('the process to be gone', () => mortal.deaths() > deathsBefore, MS_MAX);
    };
  };
  await COURSES[boundary.course](one, id, arm);
  await waitFor('the kill', () => mortal.deaths() > deathsBefore, MS_MAX);
  return await one.ending(id, mortal.deaths() - deathsBefore);
}

type Arm = (from: Boundary['from'], department: Department) => Promise<void>;
type OneCourse = ReturnType<typeof openCourse>;

const COURSES: Readonly<Record<Course, (one: OneCourse, id: string, arm: Arm) => Promise<void>>> = {
  async SETTLED(one, id, arm) {
    await arm('FIRST', one.rig.urban);
    await one.route(id, 'urban-management', 1);
    await one.settle(id, one.rig.urban, '/urban');
  },
  async BROKEN_OFF(one, id, arm) {
    await arm('FIRST', one.rig.urban);
    one.rig.urban.onCall = async (moment) => {
      if (moment !== 'OPENED') return;
      one.rig.urban.onCall = undefined;
      throw new Error('breaks off');
    };
    await one.route(id, 'urban-management', 1);
    await one.settle(id, one.rig.urban, '/urban');
  },
  async RETURNED(one, id, arm) {
    const { urban, water } = one.rig;
    await arm('FIRST', urban);
    await one.route(id, 'urban-management', 1);
    await one.tell(id, urban, '/urban', '5', { reason: 'NOT_OUR_DUTY' });
    await one.until(id, ({ state }) => state === 'RETURNED');
    await arm('SECOND', water);
    await one.route(id, 'water-affairs', 2);
    await one.settle(id, water, '/water');
  },
  async REFUSED(one, id, arm) {
    const { urban, water } = one.rig;
    await arm('FIRST', urban);
    urban.refusesWith = 'E-17';
    await one.route(id, 'urban-management', 1);
    await one.until(id, ({ state }) => state === 'RETURNED');
    urban.refusesWith = undefined;
    await one.route(id, 'water-affairs', 2);
    await one.settle(id, water, '/water');
  },
  async WITHDRAWN(one, id, arm) {
    const { urban } = one.rig;
    const survivor = await one.report('另一件');
    await urban.down();
    await one.route(id, 'urban-management', 1);
    await one.until(id, ({ attempts }) => attempts[0]?.delivery === 'PENDING');
    await arm('FIRST', urban);
    await one.act(id, 'mergeIncident', `requestId: "merge", into: "${survivor}"`);
    // Who dies while it calls again does not know whether the call arrived: the department is asked when it is there.
    const ended = ['SUPERSEDED', 'UNKNOWN'];
    await one.until(id, ({ attempts }) => ended.includes(attempts[0]?.delivery ?? ''));
    await urban.up();
    await one.until(id, ({ attempts }) => attempts[0]?.delivery === 'SUPERSEDED');
    const steps = (await one.read(survivor)).steps.map(({ kind }) => kind);
    if (steps.join(' ') !== 'REPORTED ACCEPTED ABSORBED')
      throw new Error(`the survivor went ${steps.join(' ')}`);
  },
};

function openCourse(rig: MortalRig, course: Course) {
  const ask = async <Data>(query: string, variables: Record<string, unknown>): Promise<Data> => {
    const { data, errors } = await askSigned(rig.library.urls().incidents, rig.key, STAFF, query, variables);
    if (errors !== undefined || data === null) throw new Error(JSON.stringify(errors));
    return data as unknown as Data;
  };
  /** Who is not answered says it again, under the same number. */
  const again = <Data>(what: string, query: string, variables: Record<string, unknown>): Promise<Data> =>
    waitFor(what, () => ask<Data>(query, variables) as Promise<Data & object>, MS_MAX);
  const act = (id: string, field: string, args: string) =>
    again<object>(field, `mutation ($id: ID!) { ${field}(id: $id, ${args}) { state } }`, { id });
  const read = async (id: string) => (await again<{ incident: Shown }>('reading', INCIDENT, { id })).incident;
  const until = (id: string, isSo: (shown: Shown) => boolean) =>
    waitFor(
      `the course ${course}`,
      async () => {
        const shown = await read(id);
        if (!isSo(shown)) throw new Error(JSON.stringify(shown));
        return shown;
      },
      MS_MAX,
    );
  const tell = async (
    id: string,
    department: Department,
    path: string,
    status: string,
    more: object = {},
  ) => {
    const find = () => department.book.find(({ incident }) => incident === id)?.caseNo;
    const caseNo = await waitFor('the record', find, MS_MAX);
    const version = Number(status);
    // As a department does: until it is taken.
    const isTaken = async () =>
      (await push(rig.host.urls().ingest, path, { caseNo, version, status, at: AT, ...more })) === 200;
    await waitFor('what is pushed to be taken', isTaken, MS_MAX);
  };
  return {
    ...{ rig, act, read, until, tell },
    async report(title: string): Promise<string> {
      const input = { requestId: randomUUID(), channel: 'APP', title, division: '320508017003' };
      const query = 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }';
      const { reportIncident } = await again<{ reportIncident: { id: string } }>('the report', query, {
        input,
      });
      await act(reportIncident.id, 'acceptIncident', 'requestId: "accept"');
      return reportIncident.id;
    },
    route: (id: string, department: string, attempt: number) =>
      act(id, 'routeIncident', `requestId: "route-${attempt}", department: "${department}"`),
    async settle(id: string, department: Department, path: string) {
      await tell(id, department, path, '2');
      await until(id, ({ state }) => state === 'HANDLING');
      await tell(id, department, path, '9', { result: '已处置' });
      await until(id, ({ state }) => state === 'FED_BACK');
    },
    ending: (id: string, deaths: number) => endingOf(rig, id, deaths, read),
  };
}

async function endingOf(
  { database, urban, water }: MortalRig,
  id: string,
  deaths: number,
  read: (id: string) => Promise<Shown>,
): Promise<Ending> {
  const settled = `SELECT
    (SELECT count(*)::int FROM connectors.command WHERE subject = $1 AND state IN ('PENDING', 'SENT', 'UNKNOWN')) AS commands,
    (SELECT count(*)::int FROM incidents.delivery WHERE incident_id = $1::uuid AND next_at IS NOT NULL) AS news,
    (SELECT count(*)::int FROM incidents.progress WHERE next_at IS NOT NULL) AS told`;
  await waitFor(
    'nothing to be left',
    async () => {
      const { rows } = await database.client.query<Record<string, number>>(settled, [id]);
      return Object.values(rows[0] ?? {}).every((count) => count === 0);
    },
    MS_MAX,
  );
  const { state, steps, attempts, problems } = await read(id);
  const { rows: events } = await database.client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM events.event WHERE topic = 'incident' AND subject = $1`,
    [`Incident:${id}`],
  );
  const records = [urban, water].map(({ book }) => book.filter(({ incident }) => incident === id));
  const numbers = new Set(records.flat().map(({ caseNo }) => caseNo));
  const ends = steps.filter(
    ({ kind, reason }) => kind === 'DELIVERY' && ['APPLIED', 'SUPERSEDED'].includes(String(reason)),
  );
  const delivered = attempts.filter(({ delivery }) => delivery === 'APPLIED');
  return {
    ...{ deaths, state },
    kinds: steps.flatMap(({ kind }) => (kind === 'DELIVERY' ? [] : [String(kind)])),
    attempts: attempts.map(({ department, outcome, delivery }) => [department?.code, outcome, delivery]),
    areNumbersRight: delivered.every(({ externalNumber }) => numbers.has(externalNumber?.number ?? '')),
    records: [records[0]?.length ?? 0, records[1]?.length ?? 0],
    problems: problems.length,
    isToldOnce:
      events[0]?.count === steps.length && new Set(ends.map(({ attempt }) => attempt)).size === ends.length,
  };
}
