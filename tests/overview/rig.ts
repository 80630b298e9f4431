// The whole hub as a user starts it, over a library of many incidents and six simulated systems with work of their own.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { compileSystem } from '@weft/connectors/compile/compile';
import { SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import pg from 'pg';
import { createPostgresDatabase } from '../support/engines.ts';
import { createHome, type Hub, removeHome, startHub } from '../support/hub.ts';
import { waitFor } from '../support/wait.ts';

/** In the order in which the graph lists them. */
export const SYSTEMS = [
  'grid',
  'hotline',
  'human-resources',
  'market-supervision',
  'police',
  'urban-management',
] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** Where the control of each is, by its name in `run.json`. */
const CONTROLS: Readonly<Record<SystemName, string>> = {
  grid: 'gridControl',
  hotline: 'hotlineControl',
  'human-resources': 'humanResourcesControl',
  'market-supervision': 'marketSupervisionControl',
  police: 'policeControl',
  'urban-management': 'urbanManagementControl',
};

export const OVERVIEW = `query Overview($division: ID) { overview(division: $division) {
  id division { code fullName } at open overdue reportedLastHour
  states { state stateLabel count } departments { department { code name } open overdue }
  systems { system { name title state } open asOf age state stateLabel reason }
} }`;

export interface SystemCount {
  readonly system: { readonly name: SystemName; readonly title: string; readonly state: string } | null;
  readonly open: number | null;
  readonly asOf: string | null;
  readonly age: number | null;
  readonly state: 'CURRENT' | 'OLD' | 'UNKNOWN';
  readonly stateLabel: string;
  readonly reason: string | null;
}

export interface Overview {
  readonly id: string;
  readonly open: number;
  readonly overdue: number;
  readonly reportedLastHour: number;
  readonly states: readonly { readonly state: string; readonly count: number }[];
  readonly departments: readonly {
    readonly department: { readonly code: string } | null;
    readonly open: number;
    readonly overdue: number;
  }[];
  readonly systems: readonly SystemCount[] | null;
}

/** What a system was asked since the last time: undefined where it is a database file, which nobody meters. */
export interface Load {
  readonly perSecondMax: number;
  readonly concurrentMax: number;
}

export interface OverviewRig {
  readonly hub: Hub;
  readonly database: pg.Client;
  ask(division: string | null): ReturnType<Hub['query']>;
  control<Answer>(system: SystemName, path: string, method?: string, body?: unknown): Promise<Answer>;
  /** What is open below a division, out of the simulators' own books: `` for everything. */
  openInBooks(division: string): Readonly<Record<SystemName, number>>;
  /** How often each was asked for its count since it was started; undefined where nobody meters. */
  counted(): Promise<Readonly<Record<SystemName, number | undefined>>>;
  loads(): Promise<Readonly<Record<SystemName, Load | undefined>>>;
  close(): Promise<void>;
}

/** Every state, department and division there can be, in turn; each 40th just reported, each 9th overdue. */
const GENERATE = `
INSERT INTO incidents.incident (id, title, channel, state, version, division, centre, department, confidential, reported_at, received_at, due_at)
SELECT gen_random_uuid(), '事件' || n, 'HOTLINE', state, 1, division, division || '-01',
       CASE WHEN state IN ('ROUTED', 'HANDLING', 'FED_BACK', 'VERIFYING', 'CLOSED')
            THEN (ARRAY['police', 'urban-management', 'human-resources', 'market-supervision'])[1 + n % 4] END,
       false, reported, reported,
       CASE WHEN state <> 'CLOSED' THEN now() + CASE WHEN n % 9 = 0 THEN interval '-1 hour' ELSE interval '1 day' END END
FROM (
  SELECT n, (ARRAY['REPORTED', 'ACCEPTED', 'ROUTED', 'HANDLING', 'RETURNED', 'FED_BACK', 'VERIFYING', 'CLOSED', 'CLOSED', 'CLOSED', 'EVALUATED'])[1 + n % 11] AS state,
         (ARRAY['320508017003', '320508017004', '320508018025', '320508019027'])[1 + n % 4] AS division,
         now() - CASE WHEN n % 40 = 0 THEN interval '10 minutes' ELSE interval '2 hours' * (1 + n % 500) END AS reported
  FROM generate_series(1, $1::int) AS n
) AS made`;

/** Incidents that go to the departments through the hub: one for each of these matters. */
const ROUTED_TO = ['urban-management', 'human-resources', 'market-supervision'] as const;
const WORKS_EACH = 4;
const AREAS = ['320508017003', '320508018025'] as const;
const READY_MS_MAX = 60_000;

/** @param incidents stored beside those that the systems tell of */
export async function startOverviewRig(incidents: number): Promise<OverviewRig> {
  const home = createHome();
  const made = await createPostgresDatabase();
  const database = new pg.Client({ connectionString: made.url });
  const opened: (() => Promise<unknown>)[] = [
    async () => removeHome(home),
    () => made.drop(),
    () => database.end(),
  ];
  const close = async () => {
    for (const end of opened.toReversed()) await end();
  };
  try {
    await database.connect();
    database.on('error', () => undefined);
    const hub = await startHub({ home, env: { DATABASE_URL: made.url } });
    opened.push(() => hub.stop());
    const rig = rigOf(hub, database, close);
    await fillLibrary(rig, incidents);
    await fillSystems(rig);
    return rig;
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function rigOf(hub: Hub, database: pg.Client, close: () => Promise<void>): OverviewRig {
  const control = async <Answer>(system: SystemName, path: string, method = 'GET', body?: unknown) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(`${hub.urls[CONTROLS[system]]}${path}`, init);
    if (!response.ok)
      throw new Error(`${system} ${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  };
  return {
    hub,
    database,
    ask: (division) => hub.query(OVERVIEW, { division }),
    control,
    openInBooks: (division) => readBooks(join(hub.home, 'simulators'), division),
    async counted() {
      const entries = SYSTEMS.map(async (system) => {
        const { requests } = await control<{ readonly requests?: unknown }>(system, '/stats');
        return [system, askedFor(system, requests)] as const;
      });
      return Object.fromEntries(await Promise.all(entries)) as Record<SystemName, number | undefined>;
    },
    async loads() {
      const entries = SYSTEMS.map(async (system) => {
        const load = system === 'grid' ? undefined : await control<Load>(system, '/load', 'DELETE');
        return [system, load] as const;
      });
      return Object.fromEntries(await Promise.all(entries)) as Record<SystemName, Load | undefined>;
    },
    close,
  };
}

/** What a count is asked by, as the meters name it; the police count all that they are asked. */
const QUESTIONS: Readonly<Partial<Record<SystemName, string>>> = {
  hotline: '/orders/statistics',
  'human-resources': 'message WJTJ',
  'market-supervision': 'GET /petitions/statistics',
  'urban-management': 'GET /api/v2/cases/count',
};

function askedFor(system: SystemName, requests: unknown): number | undefined {
  if (typeof requests === 'number') return requests;
  const question = QUESTIONS[system];
  if (question === undefined || typeof requests !== 'object' || requests === null) return undefined;
  return Number(Reflect.get(requests, question) ?? 0);
}

async function fillLibrary({ database }: OverviewRig, incidents: number): Promise<void> {
  await database.query(GENERATE, [incidents]);
  await database.query('VACUUM ANALYZE incidents.incident');
}

/** Orders, events and cases by the controls; the departments' work through the hub, as their work comes. */
async function fillSystems(rig: OverviewRig): Promise<void> {
  const numbered = (count: number) => Array.from({ length: count }, (_, index) => index);
  const area = (index: number) => AREAS[index % AREAS.length];
  const works = ROUTED_TO.length * WORKS_EACH;
  const orders = await rig.control<readonly { orderNo: string }[]>(
    'hotline',
    '/orders',
    'POST',
    numbered(works + 6).map((index) => ({
      externalRef: `overview-${index}`,
      subject: `概览工单 ${index}`,
      areaCode: area(index),
      address: `概览路 ${index} 号`,
    })),
  );
  await rig.control(
    'grid',
    '/events',
    'POST',
    numbered(7).map((index) => ({
      externalRef: `grid-${index}`,
      title: `网格事件 ${index}`,
      areaCode: area(index),
    })),
  );
  await rig.control(
    'police',
    '/cases',
    'POST',
    numbered(5).map((index) => ({ externalRef: `case-${index}`, place: `观前街 ${index} 号` })),
  );
  for (const [index, { orderNo }] of orders.entries()) {
    const department = ROUTED_TO[index % ROUTED_TO.length];
    if (index < works && department !== undefined) await route(rig.hub, orderNo, department);
    else if (index === works)
      await rig.control('hotline', `/orders/${orderNo}/state`, 'POST', { state: '50' });
  }
  await waitFor(
    'the departments to have their work',
    async () => {
      const { rows } = await rig.database.query(
        `SELECT count(*)::int AS count FROM incidents.attempt WHERE delivery = 'APPLIED'`,
      );
      return rows[0].count === works;
    },
    READY_MS_MAX,
  );
}

async function route(hub: Hub, orderNo: string, department: string): Promise<void> {
  const id = await waitFor(
    `an incident of ${orderNo}`,
    async () => {
      const { data } = await hub.query<{ incident: { id: string } | null }>(
        'query ($number: ID!) { incident: incidentByExternalNumber(kind: "hotlineOrder", number: $number) { id } }',
        { number: orderNo },
      );
      return data?.incident?.id;
    },
    READY_MS_MAX,
  );
  const { errors } = await hub.query(
    `mutation ($id: ID!, $department: ID!) {
      acceptIncident(id: $id, by: "值班席") { id } routeIncident(id: $id, department: $department, by: "值班席") { id } }`,
    { id, department },
  );
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
}

/** By SQL of the test's own on the files in which the simulators keep their books. */
function readBooks(folder: string, division: string): Record<SystemName, number> {
  const count = (file: string, sql: string) => {
    const database = new DatabaseSync(join(folder, file), { readOnly: true });
    try {
      return Number(database.prepare(sql).get(`${division}%`)?.n);
    } finally {
      database.close();
    }
  };
  const works = (file: string, field: string, ended: string) =>
    count(
      file,
      `select count(*) as n from work where body ->> '$.content.${field}' like ? and state not in (${ended})`,
    );
  return {
    grid: count('grid.db', `select count(*) as n from wg_shijian where sqdm like ? and zt in ('1', '2')`),
    hotline: count(
      'hotline.db',
      `select count(*) as n from orders where area_code like ? and row ->> 'state' not in ('50', '90')`,
    ),
    'human-resources': works('human-resources.db', 'qh', `'04', '05'`),
    'market-supervision': works('market-supervision.db', 'Area', `'YBJ', 'YTH'`),
    police: count(
      'police.db',
      `select count(*) as n from cases where coalesce(QHDM, '320508') like ? and AJZT not in ('3', '9')`,
    ),
    'urban-management': works('urban-management.db', 'districtCode', `'5', '6', '8', '9'`),
  };
}

/** What the description of a system allows. */
export interface Budget {
  /** Of its source: calls at once. */
  readonly concurrency: number;
  /** How long a count is given again. */
  readonly maxAgeMs: number;
}

/** Of the source that is asked for the count. */
export function budgets(): Readonly<Record<SystemName, Budget>> {
  const entries = SYSTEMS.map((name) => {
    const { plan } = compileSystem(join(SUBGRAPHS_FOLDER, name));
    const field = plan.fields.get(plan.openWork?.field ?? '');
    const source = field?.kind === 'call' ? plan.sources.get(field.connect.source) : undefined;
    const maxAgeMs = field?.kind === 'call' ? field.freshness?.maxAgeMs : undefined;
    if (source === undefined || maxAgeMs === undefined)
      throw new Error(`${name} does not say how it is asked what is open`);
    return [name, { concurrency: source.guard.concurrency, maxAgeMs }] as const;
  });
  return Object.fromEntries(entries) as Record<SystemName, Budget>;
}
