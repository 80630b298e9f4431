// Attacks by a subgraph's answer, against a gateway that runs as a process of its own over the catalogue's fixture.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { type GatewayProcess, startGatewayProcess, type Timed } from '../support/gateway-process.ts';
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { type Attack, bodyParts, expand, fixtureSdl, readAttacks } from './attacks.ts';

const TEST_MS_MAX = 60_000;
const MEGABYTE = 1_000_000;

/** Upstream WebSockets: in tests/upstream/hostile-socket.test.ts. */
const OTHER_TRANSPORT: ReadonlySet<string> = new Set(['S24', 'S26']);

interface Outcome {
  readonly code: string;
  readonly message: RegExp;
  readonly path: readonly (string | number)[];
  /** How often the subgraph is asked. */
  readonly requests: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

const INVALID = { code: 'UPSTREAM_INVALID', path: ['evil'], requests: 1 };

/**
 * The catalogue's codes in ours: SUBGRAPH_RESPONSE_TOO_LARGE and SUBREQUEST_MALFORMED_RESPONSE are UPSTREAM_INVALID, and
 * so is SUBREQUEST_HTTP_ERROR of an answer that had begun; GATEWAY_TIMEOUT is DEADLINE_EXCEEDED.
 */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  S03: { ...INVALID, message: /more than 10000000 bytes/, details: { limit: 'responseBytesMax' } },
  S05: { ...INVALID, message: /content coding/ },
  S06: { ...INVALID, code: 'DEADLINE_EXCEEDED', message: /^registry did not answer within (4999|5000) ms$/ },
  S08: { ...INVALID, message: /broke off/, requests: 2 },
  S09: { ...INVALID, message: /broke off/, requests: 2 },
  S11: { ...INVALID, message: /neither data nor errors/ },
  S12: { ...INVALID, message: /data is null and there is no error/ },
  S15: { ...INVALID, message: /String/, path: ['evil', 'value'] },
  S16: { ...INVALID, message: /./ },
  S17: { ...INVALID, message: /./ },
  S18: { ...INVALID, message: /./ },
  S19: { ...INVALID, message: /a redirect/ },
};

interface SubgraphResponseRequest {
  readonly trigger: { readonly body: unknown };
  readonly respond: {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, unknown>>;
    readonly body?: unknown;
    readonly hang?: boolean;
    readonly reset?: string;
  };
}

function scriptOf({ respond }: SubgraphResponseRequest): Script {
  if (respond.hang === true) return { kind: 'hang' };
  if (respond.reset !== undefined) return { kind: 'reset' };
  const headers = Object.entries(respond.headers ?? {}).map(([name, value]) => [name, expand(value)]);
  return {
    kind: 'respond',
    status: respond.status ?? 200,
    headers: Object.fromEntries(headers),
    body: bodyParts(respond.body ?? ''),
  };
}

const CITIZENS = ['1', '2'].map((id) => ({ __typename: 'Citizen', id, name: `居民${id}` }));

const attacks = readAttacks('subgraph-response');
const mine = (attacks ?? []).filter(({ id }) => !OTHER_TRANSPORT.has(id));

describe.skipIf(attacks === undefined)('a subgraph that attacks by its answer', () => {
  let citizens: SubgraphServer;
  let registry: ScriptedUpstream;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    citizens = await startSubgraph('citizens', fixtureSdl('citizens').replace(/type Subscription .*/, ''), {
      Query: { citizens: () => CITIZENS },
      Person: { __resolveType: () => 'Citizen' },
    });
    registry = await startScriptedUpstream();
    gateway = await startGatewayProcess([
      citizens,
      { name: 'registry', url: registry.url, sdl: fixtureSdl('registry') },
    ]);
    await gateway.ask('{ __typename }');
  });
  afterAll(async () => {
    await gateway?.stop();
    await registry?.close();
    await citizens?.close();
  });

  async function attack(script: Script, ask: () => Promise<Timed>): Promise<Timed> {
    registry.script = script;
    registry.requests.length = 0;
    return ask();
  }

  function respond(body: string): Script {
    return { kind: 'respond', status: 200, headers: { 'content-type': 'application/json' }, body: [body] };
  }

  async function expectUnharmed({ expected }: Attack, timed: Timed, residentBefore: number): Promise<void> {
    expect(timed.ms).toBeLessThan(expected.assert.maxMs);
    for (const pattern of expected.assert.bodyNot) expect(timed.text).not.toMatch(new RegExp(pattern));
    expect(await gateway.healthMs()).toBeLessThan(expected.assert.health);
    expect(gateway.peakResidentBytes() - residentBefore).toBeLessThan(expected.assert.rssMB * MEGABYTE);
  }

  it('is known by an outcome for every entry of the catalogue', () => {
    expect(mine.length).toBeGreaterThan(0);
    expect(mine.map(({ id }) => id).filter((id) => OUTCOMES[id] === undefined)).toEqual([]);
  });

  it.each(mine.map((entry) => [entry.id, entry.title, entry] as const))(
    '%s %s: costs its own field, with a code, and nothing else',
    async (id, _title, entry) => {
      const request = entry.request as SubgraphResponseRequest;
      const outcome = OUTCOMES[id];
      gateway.resetPeak();
      const residentBefore = gateway.residentBytes();
      const timed = await attack(scriptOf(request), () => gateway.post(expand(request.trigger.body)));
      expect(timed.answer.data).toMatchObject({ ok: 'Query' });
      expect(timed.answer.errors).toMatchObject([
        {
          path: outcome?.path,
          message: expect.stringMatching(outcome?.message ?? /never/),
          extensions: { code: outcome?.code, system: 'registry', ...outcome?.details },
        },
      ]);
      const evil = timed.answer.data?.evil;
      expect(outcome?.path.length === 1 ? evil : (evil as { value: unknown }).value).toBeNull();
      expect(registry.requests).toHaveLength(outcome?.requests ?? -1);
      await expectUnharmed(entry, timed, residentBefore);
    },
    TEST_MS_MAX,
  );

  it('S17 with entities asked: each that is missing is null with an error, none is given to a neighbour', async () => {
    const { answer } = await attack(respond('{"data":{"_entities":[{"taxId":"t-1"}]}}'), () =>
      gateway.ask('{ citizens { id taxId } }'),
    );
    expect(answer.data).toEqual({ citizens: CITIZENS.map(({ id }) => ({ id, taxId: null })) });
    expect(answer.errors).toMatchObject(
      [0, 1].map((index) => ({
        path: ['citizens', index, 'taxId'],
        extensions: { code: 'UPSTREAM_INVALID', system: 'registry' },
      })),
    );
  });

  it('S18 with entities asked: more than were asked for are an error, none is taken', async () => {
    const entities = ['1', '2', '3'].map((id) => ({ __typename: 'Citizen', id, taxId: `t-${id}` }));
    const { answer } = await attack(respond(JSON.stringify({ data: { _entities: entities } })), () =>
      gateway.ask('{ citizens { id taxId } }'),
    );
    expect(answer.data).toEqual({ citizens: CITIZENS.map(({ id }) => ({ id, taxId: null })) });
    expect(answer.errors).toHaveLength(2);
  });

  it('S18 reordered: keys that were not asked for never replace those of the system that owns them', async () => {
    const entities = ['2', '1'].map((id) => ({ __typename: 'Citizen', id, name: 'other' }));
    const { answer } = await attack(respond(JSON.stringify({ data: { _entities: entities } })), () =>
      gateway.ask('{ citizens { id name taxId } }'),
    );
    const expected = CITIZENS.map(({ id, name }) => ({ id, name, taxId: null }));
    expect(answer.data).toEqual({ citizens: expected });
  });

  it('leaves no trace: the next honest answer is whole', async () => {
    const { answer } = await attack(respond('{"data":{"evil":{"value":"x"}}}'), () =>
      gateway.ask('{ evil { value } }'),
    );
    expect(answer).toEqual({ data: { evil: { value: 'x' } } });
  });
});
