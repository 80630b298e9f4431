// `weft connect check` of a folder that compiles, and of what it makes with the other systems of the checkout.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, ROOT, removeHome } from '../support/hub.ts';
import { weft } from '../support/weft.ts';

const CHECK_MS_MAX = 120_000;
const sdlWith = (field: string) => `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect"])
  @source(name: "market", title: "市场", rest: { baseUrl: "http://127.0.0.1:9" })

type Query {
  stalls: [Stall!] @connect(source: "market", http: { GET: "/stalls" }, select: "$.rows { id: no }")
  ${field}
}

type Stall @key(fields: "id") {
  id: ID!
}
`;
/** The registry has `Query.systems: [System!]`. */
const CLASHING = `systems: [Stall!] @connect(source: "market", http: { GET: "/stalls" }, select: "$.rows { id: no }")`;

describe('weft connect check, with the other systems', { timeout: CHECK_MS_MAX }, () => {
  let home: string;
  beforeAll(() => {
    home = createHome();
  });
  afterAll(() => removeHome(home));

  /** @returns the folder's path */
  function write(name: string, field = ''): string {
    const folder = join(home, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.graphql`), sdlWith(field));
    return folder;
  }
  const check = (...argv: readonly string[]) => weft(home, 'connect', 'check', ...argv);

  it('is content with one that goes with them, and with one of theirs in its own place', async () => {
    const stalls = write('stalls');
    for (const folder of [stalls, 'subgraphs/police', 'subgraphs/human-resources/over-mqtt/human-resources'])
      expect(await check(folder)).toEqual({ code: 0, stdout: `${folder}: ok\n`, stderr: '' });
  });

  it('names where a field stands that another has with another type, here and there, and exits with 1', async () => {
    const folder = write('market', CLASHING);
    const { code, stdout } = await check(folder);
    expect(code).toBe(1);
    const [first, ...rest] = stdout.split('\n');
    expect(first).toMatch(
      new RegExp(
        `^${join(folder, 'market.graphql')}:8:3 error FIELD_TYPE_MISMATCH .*"Query\\.systems".* \\(subgraphs/registry/schema\\.graphql:\\d+:3\\)$`,
      ),
    );
    expect(rest.join('\n')).toContain(`${folder}: makes no graph with the others\n`);
    expect(await check('--alone', folder)).toMatchObject({ code: 0, stdout: `${folder}: ok\n` });
    const json = await check('--json', folder);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      issues: [
        { code: 'FIELD_TYPE_MISMATCH', severity: 'error', line: 8, column: 3, endLine: 8, endColumn: 3 },
        { code: 'INVALID_FIELD_SHARING' },
      ],
    });
  });

  it('names a department that has a system already', async () => {
    const folder = join(home, 'police-two');
    cpSync(join(ROOT, 'subgraphs/police'), folder, { recursive: true });
    const { code, stdout } = await check(folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /police-two\/police\.graphql:\d+:\d+ error DEPARTMENT_TAKEN police serves the department police already: take @dispatch/,
    );
    expect(stdout).toMatch(/police-two\/police\.graphql:\d+:\d+ error EVENT_STREAM_INVALID /);
  });

  it('refuses the name of one of the hub’s own', async () => {
    const folder = write('incidents');
    const { code, stdout } = await check(folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /incidents\.graphql:1:1 error RESERVED_NAME incidents is the name of one of the hub's own/,
    );
  });
});
