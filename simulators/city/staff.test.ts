import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../test-support.ts';
import { openControl } from './control.ts';
import { MATTERS, type Matter } from './matters.ts';
import { departmentFor, Staff, type ToldStory } from './staff.ts';
import { startDemoStream } from './stream.ts';

interface Asked {
  readonly operation: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** A hub that writes down what it is asked, and a hotline whose orders are its incidents, by the order's number. */
interface RecordingHub extends AsyncDisposable {
  readonly url: string;
  readonly hotlineControl: string;
  readonly asked: Asked[];
  readonly incidents: Map<string, { readonly id: string; readonly title: string; state: string }>;
}

async function startRecordingHub(port = 0): Promise<RecordingHub> {
  const asked: Asked[] = [];
  const incidents: RecordingHub['incidents'] = new Map();
  const move = (id: string, state: string) => {
    const incident = [...incidents.values()].find((one) => one.id === id);
    if (incident !== undefined) incident.state = state;
    return incident;
  };
  const answer = ({ operation, variables }: Asked): object => {
    switch (operation) {
      case 'FindTold':
        return { incidentByExternalNumber: incidents.get(variables.number ?? '') ?? null };
      case 'AcceptTold':
        return { acceptIncident: move(variables.id ?? '', 'ACCEPTED') ?? null };
      case 'RouteTold':
        return { routeIncident: move(variables.id ?? '', 'ROUTED') ?? null };
      default:
        throw new Error(`not expected: ${operation}`);
    }
  };
  const answerQuery = ({ query, variables }: { query: string; variables: Asked['variables'] }) => {
    const one = { operation: /\w+ (\w+)/.exec(query)?.[1] ?? '', variables };
    asked.push(one);
    return { data: answer(one) };
  };
  const takeOrder = (title: string) => {
    const orderNo = `GS${incidents.size}`;
    incidents.set(orderNo, { id: `id-${orderNo}`, title, state: 'REPORTED' });
    return [{ orderNo }];
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
      query: string;
      variables: Asked['variables'];
      subject: string;
    };
    const reply = request.url === '/graphql' ? answerQuery(body) : takeOrder(body.subject);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${base}/graphql`,
    hotlineControl: `${base}/_control`,
    asked,
    incidents,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const matterOf = (code: string) => MATTERS.find((matter) => matter.code === code) as Matter;
const story = (number: string, code = '06001'): ToldStory => ({
  kind: 'hotlineOrder',
  number,
  title: `故事${number}`,
  matter: matterOf(code),
});

describe("the centre's staff", () => {
  let closing: AbortController;
  let hub: RecordingHub;
  beforeEach(async () => {
    closing = new AbortController();
    hub = await startRecordingHub();
  });
  afterEach(async () => {
    closing.abort();
    await hub[Symbol.asyncDispose]();
  });

  /** Steps each time they are asked; `draws` says in turn whether it is a route (below 0.5) or not. */
  function staffWith(draws: readonly number[], everyMsMin = 0): Staff {
    let turn = 0;
    const numbers = draws.flatMap((draw) => [0, draw]);
    return new Staff({
      hub: openControl({ system: undefined, url: hub.url, closing: closing.signal }),
      random: () => numbers[turn++ % numbers.length] ?? 0,
      everyMsMin,
    });
  }
  const operations = () => hub.asked.map(({ operation }) => operation);

  test('accept the oldest story that they heard, and route it later to the department of its matter', async () => {
    const staff = staffWith([0.9, 0.1]);
    for (const number of ['1', '2']) {
      staff.hear(story(number, '09001'));
      hub.incidents.set(number, { id: `id-${number}`, title: `故事${number}`, state: 'REPORTED' });
    }
    await staff.workOn();
    expect(operations()).toEqual(['FindTold', 'AcceptTold']);
    expect(hub.incidents.get('1')?.state).toBe('ACCEPTED');
    await staff.workOn();
    expect(hub.incidents.get('1')?.state).toBe('ROUTED');
    expect(hub.asked.at(-1)?.variables).toEqual({
      id: 'id-1',
      department: 'market-supervision',
      by: '指挥中心值班席',
    });
    expect(hub.incidents.get('2')?.state).toBe('REPORTED');
  });

  test('leave alone what has another title, and what somebody has moved already', async () => {
    const staff = staffWith([0.9]);
    staff.hear(story('1'));
    staff.hear(story('2'));
    hub.incidents.set('1', { id: 'id-1', title: '别人的事件', state: 'REPORTED' });
    hub.incidents.set('2', { id: 'id-2', title: '故事2', state: 'ACCEPTED' });
    for (let turn = 0; turn < 4; turn += 1) await staff.workOn();
    expect(operations()).toEqual(['FindTold', 'FindTold']);
  });

  test('look again for what has not arrived, and forget it after five looks', async () => {
    const staff = staffWith([0.9]);
    staff.hear(story('1'));
    for (let turn = 0; turn < 8; turn += 1) await staff.workOn();
    expect(operations()).toEqual(Array.from({ length: 5 }, () => 'FindTold'));
  });

  test('take no second step before the least time has passed, however often they are asked', async () => {
    const staff = staffWith([0.9], 60_000);
    staff.hear(story('1'));
    for (let turn = 0; turn < 50; turn += 1) await staff.workOn();
    expect(operations()).toEqual(['FindTold']);
  });

  test('do nothing in four of five turns', async () => {
    let draws = 0;
    // Each turn takes two numbers: 0, 0.1, 0.2 … as the first.
    const random = () => (draws++ % 2 === 0 ? ((draws >> 1) % 10) / 10 : 0.9);
    const control = openControl({ system: undefined, url: hub.url, closing: closing.signal });
    const staff = new Staff({ hub: control, random, everyMsMin: 0 });
    for (let number = 0; number < 100; number += 1) {
      staff.hear(story(String(number)));
      hub.incidents.set(String(number), { id: `id-${number}`, title: `故事${number}`, state: 'REPORTED' });
    }
    for (let turn = 0; turn < 100; turn += 1) await staff.workOn();
    expect(operations().filter((operation) => operation === 'AcceptTold')).toHaveLength(20);
  });

  test('say nothing and lose nothing while the hub is away', async () => {
    const { port } = new URL(hub.url);
    await hub[Symbol.asyncDispose]();
    const staff = staffWith([0.9]);
    staff.hear(story('1'));
    for (let turn = 0; turn < 20; turn += 1) await staff.workOn();
    hub = await startRecordingHub(Number(port));
    hub.incidents.set('1', { id: 'id-1', title: '故事1', state: 'REPORTED' });
    await until('the story to be accepted', async () => {
      await staff.workOn();
      return hub.incidents.get('1')?.state === 'ACCEPTED' ? true : undefined;
    });
  });

  test('have a department for every matter, and it is one of the hub', () => {
    const departments = new Set(MATTERS.map(departmentFor));
    expect([...departments].toSorted()).toEqual([
      'civil-affairs',
      'environment',
      'market-supervision',
      'police',
      'urban-management',
      'work-safety',
    ]);
  });
});

describe('the city', () => {
  test('has its own incidents accepted and routed, and when it is quiet asks for nothing', async () => {
    await using hub = await startRecordingHub();
    await using quietHub = await startRecordingHub();
    const start = ({ url, hotlineControl }: RecordingHub, ratePerMinute: number) =>
      startDemoStream({
        ratePerMinute,
        seed: 1,
        controlUrls: { hotline: hotlineControl, grid: undefined, police: undefined },
        hubUrl: url,
      });
    const cities = [start(hub, 6_000), start(quietHub, 0)];
    await until('a routed incident', () =>
      [...hub.incidents.values()].some(({ state }) => state === 'ROUTED') ? true : undefined,
    );
    for (const city of cities) await city.close();
    expect(quietHub.asked).toEqual([]);
    expect(quietHub.incidents.size).toBe(0);
  });
});
