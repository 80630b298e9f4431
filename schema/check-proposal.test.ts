// Laws of what the registry asks of a proposed graph, and of what it asks before it reads an SDL at all.
import { describe, expect, it } from 'vitest';
import { checkProposal } from './check-proposal.ts';
import { openRegistryChecks, type ProposedMember } from './registry-checks.ts';
import { requireBoundedSdl } from './sdl-limits.ts';

const FEDERATION = (...imports: readonly string[]) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports.join(', ')}])`;

const CITIZENS: ProposedMember = {
  name: 'citizens',
  owner: 'public-security',
  url: 'https://citizens.example/graphql',
  sdl: `${FEDERATION('"@key"')}
    type Query { citizen(id: ID!): Citizen }
    type Citizen @key(fields: "id") { id: ID! name: String }`,
  isChanged: false,
};

const proposed = (sdl: string, owner = 'civil-affairs'): ProposedMember => ({
  name: 'proposed',
  owner,
  url: 'https://proposed.example/graphql',
  sdl,
  isChanged: true,
});

const check = (...members: readonly ProposedMember[]) =>
  checkProposal({ members: [CITIZENS, ...members], supergraphSdl: undefined }, []);

describe('a proposal', () => {
  it('that composes gives the whole graph, and nothing that is wrong', async () => {
    const report = await check(proposed('type Query { permits: Int }'));
    expect(report).toMatchObject({ errors: [], broken: [], takeovers: [] });
    expect(report.supergraphs.current).toContain('permits: Int');
  });

  it('that does not gives no graph, and says why', async () => {
    const report = await check(proposed('type Query { citizen: Int }'));
    expect(report.supergraphs).toEqual({});
    expect(report.errors[0]).toMatchObject({ systems: expect.arrayContaining(['proposed']) });
  });

  it.each([
    ['Query._entities', 'type Query { _entities: Int }'],
    ['Query._service', 'extend type Query { _service: Int a: Int }'],
    ['_Any', 'scalar _Any type Query { a: _Any }'],
    ['__Evil', 'type __Evil { a: Int } type Query { a: __Evil }'],
    ['join__Graph', 'enum join__Graph { A } type Query { a: join__Graph }'],
    ['federation__x', 'scalar federation__x type Query { a: federation__x }'],
  ])('may bring no %s of its own', async (coordinate, sdl) => {
    expect(await check(proposed(sdl))).toMatchObject({
      supergraphs: {},
      errors: expect.arrayContaining([expect.objectContaining({ code: 'RESERVED_NAME', coordinate })]),
    });
  });

  it('may bring what libraries print of Federation into an SDL', async () => {
    const printed = `${FEDERATION('"@key"')} scalar link__Import enum link__Purpose { SECURITY EXECUTION }
      scalar federation__FieldSet type Query { a: Int }`;
    expect((await check(proposed(printed))).errors).toEqual([]);
  });

  it.each([
    ['@override', '"@override"'],
    ['@federation__override', ''],
    ['@mine', '{ name: "@override", as: "@mine" }'],
  ])('that takes a field by %s from a system of another department says so', async (directive, imported) => {
    const sdl = `${FEDERATION('"@key"', ...(imported === '' ? [] : [imported]))}
      type Query { a: Int }
      type Citizen @key(fields: "id") { id: ID! name: String ${directive}(from: "citizens") }`;
    const taken = { system: 'proposed', coordinate: 'Citizen.name', from: 'citizens' };
    expect((await check(proposed(sdl))).takeovers).toMatchObject([taken]);
    expect((await check(proposed(sdl, 'public-security'))).takeovers).toEqual([]);
    expect((await check({ ...proposed(sdl), isChanged: false })).takeovers).toEqual([]);
    // What was let in before is not asked about again.
    expect((await check({ ...proposed(`${sdl} # later`), previousSdl: sdl })).takeovers).toEqual([]);
  });
});

describe('the thread of checks', () => {
  it('gives what the check gives, and a fresh one answers after work that took too long', async () => {
    const members = [CITIZENS, proposed('type Query { a: Int }')];
    const slow = openRegistryChecks({ timeoutMs: 1, heapMbMax: 256 });
    await expect(slow.check({ members, supergraphSdl: undefined }, [])).rejects.toThrow(
      'the graph could not be composed: it took longer than 1 ms',
    );
    await slow.close();
    const checks = openRegistryChecks({ timeoutMs: 60_000, heapMbMax: 256, waitingMax: 2 });
    const both = await Promise.allSettled(
      [1, 2, 3].map(() => checks.check({ members, supergraphSdl: undefined }, [])),
    );
    const expected = await checkProposal({ members, supergraphSdl: undefined }, []);
    expect(both.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
      expected,
      expected,
      'OperatorError: the graph could not be composed: 2 others wait already',
    ]);
    await checks.close();
  }, 90_000);

  it('outlives work that takes too much memory', async () => {
    const fields = Array.from({ length: 60_000 }, (_, n) => `field${n}: Int`).join(' ');
    const checks = openRegistryChecks({ timeoutMs: 60_000, heapMbMax: 24 });
    const big = [proposed(`type Query { ${fields} }`)];
    await expect(checks.check({ members: big, supergraphSdl: undefined }, [])).rejects.toThrow(
      'the graph could not be composed: it took more than 24 MB',
    );
    await checks.close();
  }, 90_000);
});

describe('an SDL from others', () => {
  it('is refused above its bytes and tokens with SDL_TOO_LARGE', () => {
    const limits = { bytesMax: 40, tokensMax: 6, depthMax: 3 };
    expect(() => requireBoundedSdl('type Query { a: Int }', limits)).toThrow('SDL_TOKENS_MAX is 6, got 7');
    expect(() => requireBoundedSdl(`# ${'a'.repeat(40)}`, limits)).toThrow(
      expect.objectContaining({ code: 'SDL_TOO_LARGE' }),
    );
  });

  it('is refused when it is nested too deep, before a parser calls itself for each', () => {
    const bomb = `type Query { x(a: ${'['.repeat(20_000)}Int${']'.repeat(20_000)}): Int }`;
    expect(() => requireBoundedSdl(bomb)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: 'sdl: line 1 is nested deeper than 50' }),
    );
  });

  it('is refused when it is no GraphQL, with its line', () => {
    expect(() => requireBoundedSdl('type Query {\n a: € }')).toThrow(/line 2/);
  });
});
