// Story 1: a wage complaint goes to market supervision, comes back, goes to human resources, and is settled there.
import { becomesIncident, isDelivered } from './incidents.ts';
import type { Department } from './old-systems.ts';
import type { Person } from './people.ts';
import type { Screen } from './screen.ts';
import { COMMUNITY, COUNTY, type Stage, type Story, TOWN } from './story.ts';

interface Cast {
  readonly stage: Stage;
  readonly town: Person;
  readonly county: Person;
  readonly auditor: Person;
  readonly townScreen: Screen;
  readonly countyInbox: Screen;
  readonly market: Department;
  readonly resources: Department;
}

const TOWN_CENTRE = 'town centre 白洋湾街道, live';
const COUNTY_CENTRE = 'county inbox 姑苏区, live';

export const A_TO_B_TO_C: Story = {
  number: 1,
  name: 'A to B to C',
  shows:
    'a wage complaint by the hotline: returned by one department, settled by the next, verified, rated and reopened',
  async play(stage) {
    const cast = await castOf(stage);
    const id = await report(cast);
    await returnFromMarket(cast, id);
    await settleAtResources(cast, id);
    await closeAndReopen(cast, id);
    await lookBack(cast, id);
  },
};

async function castOf(stage: Stage): Promise<Cast> {
  const [town, county, auditor] = await Promise.all([
    stage.enter('town centre', { role: 'centre-staff', subject: '白洋湾街道中心', division: TOWN }),
    stage.enter('county centre', { role: 'duty-officer', subject: '姑苏区中心值班席', division: COUNTY }),
    stage.enter('auditor', { role: 'auditor', subject: '审计员', division: COUNTY }),
  ]);
  const [townScreen, countyInbox, market, resources] = await Promise.all([
    stage.watch(TOWN_CENTRE, town, TOWN),
    stage.watchInbox(COUNTY_CENTRE, county, `${COUNTY}-01`),
    stage.department('market-supervision'),
    stage.department('human-resources'),
  ]);
  return { stage, town, county, auditor, townScreen, countyInbox, market, resources };
}

async function report({ stage, town, county, townScreen, countyInbox }: Cast): Promise<string> {
  let orderNo = '';
  const incident = becomesIncident(county, 'hotlineOrder', () => orderNo);
  await stage.step({
    who: '群众 a citizen',
    what: 'calls 12345: a restaurant has not paid its wages for two months (REST and webhook)',
    async act() {
      orderNo = await stage.hotline.call({
        externalRef: stage.mark,
        subject: `饭店拖欠三名员工两个月工资${stage.mark}`,
        content: '多次讨要未果',
        kind: '3',
        areaCode: COMMUNITY,
      });
    },
    seen: [townScreen.shows('REPORTED'), incident],
  });
  const id = incident.value();
  stage.showPlace(id);
  await stage.step({
    who: '街道中心 the town centre',
    what: 'hands it up to the county: several departments are concerned',
    act: () => town.act('escalateIncident', id, `centre: "${COUNTY}-01", reason: "涉及多个部门，请区级协调"`),
    seen: [townScreen.shows('ESCALATED'), countyInbox.shows('ESCALATED')],
  });
  await stage.step({
    who: '区中心 the county centre',
    what: 'accepts it',
    act: () => county.act('acceptIncident', id, 'remark: "情况属实，予以受理"'),
    seen: [townScreen.shows('ACCEPTED'), countyInbox.shows('ACCEPTED')],
  });
  return id;
}

async function returnFromMarket(
  { stage, county, townScreen, countyInbox, market }: Cast,
  id: string,
): Promise<void> {
  const petition = isDelivered(county, id, { attempt: 1, where: `${market.label}, its own system` });
  await stage.step({
    who: '区中心 the county centre',
    what: 'routes it to market supervision, whose system is asked in XML behind OAuth 2.0',
    act: () => county.act('routeIncident', id, 'department: "market-supervision", remark: "请核实处置"'),
    seen: [townScreen.shows('ROUTED'), countyInbox.shows('ROUTED'), petition],
  });
  await stage.step({
    who: '市监 market supervision',
    what: 'returns it in its own system: YTH, TH01 (beyond our duties)',
    act: () => market.move(petition.value(), { state: 'YTH', reason: 'TH01' }),
    seen: [townScreen.shows('RETURNED'), countyInbox.shows('RETURNED')],
  });
  await stage.step({
    who: '区中心 the county centre',
    what: 'by mistake routes it to market supervision again',
    async act() {
      const again = 'mutation ($id: ID!) { routeIncident(id: $id, department: "market-supervision") { id } }';
      stage.tell(`refused: ${await county.refusal(again, { id })}, they have returned it`);
    },
  });
}

async function settleAtResources(
  { stage, county, townScreen, countyInbox, resources }: Cast,
  id: string,
): Promise<void> {
  const wageCase = isDelivered(county, id, { attempt: 2, where: `${resources.label}, its own system` });
  await stage.step({
    who: '区中心 the county centre',
    what: 'routes it to human resources, whose system is asked by messages',
    act: () => county.act('routeIncident', id, 'department: "human-resources", remark: "请核实处置"'),
    seen: [townScreen.shows('ROUTED'), countyInbox.shows('ROUTED'), wageCase],
  });
  await stage.step({
    who: '人社 human resources',
    what: 'signs for it in its own system: 02',
    act: () => resources.move(wageCase.value(), { state: '02' }),
    seen: [townScreen.shows('SIGNED'), countyInbox.shows('SIGNED')],
  });
  await stage.step({
    who: '人社 human resources',
    what: 'settles it in its own system: 04, 已督促补发工资',
    act: () => resources.move(wageCase.value(), { state: '04', result: '已督促补发工资' }),
    seen: [townScreen.shows('FED_BACK'), countyInbox.shows('FED_BACK')],
  });
}

async function closeAndReopen(
  { stage, county, townScreen, countyInbox, resources }: Cast,
  id: string,
): Promise<void> {
  await stage.step({
    who: '区中心 the county centre',
    what: 'verifies it',
    async act() {
      await county.act('startIncidentVerification', id);
      await county.act('passIncident', id, 'remark: "电话核实，工资已到账"');
    },
    seen: [townScreen.shows('VERIFIED'), countyInbox.shows('VERIFIED')],
  });
  await stage.step({
    who: '区中心 the county centre',
    what: 'closes it',
    act: () => county.act('closeIncident', id),
    seen: [townScreen.shows('CLOSED'), countyInbox.shows('CLOSED')],
  });
  await stage.step({
    who: '群众 the citizen',
    what: 'rates it 2 of 5 when the centre calls back',
    act: () => county.act('evaluateIncident', id, 'rating: 2, text: "太慢", remark: "电话回访"'),
    seen: [townScreen.shows('EVALUATED'), countyInbox.shows('EVALUATED')],
  });
  const again = isDelivered(county, id, { attempt: 3, where: `${resources.label}, its own system` });
  await stage.step({
    who: '区中心 the county centre',
    what: 'reopens it, for human resources once more',
    act: () => county.act('reopenIncident', id, 'reason: "群众不满意"'),
    seen: [townScreen.shows('REOPENED'), countyInbox.shows('REOPENED'), again],
  });
}

const THE_WHOLE = `query ($id: ID!) { incident(id: $id) {
  stateLabel round rating hotlineOrder { id }
  attempts { number department { name } routedAt outcome returnReasonLabel result externalNumber { number } }
} }`;

interface Whole {
  readonly incident: {
    readonly stateLabel: string;
    readonly round: number;
    readonly rating: number;
    readonly hotlineOrder: { readonly id: string } | null;
    readonly attempts: readonly {
      readonly number: number;
      readonly department: { readonly name: string } | null;
      readonly routedAt: string;
      readonly outcome: string | null;
      readonly returnReasonLabel: string | null;
      readonly result: string | null;
      readonly externalNumber: { readonly number: string } | null;
    }[];
  };
}

async function lookBack({ stage, county, auditor }: Cast, id: string): Promise<void> {
  await stage.step({
    who: '区中心 the county centre',
    what: 'asks for all of it in one query',
    async act() {
      const { incident } = await county.get<Whole>(THE_WHOLE, { id });
      const { stateLabel, round, rating, hotlineOrder, attempts } = incident;
      stage.tell(
        `hotline order ${hotlineOrder?.id ?? '(away)'}: ${stateLabel}, round ${round}, rated ${rating} of 5`,
      );
      for (const one of attempts) {
        const { number, department, routedAt, externalNumber, outcome, returnReasonLabel, result } = one;
        const end = [outcome ?? 'with them', returnReasonLabel, result].filter((part) => part !== null);
        stage.tell(
          `attempt ${number}: ${department?.name} ${externalNumber?.number} at ${routedAt}: ${end.join(', ')}`,
        );
      }
    },
  });
  await stage.step({
    who: '审计 the auditor',
    what: 'reads its evidence',
    async act() {
      const { trace } = await auditor.get<{
        trace: { verifies: boolean; entries: { system: string }[] } | null;
      }>('query ($id: ID!) { trace(incident: $id) { verifies entries { system } } }', { id });
      const systems = [...new Set(trace?.entries.map(({ system }) => system))].join(', ');
      const holds = trace?.verifies === true ? 'holds' : 'DOES NOT HOLD';
      stage.tell(`a chain of ${trace?.entries.length ?? 0} entries, by ${systems}: it ${holds}`);
    },
  });
}
