// Reporters are told by the system that they came by: once, in order, whatever happens to it; what cannot be told is shown.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import type { Asker } from '../support/owned-subgraphs.ts';
import { waitFor } from '../support/wait.ts';
import { openRig, type Rig, STAFF } from './rig.ts';

const noPostgres = await whyNoPostgres();
const WAIT_MS = 60_000;
const TEST_MS = 180_000;
const CITIZEN: Asker = { subject: '王', roles: ['citizen'] };
const OTHER: Asker = { subject: '李', roles: ['citizen'] };

describe.skipIf(noPostgres !== undefined)('who reported', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  }, TEST_MS);
  afterAll(async () => {
    await rig.close();
  });
  beforeEach(async () => {
    await rig.simulators.control('hotline', '/faults', 'DELETE');
  });
  const typesOf = async (number: string) =>
    (await rig.replies()).filter(({ orderNo }) => orderNo === number).map(({ replyType }) => replyType);
  const told = (number: string, types: readonly string[]) =>
    waitFor(
      `${types.join(', ')} for ${number}`,
      async () => {
        const found = await typesOf(number);
        if (found.length < types.length) throw new Error(JSON.stringify(found));
        return found;
      },
      WAIT_MS,
    );

  it(
    'by a call is told by the hotline under its own number, and the incident says so',
    async () => {
      const { id, number } = await rig.call('路灯不亮');
      await rig.act(STAFF, id, 'acceptIncident');
      await rig.settle(id, '已更换灯泡');
      expect(await told(number, ['10', '50'])).toEqual(['10', '50']);
      const book = (await rig.replies()).filter(({ orderNo }) => orderNo === number);
      expect(book.map(({ content }) => content)).toEqual([
        '您反映的事项已受理。',
        '您反映的事项已办结：已更换灯泡',
      ]);
      const shown = await rig.notifications(id, (all) => all.every(({ state }) => state === 'SENT'));
      const hotline = {
        state: 'SENT',
        stateLabel: '已发送',
        channel: 'HOTLINE',
        system: 'hotline',
        code: null,
      };
      expect(shown).toMatchObject([
        { ...hotline, kind: 'ACCEPTED', reporter: { channel: 'HOTLINE' } },
        { ...hotline, kind: 'CLOSED' },
      ]);
    },
    TEST_MS,
  );

  it(
    'is told once and in order of what happened while the hotline was down',
    async () => {
      const calls = [
        await rig.call('井盖缺失一'),
        await rig.call('井盖缺失二'),
        await rig.call('井盖缺失三'),
      ];
      await rig.act(STAFF, calls[0]?.id ?? '', 'acceptIncident');
      await told(calls[0]?.number ?? '', ['10']);
      await rig.simulators.kill();
      for (const { id } of calls.slice(1)) await rig.act(STAFF, id, 'acceptIncident');
      for (const { id } of calls) await rig.settle(id, '已补装');
      const pending = await rig.notifications(calls[1]?.id ?? '', (all) => all.length === 2);
      expect(pending.map(({ state }) => state)).toEqual(['PENDING', 'PENDING']);
      await rig.simulators.start();
      for (const { id, number } of calls) {
        expect(await told(number, ['10', '50'])).toEqual(['10', '50']);
        await rig.notifications(id, (all) => all.length === 2 && all.every(({ state }) => state === 'SENT'));
      }
      // Nothing more came in the meantime.
      for (const { number } of calls) expect(await typesOf(number)).toEqual(['10', '50']);
    },
    TEST_MS,
  );

  it(
    'of what was merged is told of the end by each own number',
    async () => {
      const [one, two, three] = [
        await rig.call('漏水一'),
        await rig.call('漏水二'),
        await rig.call('漏水三'),
      ];
      await rig.act(STAFF, one.id, 'acceptIncident');
      await rig.act(STAFF, three.id, 'mergeIncident', `into: "${two.id}"`);
      await rig.act(STAFF, two.id, 'mergeIncident', `into: "${one.id}"`);
      await rig.settle(one.id, '已堵漏');
      expect(await told(one.number, ['10', '50'])).toEqual(['10', '50']);
      expect(await told(two.number, ['50'])).toEqual(['50']);
      expect(await told(three.number, ['50'])).toEqual(['50']);
      const shown = await rig.notifications(one.id, (all) => all.every(({ state }) => state === 'SENT'));
      expect(shown.map(({ kind }) => kind)).toEqual(['ACCEPTED', 'CLOSED', 'CLOSED', 'CLOSED']);
    },
    TEST_MS,
  );

  it(
    'is told once when the hotline has it and its answer is lost: it is asked, not told again',
    async () => {
      const { id, number } = await rig.call('占道经营');
      await rig.simulators.control('hotline', '/faults', 'POST', { half: true });
      await rig.act(STAFF, id, 'acceptIncident');
      await rig.notifications(id, (all) => all.some(({ state }) => state === 'UNKNOWN'));
      await rig.simulators.control('hotline', '/faults', 'DELETE');
      await rig.notifications(id, (all) => all.every(({ state }) => state === 'SENT'));
      expect(await typesOf(number)).toEqual(['10']);
    },
    TEST_MS,
  );

  it(
    'who cannot be told is shown with why',
    async () => {
      const { id, number } = await rig.call('噪声扰民');
      await rig.simulators.control('hotline', '/faults', 'POST', { refuseWork: true });
      await rig.act(STAFF, id, 'acceptIncident');
      const shown = await rig.notifications(id, (all) => all.some(({ state }) => state === 'FAILED'));
      expect(shown).toMatchObject([
        { kind: 'ACCEPTED', stateLabel: '发送失败', system: 'hotline', code: '2003' },
      ]);
      expect(await typesOf(number)).toEqual([]);
      // What follows is told all the same.
      await rig.simulators.control('hotline', '/faults', 'DELETE');
      await rig.act(STAFF, id, 'rejectIncident', 'reason: "不属受理范围"');
      expect(await told(number, ['30'])).toEqual(['30']);
    },
    TEST_MS,
  );

  it(
    'with credentials reads it here, page by page, and nobody else’s',
    async () => {
      const report = 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }';
      const input = { requestId: randomUUID(), channel: 'APP', title: '积水', division: '320508017003' };
      const { reportIncident } = await rig.ask(CITIZEN, report, { input });
      const { id } = reportIncident as { id: string };
      await rig.act(STAFF, id, 'acceptIncident');
      await rig.settle(id, '已疏通');
      const query = `query ($first: Int, $after: String) { myNotifications(first: $first, after: $after) {
      edges { node { kind kindLabel text state incident { id title } } } pageInfo { hasNextPage endCursor }
    } }`;
      interface Page {
        readonly edges: readonly { readonly node: object }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
      }
      const page = async (asker: Asker, variables: object) =>
        (await rig.ask(asker, query, { ...variables })).myNotifications as Page;
      const first = await page(CITIZEN, { first: 1 });
      const incident = { id, title: '积水' };
      expect(first).toMatchObject({
        edges: [
          {
            node: {
              kind: 'CLOSED',
              kindLabel: '办结',
              text: '您反映的事项已办结：已疏通',
              state: 'SENT',
              incident,
            },
          },
        ],
        pageInfo: { hasNextPage: true },
      });
      const second = await page(CITIZEN, { first: 5, after: first.pageInfo.endCursor });
      expect(second).toMatchObject({
        edges: [{ node: { kind: 'ACCEPTED', text: '您反映的事项已受理。', incident } }],
        pageInfo: { hasNextPage: false },
      });
      expect((await page(OTHER, {})).edges).toEqual([]);
      await expect(page({ roles: [] }, {})).rejects.toThrow('UNAUTHENTICATED');
      await expect(page(CITIZEN, { after: 'forged' })).rejects.toThrow('INVALID_CURSOR');
      await expect(page(CITIZEN, { first: 201 })).rejects.toThrow('LIMIT_EXCEEDED');
    },
    TEST_MS,
  );
});
