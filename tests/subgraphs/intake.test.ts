import { createLogger } from '@weft/core/logger';
import type { CloudEvent } from '@weft/events/envelope';
import { incidentIdOf } from '@weft/subgraphs/incidents/identity';
import { startSubgraphs } from '@weft/subgraphs/start';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  appendEvents,
  ask,
  createMigratedDatabase,
  hotlineReport,
  startAsProcess,
  startInProcess,
} from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();
type Database = Awaited<ReturnType<typeof createMigratedDatabase>>;

async function count(database: Database, table: string): Promise<number> {
  const { rows } = await database.client.query(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0].count;
}

const reports = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) =>
    hotlineReport(`GD${String(from + index).padStart(6, '0')}`),
  );

/** Nothing is there twice, nothing is missing, and each incident has its one event and one step. */
async function expectExactlyOnce(database: Database, incidents: number): Promise<void> {
  const { rows } = await database.client.query(`SELECT
    (SELECT count(*)::int FROM incidents.incident) AS incidents,
    (SELECT count(DISTINCT number)::int FROM incidents.external_number WHERE kind = 'hotlineOrder') AS orders,
    (SELECT count(*)::int FROM incidents.external_number) AS numbers,
    (SELECT count(*)::int FROM incidents.incident_step) AS steps,
    (SELECT count(*)::int FROM events.event WHERE topic = 'incident') AS events,
    (SELECT count(DISTINCT subject)::int FROM events.event WHERE topic = 'incident') AS subjects`);
  expect(rows[0]).toEqual({
    incidents,
    orders: incidents,
    numbers: incidents,
    steps: incidents,
    events: incidents,
    subjects: incidents,
  });
}

describe.skipIf(noPostgres !== undefined)('the intake of reports', () => {
  let database: Database;
  beforeAll(async () => {
    database = await createMigratedDatabase();
  });
  afterAll(() => database.drop());

  describe('in one process', () => {
    let hub: Awaited<ReturnType<typeof startInProcess>>;
    beforeEach(async () => {
      await database.client.query(
        'TRUNCATE incidents.incident, incidents.incident_step, incidents.external_number, incidents.intake_rejected, incidents.checkpoint, events.event CASCADE',
      );
      hub = await startInProcess(database.url);
    });
    afterEach(() => hub.close());

    it('makes an incident of a report, with its first step, its numbers and its event', async () => {
      await appendEvents(database.client, 'incident-report', [hotlineReport('GD1', { matter: '01001' })]);
      const incident = await waitFor('the incident', async () => {
        const { data } = await ask(
          hub.urls.incidents,
          '{ incidentByExternalNumber(kind: "hotlineOrder", number: "GD1") { id title channelLabel stateLabel matter { code name } division { code } reportedAt externalNumbers { kind number source } steps { sequence kind from to by } } }',
        );
        return (
          (data as unknown as { incidentByExternalNumber: { id: string } | null }).incidentByExternalNumber ??
          undefined
        );
      });
      const id = incidentIdOf('/systems/hotline', 'report:HotlineOrder:GD1');
      expect(incident).toEqual({
        id,
        title: '暴露垃圾 GD1',
        channelLabel: '热线电话',
        stateLabel: '待受理',
        matter: { code: '01001', name: '供水井盖异常' },
        division: { code: '320508017003' },
        reportedAt: '2026-11-22T00:00:00.000Z',
        externalNumbers: [{ kind: 'hotlineOrder', number: 'GD1', source: 'hotline' }],
        steps: [{ sequence: 1, kind: 'REPORTED', from: null, to: 'REPORTED', by: 'hotline' }],
      });
      const { rows } = await database.client.query(
        `SELECT envelope FROM events.event WHERE topic = 'incident'`,
      );
      expect(rows[0].envelope).toMatchObject({
        id: `${id}:1`,
        source: '/subgraphs/incidents',
        type: 'dev.weft.incident.reported',
        subject: `Incident:${id}`,
        partitionkey: id,
        sequence: '1',
        correlationid: 'GD1',
        causationid: 'report:HotlineOrder:GD1',
        data: {
          incident: { id },
          change: { kind: 'REPORTED', from: null, to: 'REPORTED', by: 'hotline' },
          division: '320508017003',
          channel: 'HOTLINE',
        },
      });
    });

    it('puts aside what cannot be understood with its reason, and goes on', async () => {
      await appendEvents(database.client, 'incident-report', [
        hotlineReport('GD1', { channel: 'PIGEON' }),
        hotlineReport('GD2', { title: ' ' }),
        hotlineReport('GD3', { title: 'a\0b' }),
        hotlineReport('GD4', { reportedAt: '2026-02-30T08:00:00+08:00' }),
        hotlineReport('GD5', { title: null }),
        hotlineReport('GD6', { division: '999999', matter: '99999' }),
      ]);
      await waitFor('the good report', async () => (await count(database, 'incidents.incident')) === 1);
      const { rows } = await database.client.query(
        'SELECT event_id, reason FROM incidents.intake_rejected ORDER BY event_id',
      );
      expect(rows).toEqual([
        { event_id: 'report:HotlineOrder:GD1', reason: 'channel: expected a value of the enum Channel' },
        { event_id: 'report:HotlineOrder:GD2', reason: 'title: expected text that is not empty' },
        { event_id: 'report:HotlineOrder:GD3', reason: 'title: expected text without NUL' },
        { event_id: 'report:HotlineOrder:GD4', reason: 'reportedAt: expected RFC 3339 with an offset' },
        { event_id: 'report:HotlineOrder:GD5', reason: 'title: expected text' },
      ]);
      const { data } = await ask(
        hub.urls.incidents,
        '{ incidents { edges { node { division { code } matter { code name } } } } }',
      );
      expect(data).toEqual({
        incidents: {
          edges: [{ node: { division: { code: '999999' }, matter: { code: '99999', name: '未知事项' } } }],
        },
      });
    });

    it('makes an incident of every report with a title, a channel and an instant, whatever else is wrong', async () => {
      const bad = {
        title: '长'.repeat(501),
        division: '320508017003/01',
        address: '长'.repeat(501),
        externalNumbers: { hotlineOrder: 'GD1', gridCode: ' ' },
      };
      const event = hotlineReport('GD1');
      await appendEvents(database.client, 'incident-report', [
        { ...event, data: { ...event.data, ...bad, matter: 12345 } },
      ]);
      const incident = await waitFor('the incident', async () => {
        const { data } = await ask(
          hub.urls.incidents,
          '{ incidents { edges { node { title matter { code } division { code } address externalNumbers { kind number } } } } }',
        );
        return (data as unknown as { incidents: { edges: { node: unknown }[] } }).incidents.edges[0]?.node;
      });
      expect(incident).toEqual({
        title: `${'长'.repeat(499)}…`,
        matter: { code: '12345' },
        division: null,
        address: `${'长'.repeat(499)}…`,
        externalNumbers: [{ kind: 'hotlineOrder', number: 'GD1' }],
      });
      expect(await count(database, 'incidents.intake_rejected')).toBe(0);
    });

    it('warns of each report whose fields it could not keep, and of how many it has put aside', async () => {
      await hub.close();
      const warnings: Record<string, unknown>[] = [];
      const logger = Object.assign(createLogger('test', 'silent'), {
        // What it says at its start, it says without fields.
        warn: (fields: Record<string, unknown> | string) =>
          typeof fields === 'string' ? undefined : void warnings.push(fields),
      });
      hub = await startSubgraphs({ databaseUrl: database.url, host: '127.0.0.1', port: 0, logger });
      await appendEvents(database.client, 'incident-report', [
        hotlineReport('GD1', { division: '32%', address: '长'.repeat(501) }),
        hotlineReport('GD2', { title: null }),
        hotlineReport('GD3', { channel: null }),
        hotlineReport('GD4'),
      ]);
      await waitFor('the good reports', async () => (await count(database, 'incidents.incident')) === 2);
      expect(warnings).toEqual([
        {
          report: 'report:HotlineOrder:GD1',
          source: '/systems/hotline',
          fields: [
            { field: 'division', problem: expect.stringContaining('dropped') },
            { field: 'address', problem: 'cut: expected at most 500 characters, got 501' },
          ],
        },
        { rejected: 2, first: 'title: expected text' },
      ]);
    });

    it('is held up by no report, whatever stands in it', async () => {
      const nasty: readonly CloudEvent['data'][] = [
        { title: 'half a pair \ud800' },
        { description: '\udc00' },
        { reporterName: 'half \ud800', reporterContact: '\udc00' },
        { externalNumbers: { '\ud800': '\udfff', hotlineOrder: 'GD3' } },
        { reportedAt: '9999-12-31T23:59:59-12:00' },
        { reportedAt: '0001-01-01T00:00:00+14:00' },
        { reportedAt: 1_780_000_000_000 },
        { channel: { HOTLINE: true } },
        { title: [] },
        { externalNumbers: { hotlineOrder: { number: 'GD9' } } },
      ];
      const events = nasty.map((fields, index) => {
        const event = hotlineReport(`N${index}`);
        return { ...event, data: { ...event.data, ...fields } };
      });
      await appendEvents(database.client, 'incident-report', [...events, hotlineReport('LAST')]);
      const settled = async () =>
        (await count(database, 'incidents.incident')) + (await count(database, 'incidents.intake_rejected'));
      await waitFor('each is an incident or put aside', async () => (await settled()) === events.length + 1);
      const { data } = await ask(
        hub.urls.incidents,
        '{ incidentByExternalNumber(kind: "hotlineOrder", number: "LAST") { title } }',
      );
      expect(data).toEqual({ incidentByExternalNumber: { title: '暴露垃圾 LAST' } });
    });

    it('makes no second incident when the checkpoint is lost and everything is told again', async () => {
      await appendEvents(database.client, 'incident-report', reports(0, 300));
      await waitFor('300 incidents', async () => (await count(database, 'incidents.incident')) === 300);
      await hub.close();
      await database.client.query(`UPDATE incidents.checkpoint SET position = '0.0'`);
      hub = await startInProcess(database.url);
      await appendEvents(database.client, 'incident-report', reports(300, 301));
      await waitFor('the next incident', async () => (await count(database, 'incidents.incident')) === 301);
      await expectExactlyOnce(database, 301);
    });

    it('takes at least 400 reports a second', async () => {
      const started = performance.now();
      await appendEvents(database.client, 'incident-report', reports(0, 2_000));
      await waitFor('2,000 incidents', async () => (await count(database, 'incidents.incident')) === 2_000);
      const perSecond = 2_000 / ((performance.now() - started) / 1_000);
      console.info(`intake: ${Math.round(perSecond)} reports a second`);
      expect(perSecond).toBeGreaterThan(400);
    });

    it('is shared by two processes without a loss or a double', async () => {
      const second = await startInProcess(database.url);
      for (let from = 0; from < 1_000; from += 50)
        await appendEvents(database.client, 'incident-report', reports(from, from + 50));
      await waitFor(
        '1,000 incidents',
        async () => (await count(database, 'incidents.incident')) === 1_000,
        20_000,
      );
      await second.close();
      await expectExactlyOnce(database, 1_000);
    });

    it('goes on after PostgreSQL has ended all its connections', async () => {
      for (let from = 0; from < 1_000; from += 100) {
        await appendEvents(database.client, 'incident-report', reports(from, from + 100));
        await database.client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
      }
      await waitFor(
        '1,000 incidents',
        async () => (await count(database, 'incidents.incident')) === 1_000,
        20_000,
      );
      await expectExactlyOnce(database, 1_000);
    });
  });

  it('neither loses nor doubles a report when its process is killed with -9 in the middle of 2,000', {
    timeout: 90_000,
  }, async () => {
    await database.client.query(
      'TRUNCATE incidents.incident, incidents.incident_step, incidents.external_number, incidents.checkpoint, events.event CASCADE',
    );
    let hub = await startAsProcess(database.url);
    let killedInTheMiddle = 0;
    for (let from = 0; from < 2_000; from += 500) {
      await appendEvents(database.client, 'incident-report', reports(from, from + 500));
      await waitFor('progress', async () => (await count(database, 'incidents.incident')) > from);
      await hub.kill();
      if ((await count(database, 'incidents.incident')) < from + 500) killedInTheMiddle += 1;
      hub = await startAsProcess(database.url);
      await waitFor('the rest', async () => (await count(database, 'incidents.incident')) === from + 500);
    }
    expect(killedInTheMiddle).toBeGreaterThan(0);
    await expectExactlyOnce(database, 2_000);
    expect(await hub.stop()).toBe(0);
  });
});
