// Story 2: WeChat, the hotline and a camera report the same hole: one incident, three reporters, and the people among them told of the end.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, removeHome, startHub } from '../../support/hub.ts';
import { openPerson, type Person } from '../../support/people.ts';
import { callHotline, moveWork, statsOf } from '../../support/simulated.ts';
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
} from '../incident-story.ts';

/** 06013 道路破损 */
const MATTER = '06013';
const HOLE = { longitude: 120.5861, latitude: 31.3402 };
/** Degrees of latitude for a metre. */
const METRE = 1 / 111_195;
const north = (metres: number) => ({ ...HOLE, latitude: HOLE.latitude + metres * METRE });

const REPORT = 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }';

const THE_WHOLE = `query ($id: ID!) { incident(id: $id) {
  state
  reporters { kind channel }
  externalNumbers { kind number }
  hotlineOrder { id }
  urbanManagementCase { id result }
  steps { sequence kind by otherIncident { id } }
  notifications { sequence channel state }
} }`;

interface Whole {
  readonly incident: {
    readonly reporters: readonly { kind: string; channel: string }[];
    readonly steps: readonly { sequence: number; kind: string; otherIncident: { id: string } | null }[];
    readonly notifications: readonly { sequence: number; channel: string; state: string }[];
  };
}

/** Each person who reported is told of the end, once, by the way that they came. */
function expectAllTold({ reporters, steps, notifications }: Whole['incident']): void {
  const end = steps.find(({ kind }) => kind === 'CLOSED')?.sequence;
  expect(end).toBeDefined();
  const ofTheEnd = notifications.filter(({ sequence }) => sequence === end);
  expect(ofTheEnd.map(({ channel }) => channel).toSorted()).toEqual(
    reporters.map(({ channel }) => channel).toSorted(),
  );
  const states = Object.fromEntries(ofTheEnd.map(({ channel, state }) => [channel, state]));
  // The hotline tells who called; who reported in WeChat reads it here; nobody waits behind a camera.
  expect(states).toEqual({ HOTLINE: 'SENT', WECHAT: 'SENT', SYSTEM_PUSH: 'NO_RECIPIENT' });
}

/** Quiet, it takes 4 s. */
const STORY_MS_MAX = 180_000;

describe('story 2: one pothole, three reporters', () => {
  let hub: Hub;
  let people: Readonly<Record<'citizen' | 'camera' | 'county' | 'auditor', Person>>;
  let citizenScreen: Screen;
  let countyScreen: Screen;
  beforeAll(async () => {
    hub = await startHub();
    const [citizen, camera, county, auditor] = await Promise.all([
      openPerson(hub, '--role', 'citizen', '--subject', 'wechat-openid-1'),
      openPerson(hub, '--role', 'operator', '--subject', 'video-platform', '--division', COUNTY),
      openPerson(hub, '--role', 'duty-officer', '--division', COUNTY),
      openPerson(hub, '--role', 'auditor', '--division', COUNTY),
    ]);
    people = { citizen, camera, county, auditor };
    citizenScreen = await openScreen(hub, citizen, COMMUNITY);
    countyScreen = await openScreen(hub, county, COUNTY);
  });
  afterAll(async () => {
    await Promise.all(Object.values(people ?? {}).map((person) => person.leave()));
    await hub?.stop();
    if (hub !== undefined) removeHome(hub.home);
  });

  const report = async (person: Person, input: Readonly<Record<string, unknown>>): Promise<string> => {
    const { reportIncident } = await person.get<{ reportIncident: { id: string } }>(REPORT, {
      input: { matter: MATTER, division: COMMUNITY, ...input },
    });
    return reportIncident.id;
  };

  /** Three reports of one hole. @returns the survivor, and those that were merged into it */
  async function reportThrice(): Promise<{ readonly id: string; readonly merged: readonly string[] }> {
    const { citizen, camera } = people;
    const id = await report(citizen, {
      ...{ requestId: 'wechat', channel: 'WECHAT', title: '路上有个大坑', position: HOLE },
    });
    await countyScreen.shows(id, 'REPORTED');
    await callHotline(hub, {
      ...{ externalRef: 'pothole', subject: '路面塌陷', areaCode: COMMUNITY, itemCode: MATTER },
      ...north(30),
    });
    await countyScreen.shows(id, 'ABSORBED');
    const seen = await report(camera, {
      ...{ requestId: 'camera', channel: 'SYSTEM_PUSH', title: '视频识别：路面坑洞', position: north(-40) },
      reporters: [{ kind: 'EXTERNAL_SYSTEM', name: '视频智能识别' }],
    });
    await countyScreen.shows(id, 'ABSORBED', 2);
    const { incident } = await people.county.get<Whole>(THE_WHOLE, { id });
    const merged = incident.steps.flatMap(({ otherIncident }) => otherIncident?.id ?? []);
    expect(merged).toHaveLength(2);
    expect(merged).toContain(seen);
    return { id, merged };
  }

  it(
    'is one incident with three reporters, handled once, and each of the people is told of the end',
    async () => {
      const { citizen, county, auditor } = people;
      const { id, merged } = await reportThrice();
      // The same matter 80 m away is another hole.
      const other = await report(citizen, {
        ...{ requestId: 'another', channel: 'WECHAT', title: '另一个坑', position: north(80) },
      });
      await county.act('acceptIncident', id);
      await county.act('routeIncident', id, 'department: "urban-management"');
      const caseNo = await numberOfAttempt(county, id, 1);
      await moveWork(hub, 'urban-management', caseNo, { state: '2' });
      await citizenScreen.shows(id, 'SIGNED');
      await moveWork(hub, 'urban-management', caseNo, { state: '5', result: '已修复，恢复正常使用' });
      await citizenScreen.shows(id, 'FED_BACK');
      for (const action of ['startIncidentVerification', 'passIncident', 'closeIncident'])
        await county.act(action, id);

      await waitFor('the hotline to tell who called', async () => {
        const told = await county.get<Whole>(THE_WHOLE, { id });
        const called = told.incident.notifications.filter(({ channel }) => channel === 'HOTLINE');
        return called.every(({ state }) => state === 'SENT');
      });
      const { incident } = await county.get<Whole>(THE_WHOLE, { id });
      expect(incident).toMatchObject({
        state: 'CLOSED',
        urbanManagementCase: { id: caseNo, result: '已修复，恢复正常使用' },
      });
      // By the time of each report, which the hotline keeps to the second.
      expect(incident.reporters.map(({ kind, channel }) => `${kind} ${channel}`).toSorted()).toEqual([
        'CITIZEN HOTLINE',
        'CITIZEN WECHAT',
        'EXTERNAL_SYSTEM SYSTEM_PUSH',
      ]);
      expectAllTold(incident);

      // Each client was shown the whole of it, from the first report to the end.
      const shown = await citizenScreen.showsAll(id, incident.steps);
      expect(kindsOf(shown)).toEqual([
        ...['REPORTED', 'ABSORBED', 'ABSORBED', 'ACCEPTED', 'ROUTED', 'SIGNED', 'FED_BACK'],
        ...['VERIFICATION_STARTED', 'VERIFIED', 'CLOSED'],
      ]);
      expect(await countyScreen.showsAll(id, incident.steps)).toEqual(shown);
      await citizen.act('evaluateIncident', id, 'rating: 5');

      // Who asks for one of the others, or by the hotline's number, comes to the survivor.
      for (const one of merged) {
        const answer = await county.get<{ incident: unknown }>(
          'query ($id: ID!) { incident(id: $id) { state mergedInto { id } } }',
          { id: one },
        );
        expect(answer.incident).toEqual({ state: 'MERGED', mergedInto: { id } });
        expect(kindsOf(countyScreen.changesOf(one))).toEqual(['REPORTED', 'MERGED']);
      }
      const { incident: numbered } = await county.get<{ incident: { hotlineOrder: { id: string } } }>(
        THE_WHOLE,
        { id },
      );
      expect(await incidentOf(county, 'hotlineOrder', numbered.hotlineOrder.id)).toBe(id);
      const apart = await county.get<{ incident: unknown }>(
        'query ($id: ID!) { incident(id: $id) { state mergedInto { id } } }',
        { id: other },
      );
      expect(apart.incident).toEqual({ state: 'REPORTED', mergedInto: null });

      // In the evidence, each merging stands in both chains, by the rule that allowed it.
      await countyScreen.shows(id, 'EVALUATED');
      const evidence = await evidenceOf(auditor, id, countyScreen.changesOf(id));
      const absorbed = evidence.filter(({ action }) => action === 'ABSORBED');
      for (const one of merged) {
        const [, end] = await evidenceOf(auditor, one, countyScreen.changesOf(one));
        expect(end).toMatchObject({ action: 'MERGED', authority: { rule: 'DUPLICATE' } });
        expect(absorbed.some(({ details }) => details.some(({ value }) => value.includes(one)))).toBe(true);
      }
      // The department has it once.
      expect(await statsOf(hub, 'urban-management')).toMatchObject({ works: 1 });
      await citizenScreen.close();
      await countyScreen.close();
    },
    STORY_MS_MAX,
  );
});
