// Story 1 as `weft story 1` plays it, in a busy city in which no RabbitMQ answers: human resources is on MQTT there.
import { freePort } from '@weft/core/process-table';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, removeHome, startHub } from '../../support/hub.ts';
import { openPerson, type Person } from '../../support/people.ts';
import { waitFor } from '../../support/wait.ts';
import { weft } from '../../support/weft.ts';
import { kindsOf, openScreen, type Screen, TOWN } from '../incident-story.ts';

const PLAY_MS_MAX = 240_000;
const THE_WAY = [
  ...['REPORTED', 'ESCALATED', 'ACCEPTED', 'ROUTED', 'RETURNED', 'ROUTED', 'SIGNED', 'FED_BACK'],
  ...['VERIFICATION_STARTED', 'VERIFIED', 'CLOSED', 'EVALUATED', 'REOPENED'],
];

describe('weft story 1 in a demo without RabbitMQ', () => {
  let hub: Hub;
  let town: Person;
  let screen: Screen;
  beforeAll(async () => {
    // The people of each department do something every half a second.
    const env = { DEMO_RATE: '120', WEFT_HR_AMQP_URL: `amqp://guest:guest@127.0.0.1:${await freePort()}` };
    hub = await startHub({ env });
    town = await openPerson(hub, '--role', 'centre-staff', '--division', TOWN);
    screen = await openScreen(hub, town, TOWN);
  });
  afterAll(async () => {
    await town?.leave();
    await hub?.stop();
    if (hub !== undefined) removeHome(hub.home);
  });

  it(
    'goes its whole way before the eyes of the town, prints it, and ends with the address of the incident',
    async () => {
      expect(hub.output()).toContain('human resources runs on MQTT');
      const play = () => weft(hub.home, 'story', '1', '--pace', '0');
      // Two at once, of which neither gives the other's work to the departments' people.
      const [{ code, stdout, stderr }, other] = await Promise.all([play(), play()]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect({ code: other.code, stderr: other.stderr }).toEqual({ code: 0, stderr: '' });
      const page = new URL('/', hub.urls.graphql).href;
      const lines = stdout.trimEnd().split('\n');
      const id = /#incident=([0-9a-f-]{36})$/.exec(lines.at(-1) ?? '')?.[1] ?? '';
      expect(lines.at(-1)).toBe(`${page}#incident=${id}`);
      expect(lines.at(-2)).toMatch(/^story 1 was seen to its end, in [\d.]+ s$/);
      // Who, what, where it was seen, and in how many milliseconds.
      expect(stdout).toMatch(/ 5\. 市监 market supervision: returns it in its own system/);
      expect(stdout).toMatch(/\+\d+ ms {2}town centre 白洋湾街道, live +退回 RETURNED, now 退回/);
      expect(stdout).toMatch(/\+\d+ ms {2}人社, its own system +has it as humanResourcesCase RS320508\d+/);
      expect(stdout).toMatch(/attempt 1: 市监 SJ\d+ at .*: RETURNED, 超出职责范围/);
      expect(stdout).toContain('it holds');

      await screen.shows(id, 'REOPENED');
      // What comes after it is the departments' people's, who are back.
      expect(kindsOf(screen.changesOf(id)).slice(0, THE_WAY.length)).toEqual(THE_WAY);
    },
    PLAY_MS_MAX,
  );

  it('leaves the departments to their people again, who go on with what it left open', async () => {
    const { data } = await hub.query<{ incidents: { edges: { node: { id: string; title: string } }[] } }>(
      '{ incidents(division: "320508017003", first: 100) { edges { node { id title } } } }',
    );
    const left = data?.incidents.edges.find(({ node }) => node.title.includes('〔1-'))?.node.id ?? '';
    await waitFor(
      'human resources to sign for it once more',
      async () => {
        const { data: now } = await hub.query<{ incident: { state: string } }>(
          'query ($id: ID!) { incident(id: $id) { state } }',
          { id: left },
        );
        return now?.incident.state !== 'ROUTED';
      },
      60_000,
    );
  });
});
