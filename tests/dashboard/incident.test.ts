// One incident on the live page, in a browser: a story is played, and the page grows with it.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, type Hub, ROOT, removeHome, startHub } from '../support/hub.ts';
import { openPerson, type Person } from '../support/people.ts';
import { callHotline, moveWork } from '../support/simulated.ts';
import { waitFor } from '../support/wait.ts';
import { CHROMIUM, launchBrowser, openPage } from './browser.ts';

/** 路南社区, of 姑苏区. */
const AREA = '320508017003';
const SHOWN_MS_MAX = 60_000;
const PLAY_MS_MAX = 240_000;
const TEST_MS_MAX = 120_000;
const LIVE = '#banner[data-state=live]';

const step = (kind: string) => `#incident-steps li[data-kind=${kind}]`;
/** The kinds of the steps on the screen, the first one first; what became of dispatches left out. */
async function kindsOn(page: Page): Promise<readonly string[]> {
  const kinds = await page
    .locator('#incident-steps li')
    .evaluateAll((steps) => steps.map(({ dataset }) => dataset.kind ?? ''));
  return kinds.reverse().filter((kind) => kind !== 'DELIVERY');
}

describe.skipIf(CHROMIUM === undefined)('one incident on the live page', { timeout: TEST_MS_MAX }, () => {
  const home = createHome();
  let hub: Hub;
  let browser: Browser;
  let officer: Person;
  beforeAll(async () => {
    hub = await startHub({ home });
    browser = await launchBrowser();
    officer = await openPerson(hub, '--role', 'duty-officer', '--division', '320508');
  });
  afterAll(async () => {
    await officer?.leave();
    await browser?.close();
    await hub?.stop();
    removeHome(home);
  });

  /** An order that the hotline takes. @returns the incident that it becomes */
  async function report(title: string): Promise<string> {
    const orderNo = await callHotline(hub, { externalRef: title, subject: title, areaCode: AREA });
    return waitFor('the incident', async () => {
      const { data } = await hub.query<{ incidentByExternalNumber: { id: string } | null }>(
        'query ($n: ID!) { incidentByExternalNumber(kind: "hotlineOrder", number: $n) { id } }',
        { n: orderNo },
      );
      return data?.incidentByExternalNumber?.id;
    });
  }

  it(
    'grows while story 1 is played, with each attempt, both numbers and why it came back',
    async () => {
      const play: ChildProcess = spawn(process.execPath, ['cli/main.ts', 'story', '1', '--pace', '1'], {
        cwd: ROOT,
        env: { PATH: process.env.PATH ?? '', WEFT_HOME: home },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [play.stdout, play.stderr]) stream?.on('data', (chunk) => (output += chunk));
      const ended = new Promise<number | null>((resolve) => play.once('exit', resolve));
      const address = await waitFor('the address', () => /watch it at (\S+)/.exec(output)?.[1], SHOWN_MS_MAX);
      const { page, troubles } = await openPage(browser, hub, `/${new URL(address).hash}`);
      await page.waitForSelector(LIVE);
      // It is there before the story has come to its end, and grows by what comes over the socket.
      await page.locator(step('RETURNED')).waitFor({ timeout: SHOWN_MS_MAX });
      expect(play.exitCode).toBeNull();
      expect(await ended, output).toBe(0);
      await page.locator(step('REOPENED')).waitFor({ timeout: SHOWN_MS_MAX });
      expect(await kindsOn(page)).toEqual([
        ...['REPORTED', 'ESCALATED', 'ACCEPTED', 'ROUTED', 'RETURNED', 'ROUTED', 'SIGNED', 'FED_BACK'],
        ...['VERIFICATION_STARTED', 'VERIFIED', 'CLOSED', 'EVALUATED', 'REOPENED'],
      ]);
      expect(await page.locator('#incident-heading').textContent()).toContain('拖欠');
      expect(await page.locator('[data-fact=state]').textContent()).toBe('分流');
      expect(await page.locator('[data-fact=reporters]').textContent()).toBe('1 位');
      const attempts = page.locator('#incident-attempts tbody tr');
      expect(await attempts.count()).toBe(3);
      const first = (await attempts.first().textContent()) ?? '';
      for (const part of ['市监', /SJ\d{14}/, /本方 GS\d{14}/, '已送达', '已退回', '超出职责范围'])
        expect(first).toMatch(part);
      const second = (await attempts.nth(1).textContent()) ?? '';
      for (const part of ['人社', /RS320508\d{14}/, '已反馈', '已督促补发工资']) expect(second).toMatch(part);
      expect(await page.locator('[data-deadline=REPLY]').first().textContent()).toContain('答复时限');
      // What the citizen said with the rating is not for everybody.
      expect(await page.locator('#incident').textContent()).not.toContain('太慢');
      expect(await page.locator('#incident-notices li').count()).toBe(0);
      expect(troubles).toEqual([]);
      await page.close();
    },
    PLAY_MS_MAX,
  );

  it('opens from a row of the list, and goes back to it', async () => {
    const { page } = await openPage(browser, hub, '/');
    await page.waitForSelector(LIVE);
    await report('消防通道被占');
    await page.getByRole('link', { name: '消防通道被占' }).click({ timeout: SHOWN_MS_MAX });
    await page.locator(step('REPORTED')).waitFor({ timeout: SHOWN_MS_MAX });
    expect(await page.locator('#incident-heading').textContent()).toBe('消防通道被占');
    await page.getByRole('button', { name: '返回列表' }).click();
    await page.locator('#incident').waitFor({ state: 'hidden' });
    await page.close();
  });

  it('shows what happened while it was cut off', async () => {
    const id = await report('窨井盖缺失');
    await officer.act('acceptIncident', id);
    await officer.act('routeIncident', id, 'department: "urban-management"');
    const { page } = await openPage(browser, hub, `/#incident=${id}`);
    await page.waitForSelector(LIVE);
    const number = page.locator('#incident-attempts tbody td', { hasText: /CG320508\d{14}/ });
    await number.waitFor({ timeout: SHOWN_MS_MAX });
    const caseNo = /CG320508\d{14}/.exec((await number.textContent()) ?? '')?.[0] ?? '';
    process.kill(hub.pid('gateway'), 'SIGKILL');
    await page.waitForSelector('#banner[data-state=down]');
    await moveWork(hub, 'urban-management', caseNo, { state: '2' });
    await page.locator(step('SIGNED')).waitFor({ timeout: SHOWN_MS_MAX });
    expect(await page.locator('[data-fact=state]').textContent()).toBe('处置');
    await page.close();
  });

  it('says that there was a gap, and reads what it missed', async () => {
    const id = await report('路面积水');
    let isMissing = true;
    // The gateway's own message of the first change, but as it would be had the log lost what came before it.
    const { page } = await openPage(browser, hub, `/#incident=${id}`, (before) =>
      before.routeWebSocket('**/graphql', (socket) => {
        const gateway = socket.connectToServer();
        gateway.onMessage((message) => {
          const isFirst = isMissing && /"gap":null,"incident":\{.*"steps":/.test(String(message));
          if (isFirst) isMissing = false;
          socket.send(
            isFirst ? String(message).replace('"gap":null', '"gap":{"reason":"RETENTION"}') : message,
          );
        });
      }),
    );
    await page.waitForSelector(LIVE);
    await page.locator(step('REPORTED')).waitFor({ timeout: SHOWN_MS_MAX });
    await officer.act('acceptIncident', id);
    await page.locator(step('ACCEPTED')).waitFor({ timeout: SHOWN_MS_MAX });
    if (isMissing) await officer.act('routeIncident', id, 'department: "justice"');
    await page
      .locator('#incident-notices li', { hasText: '有步骤未能实时送达（已超出保留期）' })
      .waitFor({ timeout: SHOWN_MS_MAX });
    await page.close();
  });

  it.each(['00000000-0000-4000-8000-000000000000', 'GS20261122000003'])(
    'says so where there is no such incident as %s, and nothing of steps that it has not',
    async (id) => {
      const { page } = await openPage(browser, hub, `/#incident=${id}`);
      await page.getByText('没有这件事件，或无权查看。').waitFor({ timeout: SHOWN_MS_MAX });
      expect(await page.getByText('流转步骤').isVisible()).toBe(false);
      await page.close();
    },
  );
});
