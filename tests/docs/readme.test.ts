import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GraphQLAnswer, type Hub, ROOT, removeHome, startHub } from '../support/hub.ts';
import { subscribe, untilLive } from '../support/live.ts';
import { callHotline, callPolice } from '../support/simulated.ts';
import { waitFor } from '../support/wait.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const simulatorsReadme = readFileSync(join(ROOT, 'simulators', 'README.md'), 'utf8');
const COMMUNITY = '320508017003';

/** The fenced blocks of a language, in order. */
function blocksOf(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    (match) => match[1] ?? '',
  );
}

const documents = new Map(
  blocksOf('graphql').map((text) => [/(?:query|mutation|subscription) (\w+)/.exec(text)?.[1] ?? '', text]),
);
const documentOf = (name: string) => documents.get(name) ?? '';

/** The indented command of a page that begins so, with the lines that it goes on to by a backslash. */
function commandOf(page: string, begin: string): string {
  const lines = page.split('\n');
  const first = lines.findIndex((line) => line.startsWith(`    ${begin}`));
  if (first === -1) throw new Error(`the page has no command that begins with: ${begin}`);
  let last = first;
  while (lines[last]?.endsWith('\\')) last += 1;
  return lines.slice(first, last + 1).join('\n');
}

/** Runs a command as it stands on the page, but with the addresses and the folder of this hub. */
async function run(hub: Hub, command: string): Promise<string> {
  const here = command
    .replaceAll('http://127.0.0.1:4000/graphql', hub.urls.graphql ?? '')
    .replaceAll('./.weft/', `${hub.home}/`)
    .replaceAll('npm run -s weft --', `${process.execPath} cli/main.ts`);
  const { stdout } = await promisify(execFile)('bash', ['-c', here], {
    cwd: ROOT,
    env: { ...process.env, WEFT_HOME: hub.home },
  });
  return stdout;
}

type Incidents<Node> = GraphQLAnswer<{ incidents: { edges: readonly { readonly node: Node }[] } }>;

describe('the README', () => {
  let hub: Hub;
  const untilThere = (orderNo: string) =>
    waitFor(`the incident of order ${orderNo}`, async () => {
      const { data } = await hub.query<{ incidentByExternalNumber: { id: string } | null }>(
        'query ($number: ID!) { incidentByExternalNumber(kind: "hotlineOrder", number: $number) { id } }',
        { number: orderNo },
      );
      return data?.incidentByExternalNumber?.id;
    });
  let incidentId: string;
  beforeAll(async () => {
    hub = await startHub();
    const order = { externalRef: 'readme', subject: '路灯异常', areaCode: COMMUNITY };
    incidentId = await untilThere(await callHotline(hub, order));
  });
  afterAll(async () => {
    await hub.stop();
    removeHome(hub.home);
  });

  it('shows a query that answers without an error', async () => {
    const answer: Incidents<unknown> = await hub.query(documentOf('LatestIncident'));
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.incidents.edges).toHaveLength(1);
  });

  it('shows something to watch, which is seen to its end', async () => {
    const told = await run(hub, `${commandOf(readme, 'npm run -s weft -- story')} --pace 0`);
    expect(told).toContain('story 1 was seen to its end');
  }, 120_000);

  it('shows what needs a permission, and how to ask with it', async () => {
    const command = commandOf(readme, 'TOKEN=$(npm run -s weft -- token --role duty-officer --scope');
    const answer: Incidents<{ description: string | null }> = JSON.parse(await run(hub, command));
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.incidents.edges.length).toBeGreaterThan(0);
    const without: Incidents<unknown> = await hub.query(
      '{ incidents(first: 1) { edges { node { description } } } }',
    );
    expect(without.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(without.data?.incidents.edges).toEqual([{ node: { description: null } }]);
  });

  it('shows how to ask with a token, which is taken', async () => {
    const answer = JSON.parse(await run(hub, commandOf(readme, 'TOKEN=$(')));
    expect(answer.errors).toBeUndefined();
    expect(answer.data.systems.length).toBeGreaterThan(0);
  });

  it('shows a subscription that brings an event', async () => {
    const subscriber = subscribe<unknown>(hub, documentOf('Live'), {});
    await untilLive(hub, subscriber, COMMUNITY);
    expect(subscriber.arrivals[0]?.answer.errors).toBeUndefined();
    await subscriber.end();
  });

  it('shows a client of few lines that prints what happens', async () => {
    const program = (blocksOf('js')[0] ?? '').replace('ws://127.0.0.1:4000/graphql', hub.urls.ws ?? '');
    const client = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: join(ROOT, 'dashboard'),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [client.stdout, client.stderr]) stream.on('data', (chunk) => (output += chunk));
    const ended = new Promise((resolve) => client.once('exit', resolve));
    let calls = 0;
    try {
      await waitFor('the client to print an incident', async () => {
        calls += 1;
        const order = { externalRef: `client-${calls}`, subject: '暴露垃圾', areaCode: COMMUNITY };
        await untilThere(await callHotline(hub, order));
        if (client.exitCode !== null) throw new Error(output);
        return output.includes("title: '暴露垃圾'");
      });
    } finally {
      client.kill();
      await ended;
    }
  });

  it('shows mutations that accept and route an incident', async () => {
    const accepted = await hub.query(documentOf('Accept'), { id: incidentId });
    expect(accepted).toMatchObject({ data: { acceptIncident: { id: incidentId, stateLabel: '受理' } } });
    const routed = await hub.query(documentOf('Route'), { id: incidentId });
    expect(routed).toEqual({
      data: {
        routeIncident: { stateLabel: '分流', department: { name: '城管', fullName: '城市管理局' } },
      },
    });
  });

  it('shows what is a grid worker’s to do', async () => {
    const token = await run(hub, 'npm run -s weft -- token --role grid-worker --subject WGY0043');
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token.trim()}` };
    const body = JSON.stringify({ query: documentOf('MyTasks') });
    const response = await fetch(hub.urls.graphql ?? '', { method: 'POST', headers, body });
    expect(await response.json()).toMatchObject({
      data: {
        myTasks: {
          tasks: { edges: [{ node: { kindLabel: '网格任务', overdue: false, record: { id: 'RW00431' } } }] },
          sources: [
            { system: { title: '事件库' }, answered: true, tasks: 0 },
            { system: { title: '网格化服务管理平台' }, answered: true, tasks: 1 },
          ],
        },
      },
    });
  });

  it('shows what was done to an incident, and how that is verified elsewhere', async () => {
    const order = { externalRef: 'readme-trace', subject: '占道经营', areaCode: COMMUNITY };
    const orderNo = await callHotline(hub, order);
    const id = await untilThere(orderNo);
    const token = await run(hub, 'npm run -s weft -- token --role auditor --division 320508');
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token.trim()}` };
    const body = JSON.stringify({ query: documentOf('Trace'), variables: { id } });
    const response = await fetch(hub.urls.graphql ?? '', { method: 'POST', headers, body });
    expect(await response.json()).toMatchObject({
      data: { trace: { verifies: true, entries: [{ sequence: 1, action: 'REPORTED', system: 'hotline' }] } },
    });
    const here = (begin: string) =>
      commandOf(readme, begin)
        .replace(/hotlineOrder:\w+/, `hotlineOrder:${orderNo}`)
        .replaceAll('order.json', join(hub.home, 'order.json'));
    await run(hub, here('npm run -s weft -- audit export'));
    const verified = await run(hub, here('npm run -s weft -- audit verify'));
    expect(verified).toContain(`genuine: 1 entries of Incident:${id}`);
  });

  it('shows a curl command that answers in the form of the answer beside it', async () => {
    const stdout = await run(hub, commandOf(readme, 'curl -s http://127.0.0.1:4000/graphql'));
    const [shown, answered] = [blocksOf('json')[0] ?? '', stdout].map(
      (text) => (JSON.parse(text) as Incidents<object>).data?.incidents.edges[0]?.node,
    );
    expect(Object.keys(shown ?? {}).length).toBeGreaterThan(3);
    expect(Object.keys(answered ?? {})).toEqual(Object.keys(shown ?? {}));
  });

  it('breaks the police as it says, shows the error that comes then, and brings them back', async () => {
    const receiptNo = await callPolice(hub, 'readme-case', '观前街');
    const order = { externalRef: 'readme-police', subject: '流浪乞讨', areaCode: COMMUNITY, receiptNo };
    await untilThere(await callHotline(hub, order));
    await run(hub, commandOf(readme, 'kill -9'));
    const section = readme.slice(readme.indexOf('## Break something'));
    const ask = commandOf(section, 'curl -s http://127.0.0.1:4000/graphql');
    const answer = JSON.parse(await run(hub, ask)) as Incidents<{ policeCase: unknown }>;
    const shown = JSON.parse(blocksOf('json')[1] ?? '{}') as NonNullable<typeof answer.errors>[number];
    const [error] = answer.errors ?? [];
    expect(error).toEqual({
      ...shown,
      path: ['incidents', 'edges', expect.any(Number), 'node', 'policeCase'],
      extensions: { ...shown.extensions, traceId: expect.any(String) },
    });
    expect(answer.data?.incidents.edges.length).toBeGreaterThan(1);
    const back = await run(hub, commandOf(readme, 'npm run -s weft -- simulate police'));
    expect(back).toMatch(/^police is back \(process \d+\)\n$/);
    await waitFor('the police to answer', async () => {
      const again = JSON.parse(await run(hub, ask)) as Incidents<{ policeCase: unknown }>;
      return again.errors === undefined && again.data?.incidents.edges.some(({ node }) => node.policeCase);
    });
  });

  it.each([
    ['README.md', readme, 'hotlineControl', 5_000],
    ['simulators/README.md', simulatorsReadme, 'policeControl', 3_000],
  ])(
    'has in %s a line that switches a fault on, and one that switches it off',
    async (_, page, name, latencyMs) => {
      const begin = `curl -s $(node -p "require('./.weft/run.json').urls.${name}")/faults -`;
      expect(JSON.parse(await run(hub, commandOf(page, `${begin}d`)))).toMatchObject({ latencyMs });
      expect(JSON.parse(await run(hub, commandOf(page, `${begin}X`)))).toMatchObject({ latencyMs: 0 });
    },
  );

  it('replays the sample, and shows a query that finds its rows', async () => {
    const printed = await run(hub, commandOf(readme, 'npm run -s weft -- replay'));
    expect(printed).toMatch(/orders made +50\n/);
    await waitFor('the rows of one community', async () => {
      const answer: Incidents<{ reportedAt: string }> = await hub.query(documentOf('Replayed'));
      expect(answer.errors).toBeUndefined();
      const rows = answer.data?.incidents.edges ?? [];
      // What the city has told there since is of today.
      return rows.filter(({ node }) => /^2026-11-2[0-2]T/.test(node.reportedAt)).length === 7;
    });
  });

  it('names two addresses that say how the gateway is', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      expect(readme).toContain(`GET ${path}`);
      expect((await fetch(new URL(path, hub.urls.graphql))).status).toBe(200);
    }
  });

  it('links only to pages that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) expect(readFileSync(join(ROOT, link), 'utf8').length, link).toBeGreaterThan(0);
  });
});
