// What departments' systems say of their own open work, each in its own protocol, as the subgraph `connectors` tells it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoRabbitmq } from '../support/brokers.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { type DepartmentRig, startDepartmentRig } from './department-rig.ts';

const whyNot = await whyNoPostgres();
const noRabbitmq = await whyNoRabbitmq();
const START_MS_MAX = 60_000;

/** Each with the write by which it gets work, and the state in which that is settled. */
const DEPARTMENTS = {
  'human-resources': { write: 'handOverToHumanResources', works: 'works', settled: '04' },
  'market-supervision': { write: 'handOverToMarketSupervision', works: 'works', settled: 'YBJ' },
  police: { write: 'handOverToPolice', works: 'cases', settled: '3' },
  'urban-management': { write: 'handOverToUrbanManagement', works: 'works', settled: '5' },
} as const;
type Department = keyof typeof DEPARTMENTS;
const NAMES = Object.keys(DEPARTMENTS) as Department[];

interface Count {
  readonly system: { readonly name: string };
  readonly open: number | null;
  readonly state: string;
  readonly reason: string | null;
}

describe.each([
  { protocol: 'amqp' as const, reason: whyNot ?? noRabbitmq },
  { protocol: 'mqtt' as const, reason: whyNot },
])('with human resources on $protocol', ({ protocol, reason }) => {
  describe.skipIf(reason !== undefined)('', () => {
    let rig: DepartmentRig;
    beforeAll(async () => {
      rig = await startDepartmentRig(protocol);
    }, START_MS_MAX);
    afterAll(() => rig?.close(), START_MS_MAX);

    const ask = async (division: string) => {
      const { data, errors } = await rig.query(
        'connectors',
        `query ($of: [_Any!]!) { _entities(representations: $of) { ... on IncidentOverview {
          id systems { system { name } open state reason } } } }`,
        { of: [{ __typename: 'IncidentOverview', id: division }] },
      );
      const [entity] = (data as unknown as { _entities: readonly { systems: readonly Count[] }[] })._entities;
      return { systems: entity?.systems ?? [], errors };
    };
    const opens = async (division: string) =>
      Object.fromEntries((await ask(division)).systems.map(({ system, open }) => [system.name, open]));
    const handOver = async (name: Department, number: number, division: string): Promise<string> => {
      const text = `mutation ($i: ID!, $r: ID!, $d: ID) { receipt: ${DEPARTMENTS[name].write}(
        incident: $i, requestId: $r, title: "占道经营", division: $d, address: "观前街") { outcome upstreamRef } }`;
      const variables = { i: `${name}-${number}`, r: `${name}-${number}:1`, d: division };
      return await waitFor(
        `work of ${name}`,
        async () => {
          const { data } = await rig.query(name, text, variables);
          return (
            (data as unknown as { receipt: { upstreamRef: string | null } }).receipt.upstreamRef ?? undefined
          );
        },
        START_MS_MAX,
      );
    };

    it('counts what lies below a division and is not settled, in the order of the names', async () => {
      for (const name of NAMES) {
        const { works, settled } = DEPARTMENTS[name];
        await handOver(name, 1, '320508017003');
        await handOver(name, 2, '320508018025');
        const done = await handOver(name, 3, '320508017003');
        await rig.control(name, `${works}/${done}/state`, 'POST', { state: settled });
      }
      const { systems, errors } = await ask('320508');
      expect(errors ?? []).toEqual([]);
      expect(systems).toEqual(
        NAMES.toSorted().map((name) => ({ system: { name }, open: 2, state: 'CURRENT', reason: null })),
      );
      for (const [division, open] of [
        ['*', 2],
        ['320508017', 1],
        ['320508018025', 1],
        ['320583', 0],
      ] as const)
        expect(await opens(division), division).toEqual(
          Object.fromEntries(NAMES.map((name) => [name, open])),
        );
    });

    it('gives a count again without asking, and says of each system by itself that it cannot be asked', async () => {
      await rig.control('human-resources', 'faults', 'POST', { refuse: true });
      await rig.control('market-supervision', 'faults', 'POST', { refuse: true });
      expect(await opens('320508')).toMatchObject({ 'human-resources': 2, 'market-supervision': 2 });
      const { systems, errors } = await ask('320508017003');
      expect(systems.map(({ open, state }) => [open, state])).toEqual([
        [null, 'UNKNOWN'],
        [null, 'UNKNOWN'],
        [1, 'CURRENT'],
        [1, 'CURRENT'],
      ]);
      expect(errors).toHaveLength(2);
      for (const [index, name] of ['human-resources', 'market-supervision'].entries())
        expect(errors?.[index]).toMatchObject({
          path: ['_entities', 0, 'systems', index, 'open'],
          extensions: {
            code: expect.stringMatching(/^(UPSTREAM_UNAVAILABLE|DEADLINE_EXCEEDED)$/),
            system: name,
          },
        });
    });
  });
});
