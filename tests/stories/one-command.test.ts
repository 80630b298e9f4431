import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '@weft/core/process-table';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Hub, postgresPid, removeHome, startHub } from '../support/hub.ts';
import { subscribe, untilLive } from '../support/live.ts';
import { callHotline, callPolice, moveOrder } from '../support/simulated.ts';
import { waitFor } from '../support/wait.ts';
import { weft } from '../support/weft.ts';

const COMMUNITY = '320508017003';

const ONE_INCIDENT = `query ($number: ID!) {
  incidentByExternalNumber(kind: "hotlineOrder", number: $number) {
    id title state stateLabel channelLabel address matter { code name }
    division { code name fullName ancestors { code name level } centre { name } }
    hotlineOrder { id title status kind }
    grid { code name community worker { id name post } patrols { startedAt metres worker { id } } }
    policeCase { receiptNo status category place unit }
    externalNumbers { kind number source }
    steps { sequence kind to by }
  }
  systems { name title kind state }
}`;

const LIVE = `subscription ($division: ID) {
  incidentChanged(division: $division) {
    cursor gap { reason }
    change { kind to }
    incident {
      id title
      hotlineOrder { id title status }
      grid { name worker { name } }
      policeCase { status place }
      division { fullName }
    }
  }
}`;

const RESUME = LIVE.replace('($division: ID)', '($division: ID, $after: Cursor)').replace(
  '(division: $division)',
  '(division: $division, after: $after)',
);

interface Live {
  readonly incidentChanged: {
    readonly cursor: string;
    readonly gap: unknown;
    readonly change: { kind: string; to: string };
    readonly incident: {
      readonly id: string;
      readonly title: string;
      readonly hotlineOrder: { id: string; title: string; status: string };
      readonly grid: { name: string; worker: { name: string } };
      readonly policeCase: { status: string; place: string };
      readonly division: { fullName: string };
    };
  };
}

/** The id of the incident that an order becomes. */
function incidentOf(hub: Hub, orderNo: string): Promise<string> {
  return waitFor('the incident', async () => {
    const { data } = await hub.query<{ incidentByExternalNumber: { id: string } | null }>(
      'query ($n: ID!) { incidentByExternalNumber(kind: "hotlineOrder", number: $n) { id } }',
      { n: orderNo },
    );
    return data?.incidentByExternalNumber?.id;
  });
}

describe('the hub, started by one command', () => {
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(async () => {
    await hub.stop();
    removeHome(hub.home);
  });

  it('takes a token that `weft token` prints, and no other', async () => {
    const { stdout } = await weft(hub.home, 'token', '--role', 'duty-officer', '--division', '320508');
    const status = async (token: string) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const body = '{"query":"{ systems { name } }"}';
      return (await fetch(hub.urls.graphql ?? '', { method: 'POST', headers, body })).status;
    };
    expect(await status(stdout.trim())).toBe(200);
    expect(await status(`${stdout.trim().slice(0, -4)}AAAA`)).toBe(401);
  });

  it('answers one query over every subgraph for one incident', async () => {
    const receiptNo = await callPolice(hub, 'story-1', '白洋湾街道𠮷庆里1号');
    const orderNo = await callHotline(hub, {
      externalRef: 'story-1',
      subject: '路灯不亮',
      content: '路灯不亮，夜间有人滋事',
      kind: '3',
      areaCode: COMMUNITY,
      address: '路南社区',
      receiptNo,
      itemCode: '01037',
    });
    const incident = await waitFor('the incident', async () => {
      const { data } = await hub.query<{ incidentByExternalNumber: unknown }>(ONE_INCIDENT, {
        number: orderNo,
      });
      return data?.incidentByExternalNumber ?? undefined;
    });
    expect(incident).toMatchObject({
      title: '路灯不亮',
      state: 'REPORTED',
      stateLabel: '待受理',
      channelLabel: '热线电话',
      matter: { code: '01037', name: '路灯异常' },
      division: {
        code: COMMUNITY,
        name: '路南社区居委会',
        ancestors: [
          { code: '32', name: '江苏省', level: 1 },
          { code: '3205', name: '苏州市', level: 2 },
          { code: '320508', name: '姑苏区', level: 3 },
          { code: '320508017', name: '白洋湾街道', level: 4 },
        ],
      },
      hotlineOrder: { id: orderNo, title: '路灯不亮', status: 'PENDING', kind: 'COMPLAINT' },
      grid: { community: COMMUNITY, worker: { name: expect.stringMatching(/^网格员/) } },
      policeCase: { receiptNo, category: 'PUBLIC_ORDER', place: '白洋湾街道𠮷庆里1号' },
      steps: [{ sequence: 1, kind: 'REPORTED', to: 'REPORTED' }],
    });
    const { data, errors } = await hub.query<{ systems: { name: string; state: string }[] }>(
      '{ systems { name state } }',
    );
    expect(errors).toBeUndefined();
    expect(data?.systems.map(({ name }) => name)).toEqual([
      'connectors',
      'directory',
      'grid',
      'hotline',
      'human-resources',
      'incidents',
      'market-supervision',
      'police',
      'registry',
      'urban-management',
    ]);
  });

  it('brings an order within 1 s of the call to a subscriber, with fields of three old systems in the event', async () => {
    const subscriber = subscribe<Live>(hub, LIVE, { division: '320508' });
    await untilLive(hub, subscriber, COMMUNITY);
    const receiptNo = await callPolice(hub, 'story-2', '平江街道');
    const delaysMs: number[] = [];
    for (let n = 0; n < 5; n++) {
      const calledAtMs = performance.now();
      const title = `噪声扰民${n}`;
      const orderNo = await callHotline(hub, {
        externalRef: `story-2-${n}`,
        subject: title,
        areaCode: COMMUNITY,
        receiptNo,
      });
      const { answer, atMs } = await subscriber.arrival(
        title,
        (data) => data.incidentChanged.incident.title === title,
      );
      delaysMs.push(atMs - calledAtMs);
      expect(answer.errors).toBeUndefined();
      expect(answer.data?.incidentChanged).toMatchObject({
        gap: null,
        change: { kind: 'REPORTED', to: 'REPORTED' },
        incident: {
          hotlineOrder: { id: orderNo, status: 'PENDING' },
          grid: { worker: { name: expect.stringMatching(/^网格员/) } },
          policeCase: { place: '平江街道' },
          division: { fullName: expect.stringContaining('姑苏区') },
        },
      });
    }
    await subscriber.end();
    console.log(`from the call to the subscriber, ms: ${delaysMs.map((ms) => ms.toFixed(0)).join(' ')}`);
    expect(Math.max(...delaysMs)).toBeLessThan(1_000);
  });

  it('goes on from a cursor without a loss or a double', async () => {
    const before = subscribe<Live>(hub, LIVE, { division: COMMUNITY });
    await untilLive(hub, before, COMMUNITY);
    await callHotline(hub, { externalRef: 'story-3-0', subject: '第0件', areaCode: COMMUNITY });
    const last = await before.arrival('第0件', (data) => data.incidentChanged.incident.title === '第0件');
    await before.end();
    for (let n = 1; n <= 5; n++) {
      await callHotline(hub, { externalRef: `story-3-${n}`, subject: `第${n}件`, areaCode: COMMUNITY });
    }
    const resumed = subscribe<Live>(hub, RESUME, {
      division: COMMUNITY,
      after: last.answer.data?.incidentChanged.cursor,
    });
    await resumed.arrival('第5件', (data) => data.incidentChanged.incident.title === '第5件');
    const titles = resumed.arrivals.map(({ answer }) => answer.data?.incidentChanged.incident.title);
    expect(titles.sort()).toEqual(['第1件', '第2件', '第3件', '第4件', '第5件']);
    await resumed.end();
  });

  it('accepts and routes an incident, and refuses a step that its state does not allow', async () => {
    const orderNo = await callHotline(hub, {
      externalRef: 'story-4',
      subject: '暴露垃圾',
      areaCode: COMMUNITY,
    });
    const id = await waitFor('the incident', async () => {
      const { data } = await hub.query<{ incidentByExternalNumber: { id: string } | null }>(
        'query ($n: ID!) { incidentByExternalNumber(kind: "hotlineOrder", number: $n) { id } }',
        { n: orderNo },
      );
      return data?.incidentByExternalNumber?.id;
    });
    const route =
      'mutation ($id: ID!) { routeIncident(id: $id, department: "urban-management", by: "320508") { state department { name } steps { kind } } }';
    const early = await hub.query(route, { id });
    expect(early.errors?.[0]).toMatchObject({ path: ['routeIncident'], extensions: { code: 'CONFLICT' } });
    const accepted = await hub.query(
      'mutation ($id: ID!) { acceptIncident(id: $id, by: "320508") { state stateLabel } }',
      { id },
    );
    expect(accepted).toEqual({ data: { acceptIncident: { state: 'ACCEPTED', stateLabel: '受理' } } });
    const routed = await hub.query(route, { id });
    expect(routed.data).toEqual({
      routeIncident: {
        state: 'ROUTED',
        department: { name: '城管' },
        steps: [{ kind: 'REPORTED' }, { kind: 'ACCEPTED' }, { kind: 'ROUTED' }],
      },
    });
  });

  it('shows a change in the old system at the next question', async () => {
    const orderNo = await callHotline(hub, {
      externalRef: 'story-5',
      subject: '道路破损',
      areaCode: COMMUNITY,
    });
    await moveOrder(hub, orderNo, '50');
    await waitFor('the closed order', async () => {
      const { data } = await hub.query<{
        incidentByExternalNumber: { hotlineOrder: { status: string } } | null;
      }>(
        'query ($n: ID!) { incidentByExternalNumber(kind: "hotlineOrder", number: $n) { hotlineOrder { status } } }',
        { n: orderNo },
      );
      return data?.incidentByExternalNumber?.hotlineOrder.status === 'CLOSED';
    });
  });

  it('brings the inbox of a centre to its staff, and then what comes to it and leaves it', async () => {
    const centre = `${COMMUNITY}-01`;
    const token = (
      await weft(hub.home, 'token', '--role', 'centre-staff', '--division', '320508')
    ).stdout.trim();
    // A snapshot of nothing would bring no message.
    const order = { externalRef: 'waiting', subject: '待办', areaCode: COMMUNITY };
    await incidentOf(hub, await callHotline(hub, order));
    const connectionParams = { authorization: `Bearer ${token}` };
    const client = createClient({ url: hub.urls.ws ?? '', webSocketImpl: WebSocket, connectionParams });
    type Incident = {
      readonly id: string;
      readonly title: string;
      readonly centre: { readonly code: string };
    };
    type Message = { readonly change: { readonly kind: string } | null; readonly incident: Incident };
    const query = `subscription ($centre: ID!) { centreInboxChanged(centre: $centre, from: SNAPSHOT) {
      change { kind } incident { id title centre { code } } } }`;
    const events = client.iterate<{ centreInboxChanged: Message }>({ query, variables: { centre } });
    const until = async (fits: (message: Message) => boolean): Promise<Message> => {
      for (;;) {
        const { value, done } = await events.next();
        if (done === true) throw new Error('the subscription ended');
        const message = value.data?.centreInboxChanged;
        expect(value.errors).toBeUndefined();
        if (message !== undefined && fits(message)) return message;
      }
    };
    await callHotline(hub, { externalRef: 'elsewhere', subject: '他处', areaCode: '320508018001' });
    const waiting = await until(({ change }) => change === null);
    expect(waiting.incident.centre.code).toBe(centre);
    await callHotline(hub, { externalRef: 'inbox', subject: '新到', areaCode: COMMUNITY });
    const { incident } = await until(({ change, incident: { title } }) => {
      expect(title).not.toBe('他处');
      return change?.kind === 'REPORTED' && title === '新到';
    });
    await fetch(hub.urls.graphql ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...connectionParams },
      body: JSON.stringify({ query: `mutation { escalateIncident(id: "${incident.id}") { id } }` }),
    });
    const left = await until(({ change }) => change?.kind === 'ESCALATED');
    expect(left.incident).toMatchObject({ id: incident.id, centre: { code: '320508017-01' } });
    await events.return?.();
    await client.dispose();
  });

  it('has no subgraph that answers anybody but the gateway', async () => {
    const subgraphs = Object.entries(hub.urls).filter(([name]) => name.startsWith('subgraph/'));
    expect(subgraphs).toHaveLength(10);
    for (const [, url] of subgraphs) {
      const headers = { 'content-type': 'application/json' };
      const body = '{"query":"{ _service { sdl } }"}';
      expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(401);
    }
  });

  it('serves the page and the explorer with all their assets from itself', async () => {
    for (const path of ['/', '/explorer']) {
      const page = await fetch(new URL(path, hub.urls.graphql));
      expect(page.status).toBe(200);
      const html = await page.text();
      expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
      const assets = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1] ?? '');
      expect(assets.length).toBeGreaterThan(1);
      for (const asset of assets) {
        expect((await fetch(new URL(asset, page.url))).status, asset).toBe(200);
      }
    }
  });
});

describe('Ctrl-C', { timeout: 120_000 }, () => {
  it('stops every process that was started, and what was acknowledged is there at the next start', async () => {
    const first = await startHub();
    const orderNo = await callHotline(first, { externalRef: 'kept', subject: '留存', areaCode: COMMUNITY });
    const pids = [
      ...[
        'gateway',
        'subgraphs',
        'connectors',
        'events',
        'city',
        'hotline',
        'grid',
        'police',
        'departments',
      ].map((part) => first.pid(part)),
      ...postgresPid(first.home),
    ];
    expect(pids).toHaveLength(10);
    expect(await first.stop()).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(first.home, 'run.json'))).toBe(false);

    const second = await startHub({ home: first.home });
    const title = await waitFor('the order of the first run', async () => {
      const { data } = await second.query<{ incidentByExternalNumber: { title: string } | null }>(
        'query ($n: ID!) { incidentByExternalNumber(kind: "hotlineOrder", number: $n) { title } }',
        { n: orderNo },
      );
      return data?.incidentByExternalNumber?.title;
    });
    expect(title).toBe('留存');
    await second.stop();
    removeHome(first.home);
  });
});
