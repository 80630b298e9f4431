import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, ROOT, removeHome, startHub } from '../support/hub.ts';
import { subscribe, untilLive } from '../support/live.ts';
import { callHotline } from '../support/simulated.ts';
import { waitFor } from '../support/wait.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```graphql\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
const COMMUNITY = '320508017003';

describe('the README', () => {
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub();
    await callHotline(hub, { externalRef: 'readme', subject: '路灯异常', areaCode: COMMUNITY });
    await waitFor('the first incident', async () => {
      const { data } = await hub.query<{ incidents: { totalCount: number } }>(
        '{ incidents(first: 1) { totalCount } }',
      );
      return data?.incidents.totalCount === 1;
    });
  });
  afterAll(async () => {
    await hub.stop();
    removeHome(hub.home);
  });

  it('shows a query that answers without an error', async () => {
    const answer = await hub.query<{ incidents: { edges: readonly unknown[] } }>(blocks[0] ?? '');
    expect(answer.errors).toBeUndefined();
    expect(answer.data?.incidents.edges).toHaveLength(1);
  });

  it('shows a subscription that brings an event', async () => {
    const subscriber = subscribe<unknown>(hub, blocks[1] ?? '', {});
    await untilLive(hub, subscriber, COMMUNITY);
    expect(subscriber.arrivals[0]?.answer.errors).toBeUndefined();
    await subscriber.end();
  });

  it('shows a curl command that answers in the form of the answer beside it', async () => {
    const command = /curl -s [\s\S]*?'\{[^\n]*'\n/.exec(readme)?.[0] ?? '';
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      command.replace('http://127.0.0.1:4000/graphql', hub.urls.graphql ?? ''),
    ]);
    const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '{}') as {
      data: { incidents: { edges: { node: object }[] } };
    };
    const answered = JSON.parse(stdout) as typeof shown;
    expect(Object.keys(answered.data.incidents.edges[0]?.node ?? {})).toEqual(
      Object.keys(shown.data.incidents.edges[0]?.node ?? { none: 1 }),
    );
  });

  it('links only to pages that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) expect(readFileSync(join(ROOT, link), 'utf8').length, link).toBeGreaterThan(0);
  });
});
