import { createLogger } from '@weft/core/logger';
import type { CloudEvent } from '@weft/events/envelope';
import { PrismaClient } from '@weft/subgraphs/registry/generated/client';
import { announcePresence } from '@weft/subgraphs/registry/presence';
import { openStore } from '@weft/subgraphs/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { appendEvents, ask, createMigratedDatabase, startInProcess } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();

/** A moment of the last seconds: what was told long ago is shown as UNKNOWN. */
const START_MS = Date.now() - 10_000;
const at = (seconds: number) => new Date(START_MS + seconds * 1_000).toISOString();

/** As a connector tells of the state of its system. */
function systemEvent(
  name: string,
  state: string,
  at: string,
  reason: string | null = null,
  lastSeen: string | null = at,
): CloudEvent {
  return {
    specversion: '1.0',
    id: `${name}:${state}:${at}`,
    source: `/systems/${name}`,
    type: 'dev.weft.system.changed',
    subject: `System:${name}`,
    time: at,
    datacontenttype: 'application/json',
    partitionkey: name,
    data: {
      system: { name },
      name,
      title: '公安接处警系统',
      kind: 'WRAPPED',
      change: { state, reason, at },
      lastSeen,
    },
  };
}

describe.skipIf(noPostgres !== undefined)('the subgraph registry', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startInProcess>>;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    hub = await startInProcess(database.url);
  });
  afterEach(async () => {
    await hub.close();
    await database.drop();
  });

  const systemIs = (state: string) =>
    waitFor(`police ${state}`, async () => {
      const { data } = await ask(
        hub.urls.registry,
        '{ system(name: "police") { title kind state reason since lastSeen } }',
      );
      const { system } = data as unknown as { system: { state: string } | null };
      return system?.state === state && system;
    });

  it('tells of a system what its last event said; since moves with the state alone', async () => {
    await appendEvents(database.client, 'system', [systemEvent('police', 'UP', at(0))]);
    await systemIs('UP');
    await appendEvents(database.client, 'system', [
      systemEvent('police', 'DOWN', at(1), 'connection refused', null),
      systemEvent('police', 'DOWN', at(2), 'timed out', null),
    ]);
    expect(await systemIs('DOWN')).toEqual({
      title: '公安接处警系统',
      kind: 'WRAPPED',
      state: 'DOWN',
      reason: 'timed out',
      since: at(1),
      lastSeen: at(0),
    });
  });

  it('shows a system as UNKNOWN when its last event is older than 60 s, and as told with the next one', async () => {
    await appendEvents(database.client, 'system', [systemEvent('police', 'UP', at(-120))]);
    const unknown = await systemIs('UNKNOWN');
    expect(unknown).toMatchObject({
      reason: expect.stringMatching(/^nobody has told of it for 1[3-9]\d s$/),
      since: at(-60),
      lastSeen: at(-120),
    });
    const { data } = await ask(hub.urls.registry, '{ systems { name state } }');
    expect((data as unknown as { systems: unknown[] }).systems).toContainEqual({
      name: 'police',
      state: 'UNKNOWN',
    });
    await appendEvents(database.client, 'system', [systemEvent('police', 'UP', at(0))]);
    expect(await systemIs('UP')).toMatchObject({ reason: null, since: at(-120) });
  });

  it('shows owned subgraphs as UNKNOWN when their process was killed more than 60 s ago', async () => {
    const logger = createLogger('test', 'silent');
    const prisma = new PrismaClient({ adapter: openStore(database.url, 'registry', logger) });
    const presence = await announcePresence(prisma, [{ name: 'police', title: '公安' }], logger, 50);
    await systemIs('UP');
    const age = `UPDATE registry.system SET told_at = told_at - interval '10 minutes' WHERE name = 'police'`;
    await database.client.query(age);
    // The next renewal tells that the process lives.
    await systemIs('UP');
    await presence.close();
    await systemIs('DOWN');
    await database.client.query(age);
    expect(await systemIs('UNKNOWN')).toMatchObject({
      kind: 'OWNED',
      reason: expect.stringMatching(/^nobody has told of it for 6\d\d s$/),
    });
    await prisma.$disconnect();
  });

  it('passes over an event that it cannot understand', async () => {
    await appendEvents(database.client, 'system', [
      systemEvent('police', 'SLEEPY', at(0)),
      systemEvent('police', 'DEGRADED', at(1)),
    ]);
    await systemIs('DEGRADED');
  });

  it('lists the owned subgraphs as UP while they run and DOWN after they were stopped, by name', async () => {
    const list = async (url: string | undefined) => (await ask(url, '{ systems { name kind state } }')).data;
    const owned = (state: string) => ({
      systems: ['directory', 'incidents', 'registry'].map((name) => ({ name, kind: 'OWNED', state })),
    });
    await waitFor(
      'all up',
      async () => JSON.stringify(await list(hub.urls.registry)) === JSON.stringify(owned('UP')),
    );
    await hub.close();
    const { rows } = await database.client.query(
      `SELECT envelope->'data'->'change'->>'state' AS state, count(*)::int AS count FROM events.event WHERE topic = 'system' GROUP BY 1 ORDER BY 1`,
    );
    expect(rows).toEqual([
      { state: 'DOWN', count: 3 },
      { state: 'UP', count: 3 },
    ]);
    hub = await startInProcess(database.url);
    await waitFor(
      'all up again',
      async () => JSON.stringify(await list(hub.urls.registry)) === JSON.stringify(owned('UP')),
    );
  });

  it('corrects within a turn that subgraphs which still run were told DOWN', async () => {
    const logger = createLogger('test', 'silent');
    const prisma = new PrismaClient({ adapter: openStore(database.url, 'registry', logger) });
    const presence = await announcePresence(prisma, [{ name: 'police', title: '公安' }], logger, 50);
    await systemIs('UP');
    await appendEvents(database.client, 'system', [systemEvent('police', 'DOWN', at(0))]);
    await waitFor('a second UP after the DOWN', async () => {
      const { rows } = await database.client.query(
        `SELECT envelope->'data'->'change'->>'state' AS state FROM events.event WHERE topic = 'system' AND subject = 'System:police' ORDER BY tx, seq`,
      );
      const states = rows.map(({ state }) => state);
      return states.lastIndexOf('UP') > states.indexOf('DOWN') && states.includes('DOWN');
    });
    await systemIs('UP');
    await presence.close();
    await prisma.$disconnect();
  });

  it('refuses more than 500 systems and answers null for one that it does not know', async () => {
    const { errors } = await ask(hub.urls.registry, '{ systems(first: 501) { name } }');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', max: 500 });
    expect((await ask(hub.urls.registry, '{ system(name: "nobody") { state } }')).data).toEqual({
      system: null,
    });
  });
});
