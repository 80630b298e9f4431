// Attacks over HTTP and bare TCP against a gateway that runs as a process of its own over the catalogue's fixture.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Attack, type AttackAssert, readAttacks } from './attacks.ts';
import { type FixtureHub, startFixtureHub } from './fixture-hub.ts';
import { atPath, resolve } from './payloads.ts';
import { converse, type Drip, type RawAnswer, sendRequest } from './raw-client.ts';

const MEGABYTE = 1_000_000;
const SLOW_TEST_MS_MAX = 120_000;
const HEALTH_INTERVAL_MS = 500;
const TCP_WAIT_MS_MAX = 5_000;

/** Who may see what, and live streams (streams.test.ts): each is tested where it is enforced. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  ...['X02', 'X03', 'X04', 'X05'],
  ...['Z05', 'Z06', 'Z08', 'Z11', 'Z13', 'Z14', 'Z17', 'Z18', 'Z19', 'H22'],
]);

const http = readAttacks('http');
const tcp = readAttacks('tcp');
const mine = (attacks: readonly Attack[] | undefined) =>
  (attacks ?? [])
    .filter(({ id }) => !ELSEWHERE.has(id))
    .map((entry) => [entry.id, entry.title, entry] as const);

interface HttpAttack {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

interface TcpAttack {
  readonly raw: unknown;
  readonly drip?: Drip;
  readonly connections?: number;
}

interface Body {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

const bodyOf = ({ text }: RawAnswer): Body => (text.startsWith('{') ? (JSON.parse(text) as Body) : {});

function expectAsserted(wanted: Partial<AttackAssert>, answer: RawAnswer): void {
  const { errors = [], data } = bodyOf(answer);
  if (wanted.status !== undefined) expect(wanted.status).toContain(answer.status);
  if (wanted.rejected === true) {
    expect(errors.length).toBeGreaterThan(0);
    expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
  }
  if (wanted.maxMs !== undefined) expect(answer.ms).toBeLessThan(wanted.maxMs);
  for (const pattern of wanted.bodyNot ?? []) expect(answer.text).not.toMatch(new RegExp(pattern));
  if (wanted.maxErrors !== undefined) expect(errors.length).toBeLessThanOrEqual(wanted.maxErrors);
  if (wanted.maxBytes !== undefined)
    expect(Buffer.byteLength(answer.text)).toBeLessThanOrEqual(wanted.maxBytes);
  for (const [name, pattern] of Object.entries(wanted.headerNot ?? {}))
    expect(String(answer.headers[name] ?? '')).not.toMatch(new RegExp(pattern));
}

describe.skipIf(http === undefined || tcp === undefined)('an attack on the door', () => {
  let hub: FixtureHub;

  beforeAll(async () => {
    hub = await startFixtureHub({ WEFT_APQ: 'true' });
    // The first plan, and the first turn of every function, are not what is measured.
    for (let turn = 0; turn < 20; turn += 1)
      await hub.gateway.ask('{ citizen(id: "1") { id shared { a c } } }');
    await hub.gateway.ask('{ nothing }');
  });
  afterAll(() => hub?.close());
  beforeEach(() => {
    hub.touched.length = 0;
    hub.citizens.requests.length = 0;
  });

  function request({ method, path, headers = {}, body }: HttpAttack) {
    const texts = Object.entries(headers).map(([name, value]) => [name, String(resolve(value))]);
    const payload = body === undefined ? undefined : (resolve(body) as string | Buffer);
    return { method, path: atPath(path), headers: Object.fromEntries(texts), body: payload };
  }

  /** What an entry says in words, where it is more than its `assert`. */
  const FURTHER: Readonly<Record<string, (answer: RawAnswer) => unknown>> = {
    Q03: () => expect(hub.touched).toEqual([]),
    Q30: (answer) => expect(bodyOf(answer).errors?.[0]?.message).toMatch(/\d+.*\d+/),
    H01: () => expect(hub.touched).toEqual([]),
    // Both the log and the subgraph take the last of two equal keys, as JSON.parse does.
    H17: (answer) => {
      expect(hub.touched).toEqual(['1']);
      expect(bodyOf(answer).data).toEqual({ touch: { id: '1' } });
    },
    H23: () => {
      const [seen] = hub.citizens.requests;
      expect(seen?.headers).toMatchObject({ host: new URL(hub.citizens.url).host });
      expect(seen?.headers.te).toBeUndefined();
      expect(seen?.headers['x-forwarded-host']).toBeUndefined();
      expect(seen?.headers['accept-encoding'] ?? '').not.toContain('x-unknown');
    },
    // The entry's hash is that of its query; under any other the query is refused, and not stored.
    H31: async () => {
      const extensions = { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } };
      const codeOf = async (body: object) =>
        (await hub.gateway.post(JSON.stringify(body))).answer.errors?.[0]?.extensions.code;
      expect(await codeOf({ query: '{ me { id } }', extensions })).toBe('BAD_USER_INPUT');
      expect(await codeOf({ extensions })).toBe('PERSISTED_QUERY_NOT_FOUND');
    },
    E01: (answer) => {
      expect(bodyOf(answer).data).toEqual({ boom: null });
      expect(bodyOf(answer).errors).toHaveLength(1);
    },
    E02: (answer) => expect(bodyOf(answer).errors?.[0]?.extensions?.code).toBe('GRAPHQL_PARSE_FAILED'),
  };

  async function expectUnharmed(alias: string): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) {
      const { answer } = await hub.gateway.ask(
        `{ citizen(id: "${(turn % 3) + 1}") { id shared { a b c d } name } }`,
      );
      const id = String((turn % 3) + 1);
      const shared = { a: 'a', b: 'b', c: 'c', d: 'd' };
      expect(answer).toEqual({ data: { citizen: { id, shared, name: `居民${id}` } } });
    }
    const { answer } = await hub.gateway.ask(`{ citizen(id: "1") { id ${alias}: shared { a b c d } name } }`);
    expect(answer.data?.citizen).toMatchObject({ [alias]: { a: 'a', b: 'b', c: 'c', d: 'd' } });
  }

  it.each(mine(http))('%s %s', async (id, _title, { request: described, expected }) => {
    const { assert } = expected;
    hub.gateway.resetPeak();
    const residentBefore = hub.gateway.residentBytes();
    const prepared = request(described as HttpAttack);
    const [answer, healthMs] = await Promise.all([
      sendRequest(hub.gateway.origin, prepared),
      hub.gateway.healthMs(),
    ]);
    expectAsserted(assert, answer);
    await FURTHER[id]?.(answer);
    if (assert.health !== undefined) {
      expect(healthMs).toBeLessThan(assert.health);
      expect(await hub.gateway.healthMs()).toBeLessThan(assert.health);
    }
    if (assert.rssMB !== undefined)
      expect(hub.gateway.peakResidentBytes() - residentBefore).toBeLessThan(assert.rssMB * MEGABYTE);
    if (assert.proto === true) await expectUnharmed(id.slice('P-alias-'.length));
  });

  const expectHeld = async (_id: string, _title: string, { request: described, expected }: Attack) => {
    const { raw, drip, connections = 1 } = described as TcpAttack;
    const { assert } = expected;
    const text = atPath(String(resolve(raw)));
    const waitMs = drip === undefined ? TCP_WAIT_MS_MAX : drip.forMs;
    let isOver = false;
    const all = Promise.all(
      Array.from({ length: connections }, () => converse(hub.gateway.origin, text, drip, waitMs)),
    ).finally(() => {
      isOver = true;
    });
    const health: number[] = [];
    do {
      health.push(await hub.gateway.healthMs());
      await Promise.race([all, new Promise((done) => setTimeout(done, HEALTH_INTERVAL_MS))]);
    } while (!isOver);
    expect(Math.max(...health)).toBeLessThan(assert.health);
    for (const { text: answered, closedAfterMs } of await all) {
      const responses = answered.match(/HTTP\/1\.1 \d{3}/g) ?? [];
      if (assert.status !== undefined) expect(assert.status).toContain(Number(responses[0]?.slice(-3)));
      if (assert.maxResponses !== undefined)
        expect(responses.length).toBeLessThanOrEqual(assert.maxResponses);
      if (assert.closedWithinMs !== undefined) {
        expect(closedAfterMs).toBeLessThan(assert.closedWithinMs);
        expect(responses).toEqual(['HTTP/1.1 408']);
      }
    }
  };

  const isSlow = ({ request: described }: Attack) => (described as TcpAttack).drip !== undefined;
  const slow = mine(tcp).filter(([, , attack]) => isSlow(attack));
  const quick = mine(tcp).filter(([, , attack]) => !isSlow(attack));
  it.each(quick)('%s %s', expectHeld, SLOW_TEST_MS_MAX);
  // They wait for half a minute and do nothing else.
  it.concurrent.each(slow)('%s %s', expectHeld, SLOW_TEST_MS_MAX);
});
