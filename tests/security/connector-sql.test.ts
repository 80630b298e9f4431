// Attacks through arguments that reach SQL, and through a contract in YAML.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkFolder } from '@weft/connectors/compile/check';
import { discover } from '@weft/connectors/discover/discover';
import type { SqlCall, SqlSource } from '@weft/connectors/plan';
import { openSql } from '@weft/connectors/sql/client';
import { compileCall, openBuilder } from '@weft/connectors/sql/statement';
import { compileMapping } from '@weft/schema/mapping/compile';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type TestDatabase, whyNoPostgres } from '../support/engines.ts';
import { readAttacks } from './attacks.ts';
import { resolve } from './payloads.ts';

const skipReason = await whyNoPostgres();
const attacks = readAttacks('connector');
const mine = (prefix: string) => (attacks ?? []).filter(({ id }) => id.startsWith(prefix));
const variablesOf = (attack: { request: unknown }) =>
  (attack.request as { variables: Readonly<Record<string, string>> }).variables;

const folder = mkdtempSync(join(tmpdir(), 'weft-connector-sql-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CALL: SqlCall = {
  protocol: 'sql',
  table: 'citizens',
  columns: ['id', 'name'],
  where: compileMapping('name: $args.filter'),
  orderBy: [{ column: 'id', descending: false }],
  limit: 10,
  limitPerKey: undefined,
};

describe.skipIf(attacks === undefined || skipReason !== undefined)(
  'an attack through an argument to SQL',
  () => {
    let database: TestDatabase;
    let admin: pg.Client;
    beforeAll(async () => {
      database = await createPostgresDatabase();
      admin = new pg.Client({ connectionString: database.url });
      admin.on('error', () => undefined);
      await admin.connect();
      await admin.query('CREATE TABLE citizens (id int primary key, name text)');
      await admin.query(`INSERT INTO citizens VALUES (1, '甲'), (2, '%')`);
    });
    afterAll(async () => {
      await admin?.end();
      await database?.drop();
    });

    it.each(mine('C-sql-').filter(({ id }) => id !== 'C-sql-order'))(
      '$id: $title is a value, found nowhere or by its own text',
      async (attack) => {
        const filter = variablesOf(attack).filter ?? expect.fail(attack.id);
        const { sql = '', bindings = [] } =
          compileCall(openBuilder('postgres'), CALL, { args: { filter } }) ?? {};
        expect(sql).not.toContain(filter);
        expect(bindings).toContain(filter);
        const source = {
          protocol: 'sql',
          name: 'db',
          timezone: 'Asia/Shanghai',
          encoding: 'utf-8',
          readOnly: true,
          url: { text: 'url', evaluate: () => database.url },
          guard: { timeoutMs: 5_000, concurrency: 2, responseBytesMax: 1_000_000 },
        } as unknown as SqlSource;
        const client = openSql('city', source, {});
        const options = { signal: AbortSignal.timeout(5_000), correlationId: 'x' };
        const ask = (text: string) => client.call(CALL, { args: { filter: text } }, options);
        const startedAt = performance.now();
        expect(await ask(filter)).toEqual([]);
        expect(performance.now() - startedAt).toBeLessThan(5_000);
        await admin.query('INSERT INTO citizens VALUES (3, $1)', [filter]);
        expect(await ask(filter)).toMatchObject([{ name: filter }]);
        // No pattern of LIKE either.
        expect(await ask('%')).toMatchObject([{ id: 2 }]);
        await admin.query('DELETE FROM citizens WHERE id = 3');
        await client.close();
      },
    );
  },
);

describe.skipIf(attacks === undefined)('an attack through a description', () => {
  it.each(mine('C-sql-order'))('$id: an order is written in the SDL, and is names alone', (attack) => {
    const orderBy = variablesOf(attack).orderBy ?? expect.fail(attack.id);
    const sdl = (order: string) => `extend schema
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect"])
  @source(name: "db", sql: { url: "{$env.DB}" })
type Query {
  all(order: String): [Citizen!] @connect(source: "db", sql: { table: "citizens", columns: "id", orderBy: ${JSON.stringify(order)} }, select: "id")
}
type Citizen { id: Int }`;
    for (const order of [orderBy, '$args.order']) {
      writeFileSync(join(folder, 'a.graphql'), sdl(order));
      expect(checkFolder(folder).issues).toMatchObject([{ code: 'BAD_VALUE', line: 5 }]);
    }
    rmSync(join(folder, 'a.graphql'));
  });

  it.each(mine('C-yaml'))(
    '$id: $title is refused in one line, in no time and little memory',
    async (attack) => {
      const file = join(folder, 'openapi.yaml');
      writeFileSync(file, String(resolve((attack.request as { text: unknown }).text)));
      const [startedAt, before] = [performance.now(), process.memoryUsage().rss];
      const refused = discover({ contract: { kind: 'openapi', file }, out: join(folder, 'drafted') });
      await expect(refused).rejects.toThrow(/openapi\.yaml\S* [^\n]+ — [^\n]+$/);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    },
  );
});
