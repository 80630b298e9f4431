// Story 1: a wage complaint comes by the hotline, goes to market supervision, comes back, goes to human resources, and is settled there.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RABBITMQ_URL, whyNoRabbitmq } from '../../support/brokers.ts';
import { type Hub, removeHome, startHub } from '../../support/hub.ts';
import { openPerson, type Person } from '../../support/people.ts';
import { callHotline, moveWork, repliesOf, statsOf } from '../../support/simulated.ts';
import { waitFor } from '../../support/wait.ts';
import {
  COMMUNITY,
  COUNTY,
  evidenceOf,
  incidentOf,
  kindsOf,
  numberOfAttempt,
  openScreen,
  type Screen,
  TOWN,
} from '../incident-story.ts';

const noRabbitmq = await whyNoRabbitmq();

const THE_WHOLE = `query ($id: ID!) { incident(id: $id) {
  state round returnCount rating department { code } centre { code } channel
  hotlineOrder { id status }
  marketPetition { id status returnReason }
  humanResourcesCase { id status result }
  attempts {
    number round department { code name } outcome delivery externalNumber { kind number }
    routedAt deliveredAt signedAt signedBy returnedAt returnReason returnReasonLabel returnText fedBackAt result
  }
  steps { kind by role at reason rating }
  notifications { kind channel state system }
} }`;

interface Whole {
  readonly incident: {
    readonly attempts: readonly Readonly<Record<string, unknown>>[];
    readonly steps: readonly { kind: string; by: string; role: string | null; at: string }[];
    readonly notifications: readonly { state: string; system: string | null }[];
  };
}

const THE_WAY = [
  ...['REPORTED', 'ESCALATED', 'ACCEPTED', 'ROUTED', 'RETURNED', 'ROUTED', 'SIGNED', 'FED_BACK'],
  ...['VERIFICATION_STARTED', 'VERIFIED', 'CLOSED', 'EVALUATED', 'REOPENED'],
];

/** Quiet, it takes 4 s. */
const STORY_MS_MAX = 180_000;

describe('story 1: from A to B to C', () => {
  let hub: Hub;
  let people: Readonly<Record<'town' | 'county' | 'auditor', Person>>;
  let townScreen: Screen;
  let countyScreen: Screen;
  beforeAll(async () => {
    hub = await startHub(noRabbitmq === undefined ? { env: { WEFT_HR_AMQP_URL: RABBITMQ_URL } } : {});
    const [town, county, auditor] = await Promise.all([
      openPerson(hub, '--role', 'centre-staff', '--division', TOWN),
      openPerson(hub, '--role', 'duty-officer', '--division', COUNTY),
      openPerson(hub, '--role', 'auditor', '--division', COUNTY),
    ]);
    people = { town, county, auditor };
    townScreen = await openScreen(hub, town, TOWN);
    countyScreen = await openScreen(hub, county, COUNTY);
  });
  afterAll(async () => {
    await Promise.all(Object.values(people ?? {}).map((person) => person.leave()));
    await hub?.stop();
    if (hub !== undefined) removeHome(hub.home);
  });

  it(
    'is returned by the first system, settled by the second, verified, rated 2 of 5 and reopened, before the eyes of the town',
    async () => {
      const { town, county, auditor } = people;
      const orderNo = await callHotline(hub, {
        externalRef: 'story-1',
        subject: '饭店拖欠三名员工两个月工资',
        content: '多次讨要未果',
        kind: '3',
        areaCode: COMMUNITY,
      });
      const id = await incidentOf(county, 'hotlineOrder', orderNo);
      await town.act('escalateIncident', id, `centre: "${COUNTY}-01", reason: "涉及多个部门"`);
      await county.act('acceptIncident', id);
      await county.act('routeIncident', id, 'department: "market-supervision"');
      const petition = await numberOfAttempt(county, id, 1);
      await moveWork(hub, 'market-supervision', petition, { state: 'YTH', reason: 'TH01' });
      await townScreen.shows(id, 'RETURNED');
      // The one that returned it is not asked again by mistake.
      const again = await county.ask(
        'mutation ($id: ID!) { routeIncident(id: $id, department: "market-supervision") { id } }',
        { id },
      );
      expect(again.errors?.[0]?.extensions).toMatchObject({
        code: 'CONFLICT',
        department: 'market-supervision',
      });
      await county.act('routeIncident', id, 'department: "human-resources"');
      const wageCase = await numberOfAttempt(county, id, 2);
      await moveWork(hub, 'human-resources', wageCase, { state: '02' });
      await townScreen.shows(id, 'SIGNED');
      await moveWork(hub, 'human-resources', wageCase, { state: '04', result: '已督促补发工资' });
      await townScreen.shows(id, 'FED_BACK');
      for (const action of ['startIncidentVerification', 'passIncident', 'closeIncident'])
        await county.act(action, id);
      await county.act('evaluateIncident', id, 'rating: 2, text: "太慢", remark: "电话回访"');
      await county.act('reopenIncident', id, 'reason: "群众不满意"');
      await townScreen.shows(id, 'REOPENED');
      const secondCase = await numberOfAttempt(county, id, 3);

      const { incident } = await county.get<Whole>(THE_WHOLE, { id });
      const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
      expect(incident).toMatchObject({
        ...{ state: 'ROUTED', round: 2, returnCount: 1, rating: 2, channel: 'HOTLINE' },
        ...{ department: { code: 'human-resources' }, centre: { code: `${COUNTY}-01` } },
        hotlineOrder: { id: orderNo, status: 'PENDING' },
        marketPetition: { id: petition, status: 'RETURNED', returnReason: 'NOT_OUR_DUTY' },
        humanResourcesCase: { id: expect.stringMatching(/^RS320508/) },
        attempts: [
          {
            ...{ number: 1, round: 1, outcome: 'RETURNED', delivery: 'APPLIED' },
            department: { code: 'market-supervision', name: '市监' },
            externalNumber: { kind: 'marketPetition', number: petition },
            ...{ routedAt: instant, deliveredAt: instant, returnedAt: instant, signedAt: null },
            ...{
              returnReason: 'NOT_OUR_DUTY',
              returnReasonLabel: '超出职责范围',
              returnText: '超出职责范围',
            },
          },
          {
            ...{ number: 2, round: 1, outcome: 'FED_BACK', delivery: 'APPLIED' },
            externalNumber: { kind: 'humanResourcesCase', number: wageCase },
            ...{ signedAt: instant, signedBy: 'system:human-resources', fedBackAt: instant },
            result: '已督促补发工资',
          },
          {
            ...{ number: 3, round: 2, outcome: null },
            externalNumber: { kind: 'humanResourcesCase', number: secondCase },
          },
        ],
        // One reporter, whom the hotline tells that it is in hand, at its end, and that it begins anew.
        notifications: ['ACCEPTED', 'CLOSED', 'REOPENED'].map((kind) => ({ kind, channel: 'HOTLINE' })),
      });
      expect(secondCase).not.toBe(wageCase);
      await waitFor('the hotline to tell who called', async () => {
        const { incident: told } = await county.get<Whole>(THE_WHOLE, { id });
        return told.notifications.every(({ state, system }) => state === 'SENT' && system === 'hotline');
      });
      const replies = await repliesOf(hub, orderNo);
      expect(replies.map(({ replyType }) => replyType)).toEqual(['10', '50', '60']);
      // What the citizen said is for those with the scope for personal information alone.
      expect(incident.steps.find(({ kind }) => kind === 'EVALUATED')).toMatchObject({
        rating: 2,
        reason: null,
      });
      const times = incident.steps.map(({ at }) => Date.parse(at));
      expect(times).toEqual(times.toSorted((one, other) => one - other));

      // What the town saw is what happened, each step once and in its order; the county saw the same.
      const shown = await townScreen.showsAll(id, incident.steps);
      expect(kindsOf(shown)).toEqual(THE_WAY);
      expect(await countyScreen.showsAll(id, incident.steps)).toEqual(shown);

      const evidence = await evidenceOf(auditor, id, shown);
      const entryOf = (action: string) => evidence.find((entry) => entry.action === action);
      expect(entryOf('REPORTED')).toMatchObject({ system: 'hotline', authority: { rule: 'REPORT' } });
      expect(entryOf('ESCALATED')).toMatchObject({ authority: { role: 'centre-staff', place: TOWN } });
      expect(entryOf('ACCEPTED')).toMatchObject({
        system: 'gateway',
        actor: { kind: 'principal' },
        authority: { role: 'duty-officer', place: COUNTY },
      });
      expect(entryOf('RETURNED')).toMatchObject({
        system: 'market-supervision',
        actor: { kind: 'system' },
        authority: { role: 'department-handler', place: 'market-supervision' },
      });
      for (const action of ['SIGNED', 'FED_BACK'])
        expect(entryOf(action)).toMatchObject({
          system: 'human-resources',
          actor: { kind: 'system' },
          authority: { role: 'department-handler', place: 'human-resources' },
        });
      expect(entryOf('REOPENED')).toMatchObject({ reason: '群众不满意' });

      // By their own books, each department has one piece of work an attempt.
      expect(await statsOf(hub, 'market-supervision')).toMatchObject({ works: 1, pending: 0 });
      expect(await statsOf(hub, 'human-resources')).toMatchObject({ works: 2, pending: 0 });
      await townScreen.close();
      await countyScreen.close();
    },
    STORY_MS_MAX,
  );
});
