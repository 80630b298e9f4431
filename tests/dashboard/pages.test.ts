import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, type Hub, removeHome, startHub } from '../support/hub.ts';
import { callHotline, callPolice, clearFaults, setFaults } from '../support/simulated.ts';
import { waitFor } from '../support/wait.ts';
import { CHROMIUM, launchBrowser, openPage } from './browser.ts';

/** 路南社区, of 姑苏区. */
const AREA = '320508017003';
const ARRIVAL_MS_MAX = 30_000;
const RECONNECT_MS_MAX = 30_000;
const LIVE = '#banner[data-state=live]';

/** The row of an event by its title, when it is on the screen. */
const rowOf = (page: Page, title: string) => page.locator('#rows tr', { hasText: title });

describe.skipIf(CHROMIUM === undefined)('the pages in a browser', () => {
  const home = createHome();
  let hub: Hub;
  let browser: Browser;

  beforeAll(async () => {
    hub = await startHub({ home });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await hub?.stop();
    removeHome(home);
  });

  it('shows an order that the hotline takes as it arrives, as text and never as markup', async () => {
    const { page, troubles } = await openPage(browser, hub, '/');
    expect(await page.title()).toBe('指挥中心');
    await page.waitForSelector(LIVE);
    const title = '<img src=x onerror=alert(1)> 路灯异常';
    const orderNo = await callHotline(hub, { externalRef: 'page-live', subject: title, areaCode: AREA });
    const row = rowOf(page, title);
    await row.waitFor({ timeout: ARRIVAL_MS_MAX });
    expect(await row.textContent()).toContain(orderNo);
    expect(await page.locator('#rows img').count()).toBe(0);
    const total = page.locator('[data-count=total]');
    await waitFor('the count of incidents', async () => Number(await total.textContent()) > 0);
    expect(troubles).toEqual([]);
    await page.close();
  });

  it('says in the place of a missing value which system does not answer', async () => {
    const { page } = await openPage(browser, hub, '/');
    await page.waitForSelector(LIVE);
    const receiptNo = await callPolice(hub, 'page-case', '观前街');
    // It was asked by the overview, if by nobody else.
    const asked = page.locator('#systems li[data-system=market-supervision]');
    await asked.getByText('最近应答').waitFor({ timeout: ARRIVAL_MS_MAX });
    const police = page.locator('#systems li[data-system=police]');
    await setFaults(hub, 'police', { refuse: true });
    try {
      await callHotline(hub, { externalRef: 'page-police', subject: '流浪乞讨', areaCode: AREA, receiptNo });
      const row = rowOf(page, '流浪乞讨');
      await row.waitFor({ timeout: ARRIVAL_MS_MAX });
      expect(await row.locator('td').last().textContent()).toContain('—(公安 ');
      const trouble = police.locator('.failed');
      await trouble.waitFor({ timeout: ARRIVAL_MS_MAX });
      expect(await trouble.textContent()).toMatch(/^\p{Script=Han}+$/u);
      expect(await trouble.getAttribute('title')).toMatch(/^[A-Z_]+ at (QueryCaseBatch|CountOpenCase)$/);
    } finally {
      await clearFaults(hub, 'police');
    }
    await page.close();
  });

  it('shows the whole at a glance, live, and says in words what is old', async () => {
    const { page, troubles } = await openPage(browser, hub, '/');
    await page.waitForSelector(LIVE);
    const open = page.locator('#overview-figures [data-figure=open]');
    const number = async () => Number((await open.textContent())?.replaceAll(',', ''));
    await open.waitFor({ timeout: ARRIVAL_MS_MAX });
    const counts = page.locator('#overview-systems tr');
    expect(await counts.count()).toBe(6);
    const police = counts.and(page.locator('[data-system=police]'));
    await police.getByText('最新').waitFor({ timeout: ARRIVAL_MS_MAX });
    expect(await police.locator('td').nth(1).textContent()).toMatch(/^\d+ 秒前$/);
    const before = await number();
    await callHotline(hub, { externalRef: 'page-overview', subject: '概览', areaCode: AREA });
    await waitFor('one more', async () => (await number()) > before, ARRIVAL_MS_MAX);
    const reported = page.locator('#overview-states tr[data-state=REPORTED] td');
    expect(Number(await reported.textContent())).toBeGreaterThan(0);
    await setFaults(hub, 'police', { refuse: true });
    try {
      await police.getByText('旧数（').waitFor({ timeout: ARRIVAL_MS_MAX });
      await waitFor(
        'why it is old',
        async () => /（(无应答|多次无应答，暂停询问)）/.test((await police.textContent()) ?? ''),
        ARRIVAL_MS_MAX,
      );
      expect(await counts.and(page.locator('[data-count=CURRENT]')).count()).toBeGreaterThan(0);
    } finally {
      await clearFaults(hub, 'police');
    }
    await police.getByText('最新').waitFor({ timeout: ARRIVAL_MS_MAX });
    await page.setViewportSize({ width: 400, height: 900 });
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    expect(troubles).toEqual([]);
    await page.close();
  });

  it('says since when it is cut off, and shows what it missed when it is back', async () => {
    const { page } = await openPage(browser, hub, '/');
    await page.waitForSelector(LIVE);
    await callHotline(hub, { externalRef: 'page-before', subject: '断线之前', areaCode: AREA });
    await rowOf(page, '断线之前').waitFor({ timeout: ARRIVAL_MS_MAX });
    process.kill(hub.pid('gateway'), 'SIGKILL');
    await page.waitForSelector('#banner[data-state=down]');
    expect(await page.textContent('#banner')).toMatch(/自 \d\d:\d\d:\d\d 起中断/);
    await callHotline(hub, { externalRef: 'page-during', subject: '断线期间', areaCode: AREA });
    await page.waitForSelector(LIVE, { timeout: RECONNECT_MS_MAX });
    await rowOf(page, '断线期间').waitFor({ timeout: ARRIVAL_MS_MAX });
    await page.close();
  });

  it('are usable by what the accessibility tree holds', async () => {
    const { page } = await openPage(browser, hub, '/');
    await page.waitForSelector(LIVE);
    await page.getByRole('heading', { name: '实时事件' }).waitFor();
    await page.getByRole('columnheader', { name: '公安' }).waitFor();
    const pause = page.getByRole('button', { name: '暂停滚动' });
    await pause.click();
    await page.getByRole('button', { name: '继续', pressed: true }).click();
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN');
    await page.close();
  });

  it('show in the explorer who was asked for what and how long it took, and leave the answer as it is', async () => {
    const { page, troubles } = await openPage(browser, hub, '/explorer');
    await page.getByText('执行一次查询').waitFor({ timeout: ARRIVAL_MS_MAX });
    await page.click('.graphiql-execute-button');
    const rows = page.locator('#inside .row.fetch');
    await rows.filter({ hasText: '事件库' }).locator('.bar.fetch').waitFor({ timeout: ARRIVAL_MS_MAX });
    const incidents = rows.filter({ hasText: '事件库' });
    expect(await incidents.locator('.note').textContent()).toMatch(/^[\d.]+ m?s/);
    expect(await page.textContent('#inside-summary')).toMatch(/次取数/);
    await incidents.click();
    await page.locator('#inside pre').filter({ hasText: 'incidents' }).waitFor();
    await page.getByRole('button', { name: '计划与耗时', expanded: true }).click();
    expect(await page.locator('#inside-body').isVisible()).toBe(false);
    expect(await page.textContent('.result-window')).not.toContain('weft');
    expect(troubles).toEqual([]);
    await page.close();
  });

  it('let a visitor run the query and the subscription that stand in the explorer', async () => {
    const { page, troubles } = await openPage(browser, hub, '/explorer');
    const result = page.locator('.result-window');
    await page.click('.graphiql-execute-button');
    await result.getByText('totalCount').waitFor({ timeout: ARRIVAL_MS_MAX });
    await page.locator('.graphiql-tab-button').nth(1).click();
    await page.getByText('subscription', { exact: true }).waitFor();
    const begin = page.locator('.graphiql-execute-button[aria-label^=Execute]');
    let calls = 0;
    // GraphiQL reads the name of the new tab's operation a moment late, and a subscription is not acknowledged: it is
    // begun, and orders are made, until one arrives.
    await waitFor(
      'the subscription to bring an event',
      async () => {
        calls += 1;
        if ((await begin.count()) > 0) await begin.click();
        await callHotline(hub, { externalRef: `page-explorer-${calls}`, subject: '图查询', areaCode: AREA });
        return result
          .getByText('incidentChanged')
          .first()
          .waitFor({ timeout: 1_000 })
          .then(() => true)
          .catch(() => false);
      },
      ARRIVAL_MS_MAX,
    );
    expect(troubles).toEqual([]);
    await page.close();
  });
});
