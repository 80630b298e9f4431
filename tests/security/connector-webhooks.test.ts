import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSystem } from '@weft/connectors/compile/compile';
import { startHost } from '@weft/connectors/host';
import { createLogger } from '@weft/core/logger';
import { findMigrationOwners, migrateAll } from '@weft/core/migrate';
import type { Started } from '@weft/core/process';
import { openSecrets } from '@weft/core/secrets';
import { postgresAppender } from '@weft/events/postgres/appender';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';
import { readAttacks } from './attacks.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCHEMES = ['STANDARD_WEBHOOKS', 'TIMESTAMP_BODY'] as const;
type Scheme = (typeof SCHEMES)[number];

const SECRETS = {
  STANDARD_WEBHOOKS: `whsec_${randomBytes(32).toString('base64')}`,
  TIMESTAMP_BODY: randomBytes(16).toString('hex'),
  deptB: `whsec_${randomBytes(32).toString('base64')}`,
};
const PATHS: Readonly<Record<Scheme | 'deptB', string>> = {
  STANDARD_WEBHOOKS: '/standard',
  TIMESTAMP_BODY: '/plain',
  deptB: '/other',
};
const SDL = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "standard", webhook: { path: "/in/standard", scheme: STANDARD_WEBHOOKS, verify: "standard-hook" })
  @source(name: "plain", webhook: { path: "/in/plain", verify: "plain-hook", dedupeHeader: "X-Event-Id" })
  @source(name: "other", webhook: { path: "/in/other", scheme: STANDARD_WEBHOOKS, verify: "other-hook" })
type Query { nothing: Thing @connect(reference: "id: null") }
type Thing @key(fields: "id")
  @ingest(source: "standard", key: "id", order: "version", select: "id version")
  @ingest(source: "plain", key: "id", order: "version", select: "id version")
  @ingest(source: "other", key: "id", order: "version", select: "id version") { id: ID! }
`;

interface Attempt {
  /** Signs as this one. */
  readonly as?: Scheme | 'deptB';
  readonly offsetS?: number;
  /** Bytes of the body that are altered after it was signed. */
  readonly tamper?: number;
  readonly deliveryId?: string;
  readonly version?: number;
}

/** Cases K03 to K07 of the catalogue: what is done, and which statuses come of it. */
const CASES: Readonly<
  Record<string, { readonly attempts: readonly Attempt[]; readonly statuses: readonly number[] }>
> = {
  K03: { attempts: [{ tamper: 1 }], statuses: [401] },
  K04: { attempts: [{ deliveryId: 'same' }, { deliveryId: 'same' }], statuses: [200, 200] },
  K05: { attempts: [{ offsetS: -301 }], statuses: [401] },
  K06: { attempts: [{ offsetS: 302 }], statuses: [401] },
  K07: { attempts: [{ as: 'deptB' }], statuses: [401] },
};

const skipReason = await whyNoPostgres();

describe.skipIf(skipReason !== undefined)('webhooks in', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'weft-hooks-')), 'hooks');
  let database: TestDatabase;
  let pool: pg.Pool;
  let host: Started;

  beforeAll(async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'a.graphql'), SDL);
    database = await createPostgresDatabase();
    const owners = findMigrationOwners(ROOT).filter(({ schema }) =>
      ['events', 'connectors'].includes(schema),
    );
    await migrateAll(database.url, owners);
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
    pool.on('error', () => undefined);
    const env = {
      SECRET_STANDARD_HOOK: SECRETS.STANDARD_WEBHOOKS,
      SECRET_PLAIN_HOOK: SECRETS.TIMESTAMP_BODY,
      SECRET_OTHER_HOOK: SECRETS.deptB,
    };
    host = await startHost({
      systems: [compileSystem(folder).plan],
      databaseUrl: database.url,
      appender: postgresAppender,
      env,
      secrets: openSecrets(undefined, env),
      host: '127.0.0.1',
      servePort: 0,
      ingestPort: 0,
      logger: createLogger('hooks', 'silent'),
    });
  });
  afterAll(async () => {
    await host?.close();
    await pool?.end();
    await database?.drop();
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });

  async function deliver(scheme: Scheme, id: string, attempt: Attempt): Promise<number> {
    const { as = scheme, offsetS = 0, tamper = 0, deliveryId = randomUUID(), version = 1 } = attempt;
    const text = JSON.stringify({ id, version, note: '路灯' });
    const timestamp = String(Math.floor(Date.now() / 1_000) + offsetS);
    const headers = sign(scheme, SECRETS[as], deliveryId, timestamp, text);
    const body = Buffer.from(text);
    const last = body.length - 3;
    if (tamper > 0) body[last] = (body[last] ?? 0) ^ 1;
    const response = await fetch(`${host.urls.ingest}${PATHS[scheme]}`, { method: 'POST', headers, body });
    return response.status;
  }

  function sign(scheme: Scheme, secret: string, id: string, timestamp: string, text: string) {
    if (scheme === 'TIMESTAMP_BODY') {
      const signature = createHmac('sha256', secret).update(`${timestamp}.${text}`).digest('hex');
      return { 'x-event-id': id, 'x-timestamp': timestamp, 'x-signature': signature };
    }
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${text}`).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  }

  async function eventsOf(id: string): Promise<number> {
    const { rows } = await pool.query('SELECT 1 FROM events.event WHERE subject = $1', [`Thing:${id}`]);
    return rows.length;
  }

  it('has a test for every case of the catalogue that concerns it', () => {
    const known = (readAttacks('webhook') ?? []).map(({ id }) => id).filter((id) => /^K0[3-7]$/.test(id));
    expect(Object.keys(CASES)).toEqual(expect.arrayContaining(known));
  });

  describe.each(SCHEMES)('by %s', (scheme) => {
    it('takes in what is signed', async () => {
      expect(await deliver(scheme, `${scheme}-good`, {})).toBe(200);
      expect(await eventsOf(`${scheme}-good`)).toBe(1);
    });

    it.each(Object.entries(CASES))('holds against %s', async (name, { attempts, statuses }) => {
      const id = `${scheme}-${name}`;
      const got: number[] = [];
      for (const attempt of attempts) got.push(await deliver(scheme, id, attempt));
      expect(got).toEqual(statuses);
      expect(await eventsOf(id)).toBe(statuses.includes(200) ? 1 : 0);
    });

    it('refuses the signature of the other scheme', async () => {
      const other = scheme === 'TIMESTAMP_BODY' ? 'STANDARD_WEBHOOKS' : 'TIMESTAMP_BODY';
      const headers = sign(other, SECRETS[scheme], 'x', String(Math.floor(Date.now() / 1_000)), '{}');
      const url = `${host.urls.ingest}${PATHS[scheme]}`;
      expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(401);
    });
  });

  it('a signed id is one delivery, whatever it says the second time; an unsigned one is not', async () => {
    for (const [scheme, events] of [
      ['STANDARD_WEBHOOKS', 1],
      ['TIMESTAMP_BODY', 2],
    ] as const) {
      const deliveryId = randomUUID();
      const id = `${scheme}-twice`;
      expect(await deliver(scheme, id, { deliveryId, version: 1 })).toBe(200);
      expect(await deliver(scheme, id, { deliveryId, version: 2 })).toBe(200);
      expect(await eventsOf(id)).toBe(events);
    }
  });
});
