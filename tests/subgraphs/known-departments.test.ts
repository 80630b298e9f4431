// What the incident library may be told by hand of departments, divisions, centres and matters: those that are known, and no other.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { type Asker, createMigratedDatabase, startSigned } from '../support/owned-subgraphs.ts';

const noPostgres = await whyNoPostgres();

const STAFF: Asker = { subject: 'ZX320508', roles: ['centre-staff'], division: '320508' };
const CITIZEN: Asker = { subject: 'wang', roles: ['citizen'] };
const HANDLER: Asker = { subject: 'JB-police-1', roles: ['department-handler'], department: 'police' };

describe.skipIf(noPostgres !== undefined)('an unknown department', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-directory-'));
  const directoryFile = join(folder, 'directory.json');
  const water = { code: 'water-affairs', name: '水务', fullName: '水务局' };
  const worker = {
    number: 'JB-water-1',
    name: '水务局经办人1',
    phone: '0512-00020001',
    division: '320508',
    department: 'water-affairs',
    posts: ['department-handler'],
  };
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let hub: Awaited<ReturnType<typeof startSigned>>;
  beforeAll(async () => {
    writeFileSync(directoryFile, JSON.stringify({ departments: [water], workers: [worker] }));
    database = await createMigratedDatabase();
    hub = await startSigned(database.url, { directoryFile });
  });
  afterAll(async () => {
    await hub.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (asker: Asker, id: string, field: string, args = '') =>
    hub.askAs(asker, `mutation ($id: ID!) { ${field}(id: $id ${args}) { state } }`, { id });
  const done = async (...parameters: Parameters<typeof run>) =>
    expect((await run(...parameters)).errors, parameters[2]).toBeUndefined();
  const report = async () => {
    const { data } = await hub.askAs(
      CITIZEN,
      'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }',
      { input: { requestId: randomUUID(), channel: 'APP', title: '路灯不亮', division: '320508017003' } },
    );
    return (data as unknown as { reportIncident: { id: string } }).reportIncident.id;
  };
  const refused = async (id: string, field: string, args: string, asker = STAFF) => {
    const { errors } = await run(asker, id, field, args);
    return { message: errors?.[0]?.message, ...errors?.[0]?.extensions };
  };
  const unknown = {
    code: 'BAD_USER_INPUT',
    argument: 'department',
    message:
      'department: the directory has no department no-such; { departments { code name } } lists those that there are',
  };

  it('is refused wherever an incident could be sent, and nothing is done', async () => {
    const id = await report();
    await done(STAFF, id, 'acceptIncident');
    expect(await refused(id, 'routeIncident', 'department: "no-such"')).toMatchObject(unknown);
    await done(STAFF, id, 'routeIncident', 'department: "police"');
    expect(await refused(id, 'addIncidentCoHandler', 'department: "no-such"')).toMatchObject(unknown);
    await done(HANDLER, id, 'signForIncident');
    await done(HANDLER, id, 'feedBackIncident', 'result: "已修复"');
    for (const field of ['startIncidentVerification', 'passIncident', 'closeIncident'])
      await done(STAFF, id, field);
    await done(CITIZEN, id, 'evaluateIncident', 'rating: 1');
    const reopening = 'reason: "未修复", department: "no-such"';
    expect(await refused(id, 'reopenIncident', reopening)).toMatchObject(unknown);
    const { data } = await hub.askAs(
      STAFF,
      'query ($id: ID!) { incident(id: $id) { state attempts { department { code } } coHandlers { code } } }',
      { id },
    );
    expect(data).toEqual({
      incident: { state: 'EVALUATED', attempts: [{ department: { code: 'police' } }], coHandlers: [] },
    });
    await done(STAFF, id, 'reopenIncident', 'reason: "未修复"');
  });

  it.each([
    ['police-', 'police (公安)'],
    ['Police', 'police (公安)'],
    ['水务局', 'water-affairs (水务)'],
    ['urban management', 'urban-management (城管)'],
  ])('is refused with those that %s may mean, those of the settings among them', async (typed, like) => {
    const id = await report();
    await done(STAFF, id, 'acceptIncident');
    expect(await refused(id, 'routeIncident', `department: "${typed}"`)).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'department',
      like: like.split(' ')[0],
      message: `department: the directory has no department ${typed}; like it are ${like}`,
    });
  });

  it('is told to nobody who may not send there at all', async () => {
    const id = await report();
    await done(STAFF, id, 'acceptIncident');
    expect(await refused(id, 'routeIncident', 'department: "no-such"', CITIZEN)).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('is known when the settings add it, with the workers that they add', async () => {
    const id = await report();
    await done(STAFF, id, 'acceptIncident');
    await done(STAFF, id, 'routeIncident', 'department: "water-affairs"');
    const { data } = await hub.askAs(
      STAFF,
      '{ department(code: "water-affairs") { fullName workers { edges { node { number name roles division { name } } } } } }',
      {},
      'directory',
    );
    expect(data).toEqual({
      department: {
        fullName: '水务局',
        workers: {
          edges: [
            {
              node: {
                number: 'JB-water-1',
                name: '水务局经办人1',
                roles: ['department-handler'],
                division: { name: '姑苏区' },
              },
            },
          ],
        },
      },
    });
  });

  it.each([
    ['matter', { matter: '99999' }, 'expected 5 digits of a matter'],
    ['division', { division: '999' }, 'the directory has no division of this code'],
  ])('is no more let in by hand than a %s that nobody knows', async (argument, given, problem) => {
    const input = { requestId: randomUUID(), channel: 'APP', title: '路灯不亮', ...given };
    const mutation = 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }';
    const { errors } = await hub.askAs(CITIZEN, mutation, { input });
    expect(errors?.[0]?.message).toContain(`input.${argument}: ${problem}`);
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: `input.${argument}`,
    });
  });

  it('is no quieter in the overview than a division, and no emptier an inbox than a centre, that nobody knows', async () => {
    const overview = await hub.askAs(STAFF, '{ overview(division: "320508999") { open } }');
    expect(overview.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'division' });
    const inbox = async (centre: string) =>
      (await hub.askAs(STAFF, `{ centreInbox(centre: "${centre}") { totalCount } }`)).errors?.[0];
    expect((await inbox('320508'))?.message).toContain('a hyphen and a number, such as 320508-01');
    expect((await inbox('320508999-01'))?.message).toContain('the directory has no centre of this code');
    expect(await inbox('320508-01')).toBeUndefined();
    const id = await report();
    const sentTo = 'reason: "需协调", centre: "320508017999-01"';
    expect(await refused(id, 'escalateIncident', sentTo)).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'centre',
      message: expect.stringContaining('the directory has no centre of this code'),
    });
  });

  it.each([
    ['departments.0.code', { departments: [{ ...water, code: 'Water' }] }],
    ['workers.0.posts', { workers: [{ ...worker, posts: ['emperor'] }] }],
    ['people', { people: [] }],
  ])('does not come in by settings in which %s is wrong', async (place, content) => {
    const file = join(folder, `${place}.json`);
    writeFileSync(file, JSON.stringify(content));
    await expect(startSigned(database.url, { directoryFile: file })).rejects.toThrow(
      new RegExp(`WEFT_DIRECTORY_FILE.*${place.split('.')[0]}`, 's'),
    );
  });

  it('does not come in by a worker of whose department nobody knows', async () => {
    const file = join(folder, 'unknown.json');
    writeFileSync(file, JSON.stringify({ workers: [{ ...worker, department: 'no-such' }] }));
    await expect(startSigned(database.url, { directoryFile: file })).rejects.toThrow(
      'WEFT_DIRECTORY_FILE: worker JB-water-1: the directory has no department no-such',
    );
  });
});
