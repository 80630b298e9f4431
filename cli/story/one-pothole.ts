// Story 2: WeChat, the hotline and a camera report the same hole: one incident, three reporters, all told of the end.
import { isDelivered } from './incidents.ts';
import type { Department } from './old-systems.ts';
import type { Person } from './people.ts';
import type { Screen } from './screen.ts';
import { COMMUNITY, COUNTY, type Stage, type Story } from './story.ts';

interface Cast {
  readonly stage: Stage;
  readonly citizen: Person;
  readonly camera: Person;
  readonly county: Person;
  readonly citizenScreen: Screen;
  readonly countyScreen: Screen;
  readonly urban: Department;
}

/** 06013 道路破损 */
const MATTER = '06013';
/** Degrees of latitude for a metre. */
const METRE = 1 / 111_195;
/** Each play has a place of its own, or it would find the hole of one that was broken off. */
const SPREAD_DEGREES = 0.02;

const REPORT = 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }';

export const ONE_POTHOLE: Story = {
  number: 2,
  name: 'One pothole, three reporters',
  shows:
    'WeChat, hotline and a camera report the same hole: one incident, three reporters, all told of the end',
  async play(stage) {
    const cast = await castOf(stage);
    const id = await reportThrice(cast);
    await mend(cast, id);
    await end(cast, id);
  },
};

async function castOf(stage: Stage): Promise<Cast> {
  const [citizen, camera, county] = await Promise.all([
    stage.enter('citizen', { role: 'citizen', subject: `story-wechat-${stage.mark}` }),
    stage.enter('video platform', { role: 'operator', subject: '视频平台', division: COUNTY }),
    stage.enter('county centre', { role: 'duty-officer', subject: '姑苏区中心值班席', division: COUNTY }),
  ]);
  const [citizenScreen, countyScreen, urban] = await Promise.all([
    stage.watch('the citizen, live', citizen, COMMUNITY),
    stage.watch('county centre 姑苏区, live', county, COUNTY),
    stage.department('urban-management'),
  ]);
  return { stage, citizen, camera, county, citizenScreen, countyScreen, urban };
}

async function reportThrice(cast: Cast): Promise<string> {
  const { stage, citizen, camera, citizenScreen, countyScreen } = cast;
  const hole = {
    longitude: 120.58 + Math.random() * SPREAD_DEGREES,
    latitude: 31.33 + Math.random() * SPREAD_DEGREES,
  };
  const metresNorth = (metres: number) => ({ ...hole, latitude: hole.latitude + metres * METRE });
  const report = async (person: Person, input: Readonly<Record<string, unknown>>) => {
    const { reportIncident } = await person.get<{ reportIncident: { id: string } }>(REPORT, {
      input: { matter: MATTER, division: COMMUNITY, ...input },
    });
    return reportIncident.id;
  };
  const id = await stage.step({
    who: '群众 a citizen',
    what: 'reports a hole in the road by WeChat',
    act: () =>
      report(citizen, {
        requestId: `${stage.mark}-wechat`,
        channel: 'WECHAT',
        title: `路上有个大坑${stage.mark}`,
        position: hole,
      }),
    seen: [citizenScreen.shows('REPORTED'), countyScreen.shows('REPORTED')],
  });
  stage.showPlace(id);
  await stage.step({
    who: '群众 another citizen',
    what: 'calls 12345 about it, 30 m away by the map of the hotline',
    act: () =>
      stage.hotline.call({
        externalRef: stage.mark,
        subject: `路面塌陷${stage.mark}`,
        areaCode: COMMUNITY,
        itemCode: MATTER,
        ...metresNorth(30),
      }),
    seen: [countyScreen.shows('MERGED'), countyScreen.shows('ABSORBED'), citizenScreen.shows('ABSORBED')],
  });
  await stage.step({
    who: '视频平台 a camera',
    what: 'sees it, 40 m to the other side',
    act: () =>
      report(camera, {
        requestId: `${stage.mark}-camera`,
        channel: 'SYSTEM_PUSH',
        title: `视频识别：路面坑洞${stage.mark}`,
        position: metresNorth(-40),
        reporters: [{ kind: 'EXTERNAL_SYSTEM', name: '视频智能识别' }],
      }),
    seen: [countyScreen.shows('MERGED'), countyScreen.shows('ABSORBED'), citizenScreen.shows('ABSORBED')],
  });
  return id;
}

async function mend({ stage, county, citizenScreen, countyScreen, urban }: Cast, id: string): Promise<void> {
  await stage.step({
    who: '区中心 the county centre',
    what: 'accepts it, once for all three',
    act: () => county.act('acceptIncident', id, 'remark: "予以受理"'),
    seen: [citizenScreen.shows('ACCEPTED'), countyScreen.shows('ACCEPTED')],
  });
  const work = isDelivered(county, id, { attempt: 1, where: `${urban.label}, its own system` });
  await stage.step({
    who: '区中心 the county centre',
    what: 'routes it to urban management, whose system is asked by signed REST in its categories of 2013',
    act: () => county.act('routeIncident', id, 'department: "urban-management", remark: "请尽快修复"'),
    seen: [citizenScreen.shows('ROUTED'), countyScreen.shows('ROUTED'), work],
  });
  await stage.step({
    who: '城管 urban management',
    what: 'signs for it in its own system: stage 2',
    act: () => urban.move(work.value(), { state: '2' }),
    seen: [citizenScreen.shows('SIGNED'), countyScreen.shows('SIGNED')],
  });
  await stage.step({
    who: '城管 urban management',
    what: 'mends it: stage 5, 已修复，恢复正常使用',
    act: () => urban.move(work.value(), { state: '5', result: '已修复，恢复正常使用' }),
    seen: [citizenScreen.shows('FED_BACK'), countyScreen.shows('FED_BACK')],
  });
}

interface Told {
  readonly incident: {
    readonly reporters: readonly { readonly channelLabel: string }[];
    readonly notifications: readonly {
      readonly kind: string;
      readonly channel: string;
      readonly channelLabel: string;
      readonly state: string;
      readonly system: string | null;
    }[];
  };
}

type Notification = Told['incident']['notifications'][number];

const UNSENT: Readonly<Record<string, string>> = {
  PENDING: 'no system sends it',
  NO_RECIPIENT: 'a machine: nobody to tell',
};

function describeNotification({ channelLabel, state, system }: Notification): string {
  if (system !== null) return `${channelLabel} ${state} by ${system}`;
  return `${channelLabel} ${state} (${UNSENT[state] ?? 'they read it here'})`;
}

async function end({ stage, county, citizenScreen, countyScreen }: Cast, id: string): Promise<void> {
  await stage.step({
    who: '区中心 the county centre',
    what: 'verifies and closes it',
    async act() {
      await county.act('startIncidentVerification', id);
      await county.act('passIncident', id);
      await county.act('closeIncident', id);
    },
    seen: [
      citizenScreen.shows('CLOSED'),
      countyScreen.shows('CLOSED'),
      {
        where: 'the three reporters, of 办结',
        what: 'three notifications of the end',
        async look() {
          const { incident } = await county.get<Told>(
            'query ($id: ID!) { incident(id: $id) { reporters { channelLabel } notifications { kind channel channelLabel state system } } }',
            { id },
          );
          const ofTheEnd = incident.notifications.filter(({ kind }) => kind === 'CLOSED');
          if (ofTheEnd.length < incident.reporters.length) return undefined;
          // The hotline has its own in a moment. Behind the camera nobody waits.
          const isWaiting = ofTheEnd.some(
            ({ channel, state }) => channel === 'HOTLINE' && state === 'PENDING',
          );
          return isWaiting ? undefined : ofTheEnd.map(describeNotification).join(', ');
        },
      },
    ],
  });
}
