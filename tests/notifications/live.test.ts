// What somebody is told of their own reports, live through the gateway: theirs, all of it, and nobody else's.
import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { openRig, type Person, type Rig } from '../attachments/rig.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';

const noPostgres = await whyNoPostgres();
const WAIT_MS = 60_000;
const NOTIFIED =
  'subscription ($after: Cursor) { myNotified(after: $after) { cursor notice { kind text incident { id title } } } }';

interface Told {
  readonly cursor: string;
  readonly notice: {
    readonly kind: string;
    readonly text: string;
    readonly incident: { readonly id: string };
  };
}

describe.skipIf(noPostgres !== undefined)('myNotified', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  }, 120_000);
  afterAll(async () => {
    await rig.close();
  });

  /** Collects what comes until `stop`. */
  const follow = (person: Person | undefined, after?: string) => {
    const url = `${rig.origin.replace('http', 'ws')}/graphql`;
    const apiKey = rig.headersOf(person)['x-api-key'];
    const connectionParams = apiKey === undefined ? {} : { apiKey };
    const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams });
    const told: Told[] = [];
    const errors: unknown[] = [];
    client.subscribe<{ myNotified: Told }>(
      { query: NOTIFIED, variables: { after } },
      {
        next: ({ data, errors: given }) => {
          if (data?.myNotified != null) told.push(data.myNotified);
          if (given !== undefined) errors.push(...given);
        },
        error: (thrown) => void errors.push(thrown),
        complete: () => undefined,
      },
    );
    return { told, errors, stop: () => client.dispose() };
  };
  const reported = async (person: Person) => {
    const query = 'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }';
    const input = { requestId: randomUUID(), channel: 'APP', title: '积水', division: '320508017003' };
    const { data, errors } = await rig.ask(person, query, { input });
    expect(errors).toBeUndefined();
    return (data as unknown as { reportIncident: { id: string } }).reportIncident.id;
  };
  const act = async (id: string, field: string, args = '') => {
    const query = `mutation ($id: ID!) { ${field}(id: $id ${args}) { state } }`;
    expect((await rig.ask('staff', query, { id })).errors).toBeUndefined();
  };

  it('brings each what they are told, also of what was merged, and goes on from a cursor', async () => {
    const [wang, li] = [follow('wang'), follow('li')];
    // Live from the first event that each sees: a report of one's own is told until then.
    const awake = async (person: Person, { told }: { readonly told: readonly Told[] }) => {
      await waitFor(
        `${person} to be told`,
        async () => {
          await act(await reported(person), 'acceptIncident');
          return told.length > 0;
        },
        WAIT_MS,
      );
    };
    await awake('wang', wang);
    await awake('li', li);
    const [own, other] = [await reported('wang'), await reported('li')];
    await act(own, 'acceptIncident');
    await act(other, 'mergeIncident', `into: "${own}"`);
    await act(own, 'rejectIncident', 'reason: "不属受理范围"');
    const of = ({ told }: { readonly told: readonly Told[] }) =>
      told.filter(({ notice }) => notice.incident.id === own).map(({ notice }) => notice.kind);
    await waitFor('both to be told of the end', () => of(wang).length === 2 && of(li).length === 1, WAIT_MS);
    expect([of(wang), of(li)]).toEqual([['ACCEPTED', 'REJECTED'], ['REJECTED']]);
    expect(li.told.at(-1)?.notice).toMatchObject({
      text: '您反映的事项不予受理：不属受理范围',
      incident: { title: '积水' },
    });
    const accepted = wang.told.find(({ notice }) => notice.incident.id === own);
    const resumed = follow('wang', accepted?.cursor);
    await waitFor('what came behind the cursor', () => resumed.told.length > 0, WAIT_MS);
    expect(resumed.told.map(({ notice }) => [notice.incident.id, notice.kind])).toEqual([[own, 'REJECTED']]);
    // A cursor is of who got it.
    const stolen = follow('li', accepted?.cursor);
    await waitFor('the refusal', () => stolen.errors.length > 0, WAIT_MS);
    expect(JSON.stringify(stolen.errors)).toContain('INVALID_CURSOR');
    for (const each of [wang, li, resumed, stolen]) await each.stop();
  }, 180_000);

  it('is for who gives credentials', async () => {
    const nobody = follow(undefined);
    await waitFor('the refusal', () => nobody.errors.length > 0, WAIT_MS);
    expect(JSON.stringify(nobody.errors)).toContain('UNAUTHENTICATED');
    await nobody.stop();
  }, 120_000);
});
