// Laws of lints over the real registry: what refuses, what is a hint, and where in what its system has written.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import {
  approver,
  codeOf,
  PUBLISH,
  publisher,
  publishing,
  type SignedRegistry,
  SYSTEM_URL,
  startRegistry,
} from './signed-registry.ts';

const noPostgres = await whyNoPostgres();
const CIVIL = publisher('civil-affairs');
const POLICE = publisher('public-security');
const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@override", "@requiresScopes"])
`;
const FOUND = 'code level message systems coordinate file line';
const CHECK = `query ($changes: [VersionInput!]!) {
  checkVersions(changes: $changes) { id verdict code problems { ${FOUND} } hints { ${FOUND} } }
}`;

interface Found {
  readonly code: string;
  readonly coordinate: string | null;
}
interface Checked {
  readonly checkVersions: {
    readonly id: string;
    readonly verdict: string;
    readonly code: string | null;
    readonly problems: readonly Found[];
    readonly hints: readonly Found[];
  };
}

describe.skipIf(noPostgres !== undefined)('lints of what is proposed', () => {
  let registry: SignedRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
    const sdl = `${LINK}type Query { "One household." household(id: ID!): Household }
      "Who lives together." type Household @key(fields: "id") { id: ID! size: Int @shareable rooms: Int }`;
    await registry.data(CIVIL, PUBLISH, publishing('civil', sdl));
  }, 60_000);
  afterAll(() => registry?.close(), 60_000);

  const check = async (
    asker: Parameters<SignedRegistry['as']>[0],
    system: string,
    sdl: string,
    more = {},
  ) => {
    const changes = [{ system, sdl, url: SYSTEM_URL, ...more }];
    return (await registry.data<Checked>(asker, CHECK, { changes })).checkVersions;
  };

  it('are hints with level, system, file and line, of what the proposal changes alone', async () => {
    const sdl =
      'type Query {\n  "Permits."\n  permits: [Permit]\n  open: Int\n}\n"A permit."\ntype Permit { id: ID! }';
    const { verdict, code, hints } = await check(POLICE, 'permits', sdl);
    expect({ verdict, code }).toEqual({ verdict: 'PASS', code: null });
    const told = { level: 'WARN', systems: ['permits'], file: 'sdl', message: expect.any(String) };
    expect(hints).toEqual([
      { ...told, code: 'UNBOUNDED_LIST', coordinate: 'Query.permits', line: 3 },
      { ...told, code: 'MISSING_DESCRIPTION', coordinate: 'Query.open', line: 4 },
    ]);
    const allowed = sdl.replace(
      '  open: Int',
      '  # lint-allow MISSING_DESCRIPTION: its name says it.\n  open: Int',
    );
    expect((await check(POLICE, 'permits', allowed)).hints).toMatchObject([{ code: 'UNBOUNDED_LIST' }]);
  });

  it('refuse a field that another department answers, and name it, until that department lets it in', async () => {
    const sdl = `${LINK}# lint-allow NOT_OWNER: it is ours to count.
extend type Household @key(fields: "id") {\n  id: ID!\n  size: Int @shareable\n}`;
    const answer = await registry.as(POLICE, PUBLISH, publishing('residents', sdl));
    expect(answer.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/^Household\.size belongs to civil: the department civil-affairs /),
      extensions: { code: 'NOT_OWNER', coordinate: 'Household.size', from: 'civil', owner: 'civil-affairs' },
    });
    const { verdict, code, problems } = await check(POLICE, 'residents', sdl);
    expect({ verdict, code, problems }).toEqual({
      verdict: 'FAIL',
      code: 'NOT_OWNER',
      problems: [
        {
          code: 'NOT_OWNER',
          level: 'ERROR',
          message: expect.stringContaining('civil-affairs'),
          systems: ['residents', 'civil'],
          coordinate: 'Household.size',
          file: 'sdl',
          line: 6,
        },
      ],
    });
    await registry.data(POLICE, 'mutation { registerSystem(input: { name: "residents" }) { name } }');
    const push = 'mutation ($input: VersionInput!) { pushVersion(input: $input) { id } }';
    const { pushVersion } = await registry.data<{ pushVersion: { id: string } }>(POLICE, push, {
      input: { system: 'residents', sdl, url: SYSTEM_URL },
    });
    const approve = 'mutation ($id: ID!) { approveVersion(system: "residents", version: $id) { id } }';
    await registry.data(approver('civil-affairs'), approve, { id: pushVersion.id });
    await registry.data(POLICE, PUBLISH, publishing('residents', sdl));
    // What was let in is not asked about again.
    const later = sdl.replace('id: ID!\n', 'id: ID!\n  floor: Int\n');
    await registry.data(POLICE, PUBLISH, publishing('residents', later));
  });

  it('refuse personal information that everybody could read, unless it is protected, allowed or approved', async () => {
    const open = `type Query { "Keepers of parks." keepers(first: Int): [Keeper] }
"A keeper."
type Keeper {
  phone: String
}`;
    const answer = await registry.as(CIVIL, PUBLISH, publishing('parks', open));
    expect(answer.errors?.[0]).toMatchObject({
      message: expect.stringContaining('Keeper.phone'),
      extensions: { code: 'CHECK_FAILED', problems: 1, coordinate: 'Keeper.phone' },
    });
    const { id, problems } = await check(CIVIL, 'parks', open);
    expect(problems).toMatchObject([
      { code: 'UNPROTECTED_PERSONAL_INFORMATION', level: 'ERROR', systems: ['parks'], file: 'sdl', line: 4 },
    ]);
    const closed =
      LINK + open.replace('phone: String', 'phone: String @requiresScopes(scopes: [["keepers"]])');
    expect(await check(CIVIL, 'parks', closed)).toMatchObject({ verdict: 'PASS', problems: [] });
    const reason = '# lint-allow UNPROTECTED_PERSONAL_INFORMATION: the number on the gate of the park.\n  ';
    const allowed = open.replace('phone: String', `${reason}phone: String`);
    expect(await check(CIVIL, 'parks', allowed)).toMatchObject({ verdict: 'PASS', problems: [] });
    // The same, where its SDL was made of files.
    const folder = [{ path: 'parks/keepers.graphql', text: allowed }];
    expect(await check(CIVIL, 'parks', open, { folder })).toMatchObject({ verdict: 'PASS', problems: [] });
    const unsaid = [{ path: 'parks/keepers.graphql', text: open }];
    expect((await check(CIVIL, 'parks', open, { folder: unsaid })).problems).toMatchObject([
      { file: 'parks/keepers.graphql', line: 4 },
    ]);
    expect(codeOf(await registry.as(CIVIL, PUBLISH, publishing('parks', open)))).toBe('CHECK_FAILED');
    await registry.data(CIVIL, 'mutation { registerSystem(input: { name: "parks" }) { name } }');
    const approve =
      'mutation ($id: ID!) { approveBreakingChange(check: $id, remark: "duty phones") { verdict } }';
    expect(await registry.data(approver('civil-affairs'), approve, { id })).toEqual({
      approveBreakingChange: { verdict: 'APPROVED' },
    });
    await registry.data(CIVIL, PUBLISH, publishing('parks', open));
    // It is open by then: the next version is not asked about it again, and another field is.
    await registry.data(CIVIL, PUBLISH, publishing('parks', open.replace('phone:', 'since: Int phone:')));
    const more = open.replace('phone:', 'idCard: String phone:');
    expect((await check(CIVIL, 'parks', more)).problems).toMatchObject([{ coordinate: 'Keeper.idCard' }]);
  });
});
