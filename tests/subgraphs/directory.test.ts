import { createLogger } from '@weft/core/logger';
import { PrismaClient } from '@weft/subgraphs/directory/generated/client';
import { createDirectoryLoaders } from '@weft/subgraphs/directory/loaders';
import { createDirectoryResolvers } from '@weft/subgraphs/directory/resolvers';
import { buildOwnedSchema } from '@weft/subgraphs/owned-schema';
import { openStore } from '@weft/subgraphs/store';
import { graphql } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { ask, createMigratedDatabase, startInProcess } from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

describe.skipIf(noPostgres !== undefined)('the subgraph directory', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startInProcess>>;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    hub = await startInProcess(database.url);
  });
  afterAll(async () => {
    await hub.close();
    await database.drop();
  });
  const query = (text: string, variables?: Record<string, unknown>) =>
    ask(hub.urls.directory, text, variables);

  it('tells the chain of a community up to its province', async () => {
    const { data, errors } = await query(
      '{ division(code: "320508017003") { name level levelName fullName parent { code } ancestors { code name } centre { code name parent { name } } } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      division: {
        name: '路南社区居委会',
        level: 5,
        levelName: '村级',
        fullName: '江苏省苏州市姑苏区白洋湾街道路南社区居委会',
        parent: { code: '320508017' },
        ancestors: [
          { code: '32', name: '江苏省' },
          { code: '3205', name: '苏州市' },
          { code: '320508', name: '姑苏区' },
          { code: '320508017', name: '白洋湾街道' },
        ],
        centre: {
          code: '320508017003-01',
          name: '路南社区综治网格服务中心',
          parent: { name: '白洋湾街道综治网格服务中心' },
        },
      },
    });
  });

  it('answers representations in their order, with null for one that it does not know', async () => {
    const { data } = await query(
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Division { name } ... on Department { fullName } ... on Centre { level } } }',
      {
        r: [
          { __typename: 'Division', code: '320508' },
          { __typename: 'Division', code: '999999' },
          { __typename: 'Department', code: 'police' },
          { __typename: 'Centre', code: '320508-01' },
        ],
      },
    );
    expect(data).toEqual({ _entities: [{ name: '姑苏区' }, null, { fullName: '公安局' }, { level: 3 }] });
  });

  it('has a parent for every division, and each code once', async () => {
    const orphans = await database.client.query(
      'SELECT code FROM directory.division d WHERE parent_code IS NOT NULL AND NOT EXISTS (SELECT 1 FROM directory.division p WHERE p.code = d.parent_code)',
    );
    expect(orphans.rows).toEqual([]);
    const { rows } = await database.client.query(
      'SELECT level, count(*)::int AS count FROM directory.division GROUP BY 1 ORDER BY 1',
    );
    expect(rows.slice(0, 3)).toEqual([
      { level: 1, count: 31 },
      { level: 2, count: 342 },
      { level: 3, count: 2978 },
    ]);
    expect(rows[4].count).toBeGreaterThan(6_000);
  });

  it('reads a list with chains, centres and children in as many statements as a list of one', async () => {
    const prisma = new PrismaClient({
      adapter: openStore(database.url, 'directory', createLogger('test', 'silent')),
      log: [{ emit: 'event', level: 'query' }],
    });
    let statements = 0;
    prisma.$on('query', () => {
      statements += 1;
    });
    const sdlFile = new URL('../../subgraphs/directory/schema.graphql', import.meta.url);
    const schema = buildOwnedSchema(sdlFile, createDirectoryResolvers(prisma));
    const run = async (first: number) => {
      statements = 0;
      const { data, errors } = await graphql({
        schema,
        source:
          'query ($first: Int!) { divisions(parent: "320508", first: $first) { fullName centre { name } parent { name } children(first: 3) { code fullName } } }',
        variableValues: { first },
        contextValue: { loaders: createDirectoryLoaders(prisma) },
      });
      expect(errors).toBeUndefined();
      const divisions = (data as { divisions: { children: unknown[] }[] }).divisions;
      expect(divisions.map(({ children }) => children.length)).toEqual(Array(first).fill(3));
      return statements;
    };
    const ofOne = await run(1);
    expect(ofOne).toBeGreaterThan(2);
    expect(await run(8)).toBe(ofOne);
    await prisma.$disconnect();
  });

  it('lists the divisions of a level below another one', async () => {
    const { data } = await query(
      '{ towns: divisions(parent: "3205", level: 4, first: 500) { code } top: divisions(first: 2) { code } }',
    );
    const { towns, top } = data as unknown as Record<'towns' | 'top', { code: string }[]>;
    expect(towns.length).toBeGreaterThan(80);
    expect(towns.every(({ code }) => code.length === 9 && code.startsWith('3205'))).toBe(true);
    expect(top).toEqual([{ code: '11' }, { code: '12' }]);
  });

  it('keeps the indices in the path of an error numbers', async () => {
    const { errors } = await query(
      '{ _entities(representations: [{ __typename: "Division", code: "32" }]) { ... on Division { children(first: 501) { code } } } }',
    );
    expect(errors?.[0]?.path).toEqual(['_entities', 0, 'children']);
  });

  it('refuses more than 500 items and names the limit', async () => {
    for (const text of [
      '{ divisions(first: 501) { code } }',
      '{ division(code: "32") { children(first: 501) { code } } }',
      '{ centres(first: 501) { code } }',
      '{ departments(first: 501) { code } }',
      '{ posts(first: 501) { code } }',
      '{ workers(first: 501) { pageInfo { endCursor } } }',
      '{ centre(code: "320508-01") { workers(first: 501) { pageInfo { endCursor } } children(first: 501) { code } } }',
    ]) {
      const { errors } = await query(text);
      expect(errors?.[0]?.extensions).toMatchObject({
        code: 'LIMIT_EXCEEDED',
        limit: 'LIST_ITEMS_MAX',
        max: 500,
      });
    }
    const { errors } = await query('{ divisions(first: -1) { code } }');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'first' });
  });
});
