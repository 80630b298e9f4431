import { randomUUID } from 'node:crypto';
import { createLogger } from '@weft/core/logger';
import { PrismaClient } from '@weft/subgraphs/incidents/generated/client';
import type { Library } from '@weft/subgraphs/incidents/library';
import { tellOverdue } from '@weft/subgraphs/incidents/overdue';
import { type OpenStore, openSqlStore } from '@weft/subgraphs/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { type Asker, createMigratedDatabase, startSigned } from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

const STAFF: Asker = { subject: '中心甲', roles: ['centre-staff'], division: '3205' };
const POLICE: Asker = { subject: '民警', roles: ['department-handler'], department: 'police' };
const HOUR_MS = 3_600_000;

describe.skipIf(noPostgres !== undefined)('a deadline that passes', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startSigned>>;
  let clients: readonly (Library & Pick<OpenStore, 'close'>)[];
  beforeAll(async () => {
    database = await createMigratedDatabase();
    hub = await startSigned(database.url);
    const open = () => {
      const { adapter, sql, close } = openSqlStore(database.url, 'incidents', createLogger('test', 'silent'));
      return { prisma: new PrismaClient({ adapter }), sql, close };
    };
    clients = [open(), open(), open()];
  });
  afterAll(async () => {
    await Promise.all(clients.flatMap(({ prisma, close }) => [prisma.$disconnect(), close()]));
    await hub.close();
    await database.drop();
  });

  const act = async (asker: Asker, id: string, field: string) => {
    const { errors } = await hub.askAs(asker, `mutation ($id: ID!) { ${field} { id } }`, { id });
    expect(errors).toBeUndefined();
  };
  const routed = async () => {
    const { data } = await hub.askAs(
      STAFF,
      'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }',
      {
        input: {
          requestId: randomUUID(),
          channel: 'APP',
          title: '噪声',
          urgency: 'URGENT',
          division: '320508',
        },
      },
    );
    const { id } = (data as unknown as { reportIncident: { id: string } }).reportIncident;
    await act(STAFF, id, 'acceptIncident(id: $id)');
    await act(STAFF, id, 'routeIncident(id: $id, department: "police")');
    return id;
  };
  const stepsOf = async (id: string) => {
    const { rows } = await database.client.query(
      `SELECT kind, reason, attempt, sequence FROM incidents.incident_step WHERE incident_id = $1 ORDER BY sequence`,
      [id],
    );
    return rows.filter(({ kind }) => kind === 'OVERDUE');
  };
  /** As three processes, each with a client of its own, that look at the same moment. */
  const look = async (hours: number) => {
    const now = new Date(Date.now() + hours * HOUR_MS);
    await Promise.all(clients.map((client) => tellOverdue(client, now, 'sha256')));
  };

  it('becomes one step and one event, however many look', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, routed));
    await look(0.5);
    for (const id of ids) expect(await stepsOf(id)).toEqual([]);
    await look(1.5);
    await look(1.6);
    for (const id of ids)
      expect(await stepsOf(id)).toEqual([{ kind: 'OVERDUE', reason: 'SIGN', attempt: 1, sequence: 4 }]);
    const { rows } = await database.client.query(
      `SELECT count(*)::int AS events FROM events.event WHERE type = 'dev.weft.incident.overdue'`,
    );
    expect(rows).toEqual([{ events: 5 }]);
    await look(49);
    for (const id of ids) {
      const kinds = (await stepsOf(id)).map(({ reason, attempt }) => `${reason} ${attempt}`);
      expect(kinds).toEqual(['SIGN 1', 'HANDLE 1', 'REPLY null']);
    }
  });

  it('is not told of once it is met, and told of again when it was moved', async () => {
    const id = await routed();
    await act(POLICE, id, 'signForIncident(id: $id)');
    await look(2);
    expect(await stepsOf(id)).toEqual([]);
    await look(25);
    const until = new Date(Date.now() + 30 * HOUR_MS).toISOString();
    await act(POLICE, id, `requestIncidentExtension(id: $id, until: "${until}", reason: "取证")`);
    await act(STAFF, id, 'grantIncidentExtension(id: $id, granted: true)');
    await look(29);
    expect(await stepsOf(id)).toHaveLength(1);
    await look(31);
    expect((await stepsOf(id)).map(({ reason }) => reason)).toEqual(['HANDLE', 'HANDLE']);
    await act(POLICE, id, 'feedBackIncident(id: $id, result: "已处置")');
    await look(40);
    expect(await stepsOf(id)).toHaveLength(2);
  });

  it('shows in the graph: which run, which was met, and the next', async () => {
    const id = await routed();
    const read = async () => {
      const fields =
        'dueAt overdue deadlines { kind label attempt dueAt metAt overdue byWeekdays } attempts { dueAt overdue signDueAt handleDueAt }';
      const { data } = await hub.askAs(STAFF, `query ($id: ID!) { incident(id: $id) { ${fields} } }`, { id });
      return data?.incident as unknown as {
        dueAt: string;
        overdue: boolean;
        deadlines: Record<string, unknown>[];
        attempts: Record<string, string>[];
      };
    };
    const before = await read();
    expect(
      before.deadlines.map(({ kind, attempt, metAt, overdue }) => [kind, attempt, metAt, overdue]),
    ).toEqual([
      ['SIGN', 1, null, false],
      ['RETURN', 1, null, false],
      ['HANDLE', 1, null, false],
      ['REPLY', null, null, false],
    ]);
    expect(before.deadlines[0]).toMatchObject({ label: '签收时限', byWeekdays: false });
    expect(before.dueAt).toBe(before.attempts[0]?.signDueAt);
    await act(POLICE, id, 'signForIncident(id: $id)');
    const signed = await read();
    expect(signed.dueAt).toBe(signed.attempts[0]?.handleDueAt);
    expect(signed.deadlines[0]).toMatchObject({ kind: 'SIGN', metAt: expect.any(String), overdue: false });
    await database.client.query(
      `UPDATE incidents.attempt SET handle_due_at = now() - interval '1 hour' WHERE incident_id = $1`,
      [id],
    );
    await database.client.query(
      `UPDATE incidents.incident SET due_at = now() - interval '1 hour' WHERE id = $1`,
      [id],
    );
    expect(await read()).toMatchObject({ overdue: true, attempts: [{ overdue: true }] });
  });
});
