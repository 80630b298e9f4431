// Story 8: a closed order, exported with its chain, is verified by someone who has neither the hub nor its keys to sign.
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, type Hub, removeHome, startHub } from '../../support/hub.ts';
import { openPerson, type Person } from '../../support/people.ts';
import { callHotline, moveWork } from '../../support/simulated.ts';
import { waitFor } from '../../support/wait.ts';
import { type WeftOutcome, weft } from '../../support/weft.ts';
import {
  COMMUNITY,
  COUNTY,
  evidenceOf,
  incidentOf,
  kindsOf,
  numberOfAttempt,
  openScreen,
  type Screen,
} from '../incident-story.ts';

const RESULT = '已清理完毕';
const EXPORT_MS_MAX = 60_000;

/** Quiet, it takes 4 s. */
const STORY_MS_MAX = 180_000;

describe('story 8: evidence', () => {
  /** Elsewhere: a folder in which no hub ever ran, and that of who verifies. */
  const away = createHome();
  let hub: Hub;
  let officer: Person;
  let screen: Screen;
  let isStopped = false;
  const stop = async () => {
    if (isStopped || hub === undefined) return;
    isStopped = true;
    await officer?.leave();
    await hub.stop();
    removeHome(hub.home);
  };
  beforeAll(async () => {
    hub = await startHub({ env: { WEFT_EVIDENCE_INTERVAL_MS: '250' } });
    officer = await openPerson(hub, '--role', 'duty-officer', '--division', COUNTY);
    screen = await openScreen(hub, officer, COUNTY);
  });
  afterAll(async () => {
    await stop();
    removeHome(away);
  });

  /** @returns its id, and the number of its order */
  async function closeOrder(): Promise<{ readonly id: string; readonly orderNo: string }> {
    const orderNo = await callHotline(hub, {
      externalRef: 'story-8',
      subject: '占道堆放杂物',
      content: '已有三天',
      areaCode: COMMUNITY,
    });
    const id = await incidentOf(officer, 'hotlineOrder', orderNo);
    await officer.act('acceptIncident', id);
    await officer.act('routeIncident', id, 'department: "urban-management"');
    const caseNo = await numberOfAttempt(officer, id, 1);
    await moveWork(hub, 'urban-management', caseNo, { state: '2' });
    await screen.shows(id, 'SIGNED');
    await moveWork(hub, 'urban-management', caseNo, { state: '5', result: RESULT });
    await screen.shows(id, 'FED_BACK');
    for (const action of ['startIncidentVerification', 'passIncident', 'closeIncident'])
      await officer.act(action, id);
    return { id, orderNo };
  }

  /** Until every entry is under a signed checkpoint. @returns how many there are */
  async function exportOrder(id: string, orderNo: string, file: string): Promise<number> {
    const told = await waitFor(
      'all of it under checkpoints',
      async () => {
        const { stderr } = await weft(hub.home, 'audit', 'export', `hotlineOrder:${orderNo}`, '--out', file);
        return /(\d+) entries of .*\b\1 of them under signed checkpoints/s.test(stderr) ? stderr : undefined;
      },
      EXPORT_MS_MAX,
    );
    expect(told).toContain(`entries of Incident:${id}`);
    const mistyped = ['--leave-out', 'reportrs', '--out', `${file}.mistyped`];
    const refused = await weft(hub.home, 'audit', 'export', `hotlineOrder:${orderNo}`, ...mistyped);
    expect(refused).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('has no field reportrs; it has '),
    });
    expect(existsSync(`${file}.mistyped`)).toBe(false);
    // What the citizen said is not for whoever is given the file.
    expect(told).toMatch(/left out: .*reporters/);
    return Number(/(\d+) entries of Incident:/.exec(told)?.[1]);
  }

  it(
    'holds for who has the file and a public key alone, and names what one changed byte is in',
    async () => {
      const { id, orderNo } = await closeOrder();
      const { incident } = await officer.get<{ incident: { steps: { kind: string }[] } }>(
        'query ($id: ID!) { incident(id: $id) { steps { kind } } }',
        { id },
      );
      const shown = await screen.showsAll(id, incident.steps);
      expect(kindsOf(shown).at(-1)).toBe('CLOSED');
      await evidenceOf(officer, id, shown);
      const file = join(away, 'order.json');
      const count = await exportOrder(id, orderNo, file);
      expect(count).toBe(incident.steps.length);
      expect(readFileSync(file, 'utf8')).not.toContain('已有三天');
      copyFileSync(join(hub.home, 'evidence-key.pub.pem'), join(away, 'hub.pem'));
      await screen.close();
      await stop();

      // There is no hub any more, and no key that signs.
      expect(readdirSync(away).toSorted()).toEqual(['hub.pem', 'order.json']);
      const verify = (name: string): Promise<WeftOutcome> =>
        weft(join(away, 'nowhere'), 'audit', 'verify', join(away, name), '--key', join(away, 'hub.pem'));
      expect(await verify('order.json')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(
          `genuine: ${count} entries of Incident:${id}, ${count} of them under signed checkpoints`,
        ),
      });
      const bytes = readFileSync(file);
      const at = bytes.indexOf(RESULT);
      expect(at).toBeGreaterThan(0);
      bytes[at + 2] = (bytes[at + 2] ?? 0) ^ 1;
      writeFileSync(join(away, 'changed.json'), bytes);
      const changed = await verify('changed.json');
      const entry = shown.findIndex(({ kind }) => kind === 'FED_BACK');
      expect(changed.code).toBe(1);
      expect(changed.stdout).toContain(`entries[${entry}].fields.attempt: `);
      expect(changed.stdout).toMatch(/: not genuine\n$/);
    },
    STORY_MS_MAX,
  );
});
