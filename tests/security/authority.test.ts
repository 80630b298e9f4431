// Laws of authority beyond the matrix: who is asked, arguments, plans that are kept, refusing all, renamed rules.
import { createLogger } from '@weft/core/logger';
import type { PreparedOperation } from '@weft/gateway/engine';
import { createEngine, type EngineOptions, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS, createPrincipal, type Principal } from '@weft/gateway/identity/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, asClient, composeOrThrow, TRACE_ID } from '../gateway/library-gateway.ts';
import type { SubgraphServer } from '../gateway/subgraph-server.ts';
import { type GuardedGraph, POLICIES, startGuardedGraph } from './guarded-graph.ts';
import { markOf, startMarkingSubgraph } from './marking-subgraph.ts';

const NOBODY = createPrincipal({ subject: 'nobody' });
const CLERK = createPrincipal({ subject: 'clerk', scopes: ['status'] });

let graph: GuardedGraph;
let engine: GatewayEngine;
beforeAll(async () => {
  graph = await startGuardedGraph();
  engine = engineOver(graph.supergraphSdl);
});
afterAll(async () => {
  await engine?.close();
  await graph?.close();
});

function engineOver(supergraphSdl: string, more: Partial<EngineOptions> = {}): GatewayEngine {
  const logger = createLogger('test', 'silent');
  return createEngine({ supergraphSdl, logger, policies: POLICIES, ...more });
}

async function prepared(query: string, principal: Principal, of = engine): Promise<PreparedOperation> {
  const preparation = await of.prepare(query, undefined, principal);
  if ('errors' in preparation) throw new Error(JSON.stringify(preparation.errors));
  return preparation;
}

async function ask(
  query: string,
  principal: Principal,
  variables: Readonly<Record<string, unknown>> = {},
  of = engine,
): Promise<Answer> {
  const preparation = await of.prepare(query, undefined, principal);
  if ('errors' in preparation) return asClient(preparation);
  const context = { signal: AbortSignal.timeout(20_000), traceId: TRACE_ID, principal };
  return asClient(await of.execute(preparation, variables, context));
}

/** Texts of the operations that the systems were asked meanwhile. */
async function askedDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
  for (const server of graph.servers) server.requests.length = 0;
  await work();
  return graph.servers.flatMap(({ requests }) => requests.map(({ query }) => query));
}

describe('a system', () => {
  it('is not asked for what the asker may not have', async () => {
    const asked = await askedDuring(() =>
      ask('{ people { name ssn medical friend { name } } vaultOnly }', ANONYMOUS),
    );
    expect(asked).toHaveLength(1);
    expect(asked[0]).not.toMatch(/ssn|medical|friend|vaultOnly/);
  });

  it('is not asked at all when nothing else is wanted of it', async () => {
    expect(await askedDuring(() => ask('{ vaultOnly safe { content } }', ANONYMOUS))).toEqual([]);
  });

  it('is not sent a field that only a forbidden field requires', async () => {
    const asked = await askedDuring(() => ask('{ people { note taxBand } }', NOBODY));
    expect(asked).not.toHaveLength(0);
    expect(asked.join()).not.toMatch(/ssn|taxBand/);
  });

  it('runs no mutation that is forbidden, and the one beside it', async () => {
    const asked = await askedDuring(async () => {
      expect(await ask('mutation { burn touch { name ssn } }', NOBODY)).toMatchObject({
        data: { burn: null, touch: { name: markOf('Person.name'), ssn: null } },
        errors: [
          { path: ['burn'], extensions: { code: 'FORBIDDEN' } },
          { path: ['touch', 'ssn'], extensions: { code: 'FORBIDDEN' } },
        ],
      });
    });
    expect(asked.join()).not.toContain('burn');
  });

  it('is asked for a field of an interface on those types alone that allow it', async () => {
    const asked = await askedDuring(() => ask('{ parties { name } }', NOBODY));
    expect(asked.join()).toMatch(/on Person/);
    expect(asked.join()).not.toMatch(/on Company/);
  });
});

describe('an argument of a protected type', () => {
  it.each([
    ['given as a value', '{ byStatus(status: OPEN) { name } }'],
    ['given by a variable', 'query ($s: Status) { byStatus(status: $s) { name } }'],
    ['within an input object', '{ byFilter(filter: { status: OPEN }) { name } }'],
    ['within a variable that can hold it', 'query ($f: Filter) { byFilter(filter: $f) { name } }'],
  ])('makes the field forbidden: %s', async (_what, query) => {
    const field = /by\w+/.exec(query)?.[0] ?? '';
    const variables = { s: 'OPEN', f: { status: 'OPEN' } };
    const refused = await ask(query, NOBODY, variables);
    expect(refused).toMatchObject({ data: { [field]: null }, errors: [{ path: [field] }] });
    expect(await ask(query, CLERK, variables)).toEqual({
      data: { [field]: { name: markOf('Person.name') } },
    });
  });

  it.each([
    ['{ byStatus { name } }'],
    ['{ byFilter(filter: { text: "a" }) { name } }'],
    ['{ byStatus(status: null) { name } }'],
  ])('leaves the field open when it is not given: %s', async (query) => {
    expect(await ask(query, NOBODY)).not.toHaveProperty('errors');
  });
});

describe('what is kept of an operation', () => {
  const QUERY = '{ people { name ssn } }';
  const reader = (subject: string) => createPrincipal({ subject, scopes: ['citizen:ssn', subject] });

  it('is shared by those who may have the same of it, and by no others', async () => {
    const forNobody = await prepared(QUERY, NOBODY);
    const forReader = await prepared(QUERY, reader('a'));
    expect(await prepared(QUERY, createPrincipal({ subject: 'other', scopes: ['oath'] }))).toBe(forNobody);
    expect(await prepared(QUERY, reader('b'))).toBe(forReader);
    expect(forReader).not.toBe(forNobody);
    // What an anonymous one is told is another code.
    expect(await prepared(QUERY, ANONYMOUS)).not.toBe(forNobody);
  });

  it('is one for all where no rule is touched', async () => {
    const all = await Promise.all(
      [ANONYMOUS, NOBODY, CLERK].map((one) => prepared('{ people { name } }', one)),
    );
    expect(await prepared('{ people { name } }', reader('c'))).toBe(all[2]);
    expect(await prepared('{ people { name } }', ANONYMOUS)).toBe(all[2]);
  });

  it('keeps apart those who ask for it at the same moment', async () => {
    const query = '{ people { name ssn medical } }';
    const askers = Array.from({ length: 40 }, (_, n) => [ANONYMOUS, NOBODY, reader(`r${n}`)].at(n % 3));
    const answers = await Promise.all(askers.map((asker) => ask(query, asker ?? ANONYMOUS)));
    for (const [n, answer] of answers.entries()) {
      const text = JSON.stringify(answer);
      expect(text.includes(markOf('Person.ssn'))).toBe(n % 3 === 2);
      expect(text.includes(markOf('Person.medical'))).toBe(n % 3 !== 0);
    }
  });

  it('is not run for one who may have less than it was prepared for', async () => {
    const operation = await prepared(QUERY, reader('a'));
    const context = { signal: AbortSignal.timeout(5_000), traceId: TRACE_ID, principal: NOBODY };
    await expect(engine.execute(operation, {}, context)).rejects.toThrow('invariant');
  });
});

describe('an operation that asks for what is forbidden', () => {
  let strict: GatewayEngine;
  beforeAll(() => {
    strict = engineOver(graph.supergraphSdl, { onUnauthorized: 'reject' });
  });
  afterAll(() => strict.close());

  it('is refused whole where that is set, naming what is forbidden, and no system is asked', async () => {
    const asked = await askedDuring(async () => {
      const answer = await ask('{ people { name ssn } vaultOnly }', ANONYMOUS, {}, strict);
      expect(answer).not.toHaveProperty('data');
      expect(answer.errors).toMatchObject([
        {
          message: 'Person.ssn, Query.vaultOnly is only for those who say who they are.',
          extensions: { code: 'UNAUTHENTICATED' },
        },
      ]);
    });
    expect(asked).toEqual([]);
  });

  it('is answered where nothing of it is forbidden', async () => {
    expect(await ask('{ vaultOnly }', NOBODY, {}, strict)).toEqual({
      data: { vaultOnly: markOf('Query.vaultOnly') },
    });
  });
});

describe('rules of composed members', () => {
  const IMPORTS = ['@key', '@requiresScopes', { name: '@authenticated', as: '@hubAuth' }]
    .map((one) => (typeof one === 'string' ? `"${one}"` : `{ name: "${one.name}", as: "${one.as}" }`))
    .join(', ');
  const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${IMPORTS}])
    interface Person { id: ID! name: String ssn: String }
    type Citizen implements Person @key(fields: "id") {
      id: ID! name: String ssn: String @requiresScopes(scopes: [["citizen:ssn"]]) medical: String @hubAuth
    }
    type Query { citizen: Citizen person: Person }`;
  let server: SubgraphServer;
  let composed: GatewayEngine;
  beforeAll(async () => {
    server = await startMarkingSubgraph('citizens', SDL);
    composed = engineOver(composeOrThrow([server]));
  });
  afterAll(async () => {
    await composed?.close();
    await server?.close();
  });

  it('hold under the names that they were imported by', async () => {
    const query = '{ citizen { name medical ssn } person { ssn ... on Citizen { medical } } }';
    const anonymous = await ask(query, ANONYMOUS, {}, composed);
    expect(anonymous.data).toEqual({
      citizen: { name: markOf('Citizen.name'), medical: null, ssn: null },
      person: { ssn: null, medical: null },
    });
    expect(anonymous.errors).toHaveLength(4);
    const known = await ask(query, NOBODY, {}, composed);
    expect(known.data).toMatchObject({ citizen: { medical: markOf('Citizen.medical'), ssn: null } });
    const reader = createPrincipal({ subject: 'r', scopes: ['citizen:ssn'] });
    expect(await ask(query, reader, {}, composed)).not.toHaveProperty('errors');
  });

  it('are no part of what clients see', async () => {
    const answer = await ask('{ __schema { directives { name } types { name } } }', ANONYMOUS, {}, composed);
    expect(JSON.stringify(answer)).not.toMatch(/hubAuth|authenticated|requiresScopes|Scope/);
  });
});
