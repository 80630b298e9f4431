// Laws of going back, going out and coming back: one pointer, one reason, and the others undisturbed.
import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import {
  ADMIN,
  type Asker,
  codeOf,
  PUBLISH,
  publisher,
  publishing,
  type SignedRegistry,
  startRegistry,
} from './signed-registry.ts';

const noPostgres = await whyNoPostgres();
const PERMITS = publisher('permits-office');
const WATER = publisher('water-office');
const ROLLBACK = `mutation ($to: Int) {
  rollback(to: $to, reason: "wrong numbers") { changed publication { number kind rolledBackTo hash } }
}`;

interface RolledBack {
  readonly rollback: {
    readonly changed: boolean;
    readonly publication: { readonly number: number; readonly rolledBackTo: number; readonly hash: string };
  };
}

interface Graph {
  readonly variant: string;
  readonly publication: number;
  readonly hash: string;
  readonly payload: string;
  readonly keyId: string;
  readonly signature: string;
}

describe.skipIf(noPostgres !== undefined)('a graph that has changed', () => {
  let registry: SignedRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    await publish(PERMITS, 'permits', 'type Query { permits: Int }');
    await publish(WATER, 'water', 'type Query { water: Int }');
  }, 60_000);
  afterAll(() => registry?.close(), 60_000);

  const publish = (asker: Asker, system: string, sdl: string) =>
    registry.data(asker, PUBLISH, publishing(system, sdl));
  const graph = async () =>
    (
      await registry.data<{ supergraph: Graph }>(
        undefined,
        '{ supergraph { variant publication hash payload keyId signature } }',
      )
    ).supergraph;

  it('goes back by one mutation to the very graph that it was, in a publication of its own', async () => {
    const before = await graph();
    await publish(PERMITS, 'permits', 'type Query { permits: Int wrong: Int }');
    const startedAt = performance.now();
    const { rollback } = await registry.data<RolledBack>(PERMITS, ROLLBACK);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(rollback).toMatchObject({
      changed: true,
      publication: { number: before.publication + 2, kind: 'ROLLBACK', hash: before.hash },
    });
    expect(await graph()).toMatchObject({ hash: before.hash, payload: before.payload });
  });

  it('goes back from what a rollback led to, further; and to a publication that is named', async () => {
    const { publication, hash } = await graph();
    await publish(WATER, 'water', 'type Query { water: Int one: Int }');
    const one = await graph();
    await publish(WATER, 'water', 'type Query { water: Int two: Int }');
    await registry.data(WATER, ROLLBACK);
    expect((await graph()).hash).toBe(one.hash);
    await registry.data(WATER, ROLLBACK);
    expect((await graph()).hash).toBe(hash);
    await registry.data(WATER, ROLLBACK, { to: one.publication });
    expect((await graph()).hash).toBe(one.hash);
    const same = await registry.data<RolledBack>(WATER, ROLLBACK, { to: one.publication });
    expect(same.rollback.changed).toBe(false);
    expect(codeOf(await registry.as(WATER, ROLLBACK, { to: 9_999 }))).toBe('NOT_FOUND');
    await registry.data(ADMIN, ROLLBACK, { to: publication });
  });

  it('goes back for whose systems change by it alone', async () => {
    await publish(WATER, 'water', 'type Query { water: Int mine: Int }');
    expect(codeOf(await registry.as(PERMITS, ROLLBACK))).toBe('FORBIDDEN');
    expect(codeOf(await registry.as(undefined, ROLLBACK))).toBe('UNAUTHENTICATED');
    await registry.data(ADMIN, ROLLBACK);
  });

  it('is signed over variant, publication and hash, and its payload is told once', async () => {
    const { variant, publication, hash, payload, keyId, signature } = await graph();
    const text = `weft-supergraph-1\n${variant}\n${publication}\n${hash}\n`;
    expect(verify(null, Buffer.from(text), registry.publicKey, Buffer.from(signature, 'base64'))).toBe(true);
    const bytes = await crypto.subtle.digest('SHA-256', Buffer.from(payload));
    expect(hash).toBe(`sha256:${Buffer.from(bytes).toString('hex')}`);
    expect(JSON.parse(payload)).toEqual({
      subgraphs: [
        { name: 'permits', url: 'http://localhost:9100/graphql' },
        { name: 'water', url: 'http://localhost:9100/graphql' },
      ],
      supergraphSdl: expect.stringContaining('join__Graph'),
    });
    expect(
      createPublicKey(registry.publicKey.export({ type: 'spki', format: 'pem' })).asymmetricKeyType,
    ).toBe('ed25519');
    expect(keyId).toMatch(/^[\w-]{43}$/);
    const known = await registry.data<{ supergraph: Graph }>(
      undefined,
      'query ($have: String) { supergraph(have: $have) { publication payload } }',
      { have: hash },
    );
    expect(known.supergraph).toEqual({ publication, payload: null });
    expect(codeOf(await registry.as(undefined, '{ supergraph(variant: "none") { hash } }'))).toBe(
      'NOT_FOUND',
    );
  });

  it('is told of by one event a publication, in their order', async () => {
    const { rows } = await registry.database.client.query<{ envelope: Record<string, unknown> }>(
      `SELECT envelope FROM events.event WHERE topic = 'supergraph' ORDER BY tx, seq`,
    );
    const latest = await graph();
    expect(rows.map(({ envelope }) => (envelope.data as { publication: number }).publication)).toEqual(
      Array.from({ length: latest.publication }, (_, index) => index + 1),
    );
    expect(rows.at(-1)?.envelope).toMatchObject({
      type: 'dev.weft.supergraph.published',
      subject: 'Supergraph:current',
      data: { variant: 'current', publication: latest.publication, hash: latest.hash },
    });
  });

  it('loses what is quarantined by REMOVE, keeps what is by FREEZE, and others go on', async () => {
    const quarantine = `mutation ($mode: QuarantineMode!) {
      quarantineSystem(name: "water", mode: $mode, reason: "answers garbage") { quarantine { mode reason } }
    }`;
    const release = 'mutation { releaseSystem(name: "water", reason: "mended") { quarantine { mode } } }';
    expect(await registry.data(ADMIN, quarantine, { mode: 'FREEZE' })).toEqual({
      quarantineSystem: { quarantine: { mode: 'FREEZE', reason: 'answers garbage' } },
    });
    const changed = publishing('water', 'type Query { water: Int bad: Int }');
    const refused = await registry.as(WATER, PUBLISH, changed);
    expect(codeOf(refused)).toBe('FORBIDDEN');
    expect(JSON.stringify(refused)).toContain('water is in quarantine (FREEZE)');
    expect((await graph()).payload).toContain('water: Int');
    await registry.data(ADMIN, quarantine, { mode: 'REMOVE' });
    expect((await graph()).payload).not.toContain('water: Int');
    await publish(PERMITS, 'permits', 'type Query { permits: Int meanwhile: Int }');
    // Who put it there lets it out; leaving and coming back does not.
    expect(codeOf(await registry.as(WATER, release))).toBe('FORBIDDEN');
    await registry.data(WATER, 'mutation { removeSystem(name: "water", reason: "trick") { changed } }');
    expect(codeOf(await registry.as(WATER, PUBLISH, changed))).toBe('FORBIDDEN');
    await registry.data(
      ADMIN,
      'mutation { registerSystem(input: { name: "water", owner: "water-office" }) { name } }',
    );
    expect(await registry.data(ADMIN, release)).toEqual({ releaseSystem: { quarantine: null } });
    const { payload } = await graph();
    expect(payload).toContain('water: Int');
    expect(payload).toContain('meanwhile: Int');
  });

  it('keeps a system that others are built on, whoever would take it out', async () => {
    const link =
      'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])';
    const entity = 'type Plot @key(fields: "id") { id: ID! area: Float }';
    await publish(WATER, 'plots', `${link} type Query { plot: Plot } ${entity}`);
    await publish(
      PERMITS,
      'taxes',
      `${link} type Query { taxes: Int } type Plot @key(fields: "id") { id: ID! area: Float @external tax: Float @requires(fields: "area") }`,
    );
    const remove = (name: string) =>
      `mutation { removeSystem(name: "${name}", reason: "retired") { publication { number } } }`;
    expect(codeOf(await registry.as(WATER, remove('plots')))).toBe('COMPOSITION_FAILED');
    await registry.data(PERMITS, remove('taxes'));
    await registry.data(WATER, remove('plots'));
    const { systems } = await registry.data<{ systems: { name: string }[] }>(ADMIN, '{ systems { name } }');
    const names = systems.map(({ name }) => name);
    expect(names).toContain('permits');
    expect(names).not.toContain('plots');
  });

  it('shows a lease while it runs, and its system in the graph when it has run out', async () => {
    const beat =
      'mutation { heartbeat(name: "permits", instance: "permits-7f", seconds: 10) { state instance } }';
    expect(await registry.data(PERMITS, beat)).toEqual({
      heartbeat: { state: 'ACTIVE', instance: 'permits-7f' },
    });
    expect(codeOf(await registry.as(WATER, beat))).toBe('FORBIDDEN');
    const state = async () =>
      (
        await registry.data<{ system: { state: string; lease: { state: string }; version: object | null } }>(
          PERMITS,
          '{ system(name: "permits") { state lease { state } version { number } } }',
        )
      ).system;
    await waitFor('permits UP', async () => (await state()).state === 'UP');
    await registry.database.client.query(`
      UPDATE registry.lease SET expires_at = now() - interval '1 second' WHERE system = 'permits';
      UPDATE registry.system SET told_at = now() - interval '2 minutes' WHERE name = 'permits'`);
    expect(await state()).toEqual({
      state: 'UNKNOWN',
      lease: { state: 'EXPIRED' },
      version: expect.anything(),
    });
  });
});
