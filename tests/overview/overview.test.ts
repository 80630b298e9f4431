// The look at the whole over six systems, in one request through the hub as a user starts it.
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { whyNoPostgres } from '../support/engines.ts';
import type { GraphQLAnswer } from '../support/hub.ts';
import { waitFor } from '../support/wait.ts';
import {
  budgets,
  OVERVIEW,
  type Overview,
  type OverviewRig,
  SYSTEMS,
  type SystemCount,
  type SystemName,
  startOverviewRig,
} from './rig.ts';

const whyNot = await whyNoPostgres();
const INCIDENTS = 3_000;
const DISTRICT = '320508';
const STREET = '320508017';
const START_MS_MAX = 180_000;
const TEST_MS_MAX = 120_000;
/** As the descriptions have it: a count that is younger is given again. */
const MAX_AGE_MS = 10_000;

/** By no index of ours, from the rows as they are; what the anonymous may see. */
const COUNTED = `
SELECT count(*) FILTER (WHERE is_open)::int AS open, count(*) FILTER (WHERE is_open AND due_at < now())::int AS overdue,
       count(*) FILTER (WHERE reported_at > now() - interval '1 hour' AND state <> 'DRAFT')::int AS "reportedLastHour",
       count(*) FILTER (WHERE state = 'HANDLING')::int AS handling,
       count(*) FILTER (WHERE is_open AND department = 'police')::int AS police
FROM (SELECT *, state NOT IN ('DRAFT', 'CLOSED', 'EVALUATED', 'REJECTED', 'INVALID', 'MERGED') AS is_open FROM incidents.incident) AS i
WHERE division LIKE $1 || '%' AND NOT confidential`;

describe.skipIf(whyNot !== undefined)('overview over six systems', { timeout: TEST_MS_MAX }, () => {
  let rig: OverviewRig;
  beforeAll(async () => {
    rig = await startOverviewRig(INCIDENTS);
  }, START_MS_MAX);
  afterAll(() => rig?.close(), START_MS_MAX);

  const look = async (division: string | null) => {
    const answer = (await rig.ask(division)) as GraphQLAnswer<{ overview: Overview | null }>;
    const overview = answer.data?.overview;
    if (overview === null || overview === undefined) throw new Error(JSON.stringify(answer.errors));
    return { ...answer, overview };
  };
  const countOf = (overview: Overview, name: SystemName): SystemCount => {
    const found = overview.systems?.find(({ system }) => system?.name === name);
    if (found === undefined) throw new Error(`no count of ${name}`);
    return found;
  };
  const opens = ({ systems }: Overview): Readonly<Record<string, number | null>> =>
    Object.fromEntries((systems ?? []).map(({ system, open }) => [system?.name, open]));
  const untilOf = (what: string, division: string | null, holds: (overview: Overview) => boolean) =>
    waitFor(
      what,
      async () => {
        const { overview } = await look(division);
        return holds(overview) ? overview : undefined;
      },
      60_000,
    );

  it('has the library’s counts as SQL has them, and each system’s as its own books have them', async () => {
    for (const division of [DISTRICT, STREET]) {
      const { overview, errors } = await look(division);
      expect(errors).toBeUndefined();
      const { rows } = await rig.database.query(COUNTED, [division]);
      expect({
        open: overview.open,
        overdue: overview.overdue,
        reportedLastHour: overview.reportedLastHour,
        handling: overview.states.find(({ state }) => state === 'HANDLING')?.count,
        police: overview.departments.find(({ department }) => department?.code === 'police')?.open,
      }).toEqual(rows[0]);
      expect(overview.systems?.map(({ system }) => system?.name)).toEqual([...SYSTEMS]);
      expect(opens(overview)).toEqual(rig.openInBooks(division));
      for (const { state, stateLabel, reason, age, asOf, system } of overview.systems ?? []) {
        expect({ state, stateLabel, reason }).toEqual({ state: 'CURRENT', stateLabel: '最新', reason: null });
        expect(age).toBeLessThanOrEqual(MAX_AGE_MS / 1_000);
        expect(asOf).toMatch(/Z$/);
        expect(system?.title).toMatch(/\p{Script=Han}/u);
      }
    }
    const { overview } = await look(null);
    expect(overview.id).toBe('*');
    expect(opens(overview)).toEqual(rig.openInBooks(''));
    expect(Object.values(opens(overview)).every((open) => open !== null && open > 0)).toBe(true);
  });

  it('asks no system more than its budget, however many look at once', async () => {
    await Promise.all([look(DISTRICT), look(STREET)]);
    const [before] = [await rig.counted(), await rig.loads()];
    const startedAt = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => look(index % 2 === 0 ? DISTRICT : STREET)),
    );
    expect(answers.every(({ errors }) => errors === undefined)).toBe(true);
    const [loads, after] = [await rig.loads(), await rig.counted()];
    const elapsedMs = performance.now() - startedAt;
    for (const system of SYSTEMS) {
      const { concurrency, maxAgeMs } = budgets()[system];
      expect(loads[system]?.concurrentMax ?? 0, system).toBeLessThanOrEqual(concurrency);
      // Of two divisions.
      const callsMax = 2 * (Math.ceil(elapsedMs / maxAgeMs) + 1);
      expect((after[system] ?? 0) - (before[system] ?? 0), system).toBeLessThanOrEqual(callsMax);
    }
  });

  it('shows the last count of a system that is down with its age, and asks it again when it is back', async () => {
    await look(STREET);
    const before = rig.openInBooks(STREET);
    await rig.control('police', '/faults', 'POST', { refuse: true });
    try {
      const old = await untilOf('the count of the police to be old', STREET, (overview) => {
        const { state, reason } = countOf(overview, 'police');
        return state === 'OLD' && reason !== 'AWAITED';
      });
      const police = countOf(old, 'police');
      expect(police).toMatchObject({ open: before.police, stateLabel: '旧数' });
      expect(police.reason).toMatch(/^(UPSTREAM_UNAVAILABLE|BREAKER)$/);
      expect(police.age).toBeGreaterThanOrEqual(MAX_AGE_MS / 1_000 - 1);
      expect(opens(old)).toEqual(rig.openInBooks(STREET));
    } finally {
      await rig.control('police', '/faults', 'DELETE');
    }
    await untilOf(
      'a new count of the police',
      STREET,
      (overview) => countOf(overview, 'police').state === 'CURRENT',
    );
  });

  it('has null and a coded error for what never was known, and everything else beside it', async () => {
    const community = '320508018025';
    await rig.control('urban-management', '/faults', 'POST', { garbage: true });
    try {
      const { overview, errors } = await look(community);
      const index = SYSTEMS.indexOf('urban-management');
      expect(errors).toHaveLength(1);
      expect(errors?.[0]).toMatchObject({
        path: ['overview', 'systems', index, 'open'],
        extensions: { code: 'UPSTREAM_INVALID', system: 'urban-management', origin: 'PROVIDER' },
      });
      expect(countOf(overview, 'urban-management')).toMatchObject({
        open: null,
        asOf: null,
        age: null,
        state: 'UNKNOWN',
        stateLabel: '不明',
        reason: 'UPSTREAM_INVALID',
      });
      expect(opens(overview)).toEqual({ ...rig.openInBooks(community), 'urban-management': null });
      expect(overview.open).toBeGreaterThan(0);
    } finally {
      await rig.control('urban-management', '/faults', 'DELETE');
    }
    const mended = await untilOf(
      'its count',
      community,
      (overview) => countOf(overview, 'urban-management').open !== null,
    );
    expect(opens(mended)).toEqual(rig.openInBooks(community));
  });

  it('does not wait for a slow system whose last count is known', async () => {
    await look(DISTRICT);
    await rig.control('market-supervision', '/faults', 'POST', { latencyMs: 1_500 });
    try {
      const started = await untilOf('a count that is awaited', DISTRICT, (overview) => {
        const { state, reason } = countOf(overview, 'market-supervision');
        return state === 'OLD' && reason === 'AWAITED';
      });
      expect(countOf(started, 'market-supervision').open).toBe(
        rig.openInBooks(DISTRICT)['market-supervision'],
      );
      // What nobody waited for has come for who looks next.
      await untilOf(
        'the slow count',
        DISTRICT,
        (overview) => countOf(overview, 'market-supervision').state === 'CURRENT',
      );
    } finally {
      await rig.control('market-supervision', '/faults', 'DELETE');
    }
  });

  it('loses the systems’ counts alone when the connector host is killed', async () => {
    process.kill(rig.hub.pid('connectors'), 'SIGKILL');
    const without = await waitFor('an answer without systems', async () => {
      const { overview, errors } = await look(STREET);
      return overview.systems === null ? { overview, errors } : undefined;
    });
    expect(without.overview.open).toBeGreaterThan(0);
    expect(without.errors?.[0]).toMatchObject({
      path: ['overview', 'systems'],
      extensions: { system: 'connectors' },
    });
    await untilOf(
      'the systems again',
      STREET,
      ({ systems }) => systems?.every(({ open }) => open !== null) === true,
    );
  });
});

describe.skipIf(whyNot !== undefined)('overviewChanged', { timeout: TEST_MS_MAX }, () => {
  let rig: OverviewRig;
  beforeAll(async () => {
    rig = await startOverviewRig(200);
  }, START_MS_MAX);
  afterAll(() => rig?.close(), START_MS_MAX);

  interface Told {
    readonly cursor: string;
    readonly gap: { readonly reason: string } | null;
    readonly overview: Pick<Overview, 'id' | 'open' | 'systems'> | null;
  }
  const LIVE = `subscription ($division: ID, $from: StreamStart, $ms: Int, $after: Cursor) {
    overviewChanged(division: $division, from: $from, intervalMs: $ms, after: $after) {
      cursor gap { reason } overview { id open systems { system { name } open state } } } }`;

  /** Listens until stopped; each message with when it came. */
  const listen = (variables: object) => {
    const client = createClient({ url: rig.hub.urls.ws ?? '', webSocketImpl: WebSocket, retryAttempts: 0 });
    const told: { readonly at: number; readonly told: Told }[] = [];
    const codes: unknown[] = [];
    client.subscribe<{ overviewChanged: Told }>(
      { query: LIVE, variables: { ...variables } },
      {
        next: ({ data, errors }) => {
          if (data) told.push({ at: performance.now(), told: data.overviewChanged });
          else codes.push(errors?.[0]?.extensions?.code);
        },
        error: (thrown) => codes.push((thrown as { extensions?: { code: string } }[])[0]?.extensions?.code),
        complete: () => undefined,
      },
    );
    return { told, codes, stop: () => client.dispose() };
  };
  let reported = 0;
  const report = async (count: number, division: string) => {
    for (let number = 0; number < count; number += 1) {
      reported += 1;
      const { errors } = await rig.hub.query(
        'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }',
        { input: { requestId: `live-${reported}`, channel: 'APP', title: `实时 ${reported}`, division } },
      );
      expect(errors).toBeUndefined();
    }
  };
  const openNow = async (division: string) => {
    const { data } = await rig.hub.query<{ overview: Overview }>(OVERVIEW, { division });
    return data?.overview.open;
  };

  it('begins with what is, and tells at most once a second what has become of it, the latest', async () => {
    const stream = listen({ division: STREET, from: 'SNAPSHOT' });
    await waitFor('the overview as it is', () => stream.told.length === 1);
    expect(stream.told[0]?.told.overview).toMatchObject({ id: STREET, open: await openNow(STREET) });
    expect(stream.told[0]?.told.overview?.systems).toHaveLength(SYSTEMS.length);
    await report(30, '320508017003');
    await report(3, '320508018025');
    const open = await openNow(STREET);
    await waitFor('the latest', () => stream.told.at(-1)?.told.overview?.open === open, 30_000);
    const times = stream.told.slice(1).map(({ at }) => at);
    for (const [index, at] of times.entries())
      if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThan(900);
    expect(times.length).toBeLessThan(30);
    await stream.stop();
  });

  it('goes on behind a cursor with the latest alone, and refuses a shorter interval', async () => {
    const first = listen({ division: STREET });
    // It stands in the stream when something comes.
    await waitFor('the first', async () => {
      if (first.told.length === 0) await report(1, '320508017003');
      return first.told.length > 0;
    });
    const cursor = first.told[0]?.told.cursor;
    await first.stop();
    await report(20, '320508017003');
    const open = await openNow(STREET);
    const back = listen({ division: STREET, after: cursor });
    await waitFor('what was missed', () => back.told.at(-1)?.told.overview?.open === open, 30_000);
    expect(back.told.length).toBeLessThan(4);
    expect(back.told.every(({ told }) => told.gap === null)).toBe(true);
    await back.stop();
    const hasty = listen({ division: STREET, ms: 10 });
    await waitFor('the refusal', () => hasty.codes.length > 0);
    expect(hasty.codes).toEqual(['BAD_USER_INPUT']);
    await hasty.stop();
  });
});
