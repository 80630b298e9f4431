// Departments' own systems behind their SDL: work goes there and comes back, whatever each speaks.
import { join } from 'node:path';
import { compileSystem } from '@weft/connectors/compile/compile';
import { SUBGRAPHS_FOLDER } from '@weft/connectors/system-folders';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoRabbitmq } from '../support/brokers.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { type DepartmentRig, startDepartmentRig } from './department-rig.ts';
import { pick } from './rig.ts';

const whyNot = await whyNoPostgres();
const noRabbitmq = await whyNoRabbitmq();

/** A department as the graph and its own system show it. */
interface Department {
  readonly system: string;
  readonly write: string;
  readonly entity: string;
  readonly key: string;
  readonly kind: string;
  readonly number: RegExp;
  /** The path of one piece of work below `/_control/`. */
  readonly works: string;
  readonly count: string;
  readonly refusal: string;
  readonly states: {
    readonly first: string;
    readonly signed: string;
    readonly returned: string;
    readonly settled: string;
  };
  /** Its code for 超出职责范围. */
  readonly notOurDuty: string;
  readonly resultField: string;
  readonly first: string;
  readonly last: string;
}

const DEPARTMENTS: readonly Department[] = [
  {
    system: 'urban-management',
    write: 'handOverToUrbanManagement',
    entity: 'UrbanManagementCase',
    key: 'id',
    kind: 'urbanManagementCase',
    number: /^CG320508\d{14}$/,
    works: 'works',
    count: 'works',
    refusal: '40301',
    states: { first: '1', signed: '2', returned: '8', settled: '5' },
    notOurDuty: 'H1',
    resultField: 'result',
    first: 'WAITING',
    last: 'FED_BACK',
  },
  {
    system: 'human-resources',
    write: 'handOverToHumanResources',
    entity: 'HumanResourcesCase',
    key: 'id',
    kind: 'humanResourcesCase',
    number: /^RS320508\d{14}$/,
    works: 'works',
    count: 'works',
    refusal: '21',
    states: { first: '01', signed: '02', returned: '05', settled: '04' },
    notOurDuty: '1',
    resultField: 'result',
    first: 'RECEIVED',
    last: 'CLOSED',
  },
  {
    system: 'market-supervision',
    write: 'handOverToMarketSupervision',
    entity: 'MarketPetition',
    key: 'id',
    kind: 'marketPetition',
    number: /^SJ\d{14}$/,
    works: 'works',
    count: 'works',
    refusal: 'E20',
    states: { first: 'DSL', signed: 'YSL', returned: 'YTH', settled: 'YBJ' },
    notOurDuty: 'TH01',
    resultField: 'reply',
    first: 'WAITING',
    last: 'CLOSED',
  },
  {
    system: 'police',
    write: 'handOverToPolice',
    entity: 'PoliceCase',
    key: 'receiptNo',
    kind: 'policeReceipt',
    number: /^JJ320508\d{14}$/,
    works: 'cases',
    count: 'cases',
    refusal: '4',
    states: { first: '0', signed: '1', returned: '9', settled: '3' },
    notOurDuty: '01',
    resultField: 'result',
    first: 'RECEIVED',
    last: 'CLOSED',
  },
];

function suite(protocol: 'amqp' | 'mqtt', departments: readonly Department[]): void {
  let rig: DepartmentRig;
  beforeAll(async () => {
    rig = await startDepartmentRig(protocol);
  });
  afterAll(() => rig?.close());

  describe.each(departments)('$system', (department) => {
    const { system, write, entity, key, kind, works, states } = department;
    const handOver = async (incident: string, more: object = {}) => {
      const { data, errors } = await rig.query(
        system,
        `mutation ($i: ID!, $r: ID!, $m: ID, $d: ID, $a: String) {
          receipt: ${write}(incident: $i, requestId: $r, title: "𠮷庆里乱堆杂物", description: "市民反映", matter: $m, division: $d, address: $a) {
            outcome upstreamRef code
          }
        }`,
        { i: incident, r: `${incident}:1`, m: '06036', d: '320508018014', a: '𠮷庆里1号', ...more },
      );
      expect(errors).toBeUndefined();
      return pick(data, 'receipt') as { outcome: string; upstreamRef: string | null; code: string | null };
    };
    const number = async (incident: string) => {
      const { outcome, upstreamRef } = await handOver(incident);
      expect([outcome, upstreamRef]).toEqual(['APPLIED', expect.stringMatching(department.number)]);
      return upstreamRef ?? '';
    };
    const move = (no: string, state: string, more: object = {}) =>
      rig.control(system, `${works}/${no}/state`, 'POST', { state, ...more });
    const count = async () => Number((await rig.control(system, 'stats'))[department.count]);
    const read = async (nos: readonly string[]) => {
      const { data, errors } = await rig.query(
        system,
        `query ($r: [_Any!]!) { _entities(representations: $r) {
          ... on ${entity} { ${key} status rawStatus returnReason rawReturnReason result: ${department.resultField} } } }`,
        { r: nos.map((no) => ({ __typename: entity, [key]: no })) },
      );
      expect(errors).toBeUndefined();
      return pick(data, '_entities');
    };
    const progress = (no: string, state: string) =>
      waitFor(`${no} to be ${state}`, async () => {
        const rows = await rig.rows<{ data: Record<string, unknown> }>(
          `SELECT envelope->'data' AS data FROM events.event WHERE topic = 'incident.progress' ORDER BY seq`,
        );
        return rows.map(({ data }) => data).find((data) => data.number === no && data.state === state);
      });

    it('takes work under its own number, once for a client number, and answers many numbers at once', async () => {
      const before = await count();
      const [first, second] = [await number(`${system}-1`), await number(`${system}-2`)];
      expect((await handOver(`${system}-1`)).upstreamRef).toBe(first);
      expect(await count()).toBe(before + 2);
      const asked = await read([second, first, 'NOTHERE']);
      expect(asked).toMatchObject([
        { [key]: second, status: department.first, rawStatus: states.first },
        { [key]: first, returnReason: null },
        null,
      ]);
    });

    it('tells that it signed, that it gave back with a reason, and that it settled with a result', async () => {
      const [returned, settled] = [await number(`${system}-3`), await number(`${system}-4`)];
      await move(settled, states.signed);
      await move(returned, states.returned, { reason: department.notOurDuty });
      await move(settled, states.settled, { result: '已清理完毕' });
      expect(await progress(settled, 'FED_BACK')).toMatchObject({ kind, result: '已清理完毕' });
      expect(await progress(returned, 'RETURNED')).toMatchObject({ kind, reason: 'NOT_OUR_DUTY' });
      expect(await read([returned, settled])).toMatchObject([
        { status: 'RETURNED', returnReason: 'NOT_OUR_DUTY', rawReturnReason: department.notOurDuty },
        { status: department.last, result: '已清理完毕' },
      ]);
      const events = await rig.rows(`SELECT topic, subject FROM events.event`);
      expect(events).toContainEqual({ topic: entity, subject: `${entity}:${settled}` });
    });

    it('tells the reason in its own words where its code table has none for it', async () => {
      const returned = await number(`${system}-own`);
      await move(returned, states.returned, { reason: '不归我们管' });
      expect(await progress(returned, 'RETURNED')).toMatchObject({ kind, reason: '不归我们管' });
    });

    it('refuses work with its own code, and what lacks a needed field', async () => {
      await rig.control(system, 'faults', 'POST', { refuseWork: true });
      try {
        expect(await handOver(`${system}-5`)).toMatchObject({
          outcome: 'REJECTED',
          code: department.refusal,
        });
      } finally {
        await rig.control(system, 'faults', 'DELETE');
      }
      expect(await handOver(`${system}-6`, { d: null })).toMatchObject({ outcome: 'REJECTED' });
    });

    it('takes work once that was handed over while its answers were lost', async () => {
      const before = await count();
      await rig.control(system, 'faults', 'POST', { half: true });
      const { outcome } = await handOver(`${system}-7`);
      expect(['UNKNOWN', 'PENDING']).toContain(outcome);
      await rig.control(system, 'faults', 'DELETE');
      const applied = await waitFor(
        'the fate',
        async () => {
          const receipt = await handOver(`${system}-7`);
          return receipt.outcome === 'APPLIED' && receipt;
        },
        20_000,
      );
      expect(applied.upstreamRef).toMatch(department.number);
      expect(await count()).toBe(before + 1);
    });
  });

  if (protocol === 'amqp')
    it('has the matters of the newer standard both ways', async () => {
      const { data } = await rig.query(
        'urban-management',
        `mutation { receipt: handOverToUrbanManagement(incident: "m", requestId: "m:1", title: "t", matter: "09009", division: "320508") { upstreamRef } }`,
      );
      const id = pick(data, 'receipt', 'upstreamRef');
      const found = await rig.query(
        'urban-management',
        'query ($id: ID!) { urbanManagementCase(id: $id) { matter rawCategory } }',
        { id },
      );
      expect(found.data).toEqual({ urbanManagementCase: { matter: '09009', rawCategory: '0505' } });
    });
}

describe.skipIf(whyNot !== undefined || noRabbitmq !== undefined)('departments', { timeout: 30_000 }, () => {
  suite('amqp', DEPARTMENTS);
});

describe.skipIf(whyNot !== undefined)('where no RabbitMQ is', { timeout: 30_000 }, () => {
  suite(
    'mqtt',
    DEPARTMENTS.filter(({ system }) => system === 'human-resources'),
  );
});

describe('the two descriptions of human resources', () => {
  it('have one graph', () => {
    const folder = join(SUBGRAPHS_FOLDER, 'human-resources');
    const [amqp, mqtt] = [folder, join(folder, 'over-mqtt', 'human-resources')].map(
      (one) => compileSystem(one).plan,
    );
    expect(mqtt?.name).toBe(amqp?.name);
    expect(mqtt?.storedSdl).toBe(amqp?.storedSdl);
  });
});
