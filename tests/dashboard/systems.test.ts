import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, type Hub, removeHome, startHub } from '../support/hub.ts';
import { waitFor } from '../support/wait.ts';
import { weft } from '../support/weft.ts';
import { CHROMIUM, launchBrowser, openPage } from './browser.ts';

const SEEN_MS_MAX = 60_000;
/** The first look at the contracts is half a minute after the start. */
const CONTRACTS_MS_MAX = 90_000;
const LIVE = '#banner[data-state=live]';
const SDL = 'type Query { "停车场: their number." parkingLots: Int }';
const MARKUP = '<img src=x onerror=alert(1)>';

/** The row of a system. */
const rowOf = (page: Page, name: string) => page.locator(`#registered-rows tr[data-system=${name}]`);

describe.skipIf(CHROMIUM === undefined)('the page of the registry in a browser', () => {
  const home = createHome();
  const folder = mkdtempSync(join(tmpdir(), 'weft-systems-'));
  /** What the live system says that it serves. */
  let served = SDL;
  let parking: Server;
  let hub: Hub;
  let browser: Browser;
  let token: string;

  beforeAll(async () => {
    parking = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ data: { _service: { sdl: served }, parkingLots: 7 } }));
    });
    await new Promise<void>((resolve) => parking.listen(0, '127.0.0.1', resolve));
    hub = await startHub({ home, env: { WEFT_REGISTRY_ALLOWED_HOSTS: place() } });
    browser = await launchBrowser();
    const scopes = ['--scope', 'registry:read', '--scope', 'connectors:read'];
    token = (await weft(home, 'token', ...scopes)).stdout.trim();
    await publish('--title', `${MARKUP} 停车`, '--contact', '0512-12345', '--basis', '共享目录第7号');
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await hub?.stop();
    parking?.closeAllConnections();
    await new Promise((resolve) => parking.close(resolve));
    removeHome(home);
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const place = () => `127.0.0.1:${(parking.address() as AddressInfo).port}`;

  /** As the department of urban management. */
  async function publish(...options: readonly string[]): Promise<void> {
    const file = join(folder, 'parking.graphql');
    writeFileSync(file, served);
    const version = ['--url', `http://${place()}/graphql`, '--sdl', file];
    const ran = await weft(
      home,
      'publish',
      'parking',
      ...version,
      '--department',
      'urban-management',
      ...options,
    );
    if (ran.code !== 0) throw new Error(ran.stderr);
  }

  /** @param key empty: with nobody's token */
  async function open(key: string) {
    const opened = await openPage(browser, hub, '/systems');
    const { page } = opened;
    await page.waitForSelector(LIVE);
    if (key !== '') {
      await page.getByLabel('访问令牌').fill(key);
      await page.getByRole('button', { name: '使用', exact: true }).click();
      await page.getByText('正在使用令牌').waitFor();
    }
    await rowOf(page, 'police').waitFor({ timeout: SEEN_MS_MAX });
    return opened;
  }

  it('is led to by the command centre, and leads back', async () => {
    const { page, troubles } = await openPage(browser, hub, '/');
    const pages = page.getByRole('navigation', { name: '页面' });
    await pages.getByRole('link', { name: '系统登记' }).click();
    await page.getByRole('heading', { name: '系统登记', level: 1 }).waitFor();
    await pages.getByRole('link', { name: '指挥中心' }).click();
    await page.getByRole('heading', { name: '指挥中心', level: 1 }).waitFor();
    expect(troubles).toEqual([]);
    await page.close();
  });

  it('lists who takes part, how each is and in which version, and says what needs a token', async () => {
    const { page, troubles } = await open('');
    const table = page.getByRole('table', { name: '组成图的系统，按名称排列' });
    const police = table.getByRole('row', { name: /公安接处警系统/ });
    await police.getByRole('cell', { name: '正常' }).waitFor({ timeout: SEEN_MS_MAX });
    await police.getByRole('cell', { name: /^第 1 版/ }).waitFor();
    const own = table.getByRole('row', { name: /事件库/ });
    await own.getByRole('cell', { name: '枢纽自有' }).waitFor();
    expect(await table.getByRole('row').count()).toBe(12);
    await rowOf(page, 'parking').getByText('城管').waitFor();
    for (const name of ['发布记录', '检查与申请']) {
      const section = page.getByRole('region', { name });
      await section.getByText('使用令牌后可见。').waitFor();
      expect(await section.getByRole('row').count()).toBe(2);
    }
    await page.getByRole('textbox', { name: '字段（类型.字段）' }).fill('Query.parkingLots');
    await page.getByRole('button', { name: '查', exact: true }).click();
    await page.getByText('使用令牌后可查。').waitFor();
    await rowOf(page, 'parking').getByRole('button').click();
    const detail = page.getByRole('complementary').getByRole('region', { name: /停车/ });
    await detail.getByText('有些内容须令牌含').waitFor();
    expect(await detail.textContent()).not.toContain('0512-12345');
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN');
    expect(troubles).toEqual([]);
    await page.close();
  }, 120_000);

  it('shows by a token the publications, what was asked, and what protects a system', async () => {
    const refused = await weft(
      home,
      'publish',
      'parking',
      '--url',
      'http://10.0.0.1/',
      '--sdl',
      join(folder, 'parking.graphql'),
    );
    expect(refused.stderr).toContain('INVALID_URL');
    const { page, troubles } = await open(token);
    const publications = page.getByRole('table', { name: /图的各次发布/ });
    await publications
      .getByRole('row', { name: /^2 现行 .*parking 加入（第 1 版）/ })
      .waitFor({ timeout: SEEN_MS_MAX });
    await publications.getByRole('row', { name: /^1 .*weft up 随安装登记/ }).waitFor();
    const audit = page.getByRole('table', { name: /对登记处的申请/ });
    await audit.getByRole('row', { name: /发布版本 parking 地址不许可/ }).waitFor({ timeout: SEEN_MS_MAX });
    await audit.getByRole('row', { name: /urban-management-publisher 发布版本 parking 通过/ }).waitFor();
    const detail = page.getByRole('complementary').getByRole('region', { name: '公安接处警系统' });
    // The contracts are looked at some time after the start, and the panel is read when it is asked for.
    await waitFor(
      'the contracts of the police',
      async () => {
        await rowOf(page, 'police').getByRole('button').click();
        await detail.getByText('在图中').waitFor();
        return (await detail.getByText(/^policeExchange：(相符|已变)/).count()) > 0;
      },
      CONTRACTS_MS_MAX,
    );
    await detail.getByText(/^police（soap）：不限次数，同时 \d+ 次。$/).waitFor();
    await detail.getByText('畅通').first().waitFor();
    await rowOf(page, 'parking').getByRole('button').click();
    const facts = page.getByRole('complementary').getByRole('region', { name: /停车/ });
    await facts.getByText('0512-12345').waitFor();
    await facts.getByText('共享目录第7号').waitFor();
    expect(troubles).toEqual([]);
    await page.close();
  }, 180_000);

  it('says which clients use a field', async () => {
    const { page, troubles } = await open(token);
    const headers = {
      'content-type': 'application/json',
      'apollographql-client-name': 'city-screen',
      'apollographql-client-version': '1.4.0',
    };
    const body = JSON.stringify({ query: 'query Lots { parkingLots }' });
    const response = await fetch(hub.urls.graphql ?? '', { method: 'POST', headers, body });
    expect(await response.json()).toEqual({ data: { parkingLots: 7 } });
    const field = page.getByRole('textbox', { name: '字段（类型.字段）' });
    await field.fill('Query.unused');
    await field.press('Enter');
    await page.getByText('近三十天没有操作用过 Query.unused。').waitFor();
    await field.fill('Query.parkingLots');
    const row = page
      .getByRole('table', { name: /用过该字段的操作/ })
      .getByRole('row', { name: /^Lots city-screen 1\.4\.0 1 0 / });
    await waitFor(
      'the use to be reported',
      async () => {
        await field.press('Enter');
        await page.getByText(/个操作用过|没有操作用过/).waitFor();
        return (await row.count()) === 1;
      },
      SEEN_MS_MAX,
    );
    expect(troubles).toEqual([]);
    await page.close();
  }, 120_000);

  it('shows by itself what is published meanwhile, as text and never as markup', async () => {
    const { page, troubles } = await open(token);
    served = `${SDL} extend type Query { "车位: their number." parkingSpaces: Int }`;
    await publish('--reason', `${MARKUP} 第二版`);
    const publications = page.getByRole('table', { name: /图的各次发布/ });
    const row = publications.getByRole('row', { name: /^3 现行 .*parking 第 1 版 → 第 2 版/ });
    await row.waitFor({ timeout: SEEN_MS_MAX });
    expect(await row.textContent()).toContain(`${MARKUP} 第二版`);
    await rowOf(page, 'parking').getByText('第 2 版').waitFor({ timeout: SEEN_MS_MAX });
    expect(await rowOf(page, 'parking').textContent()).toContain(`${MARKUP} 停车`);
    expect(await page.locator('main img').count()).toBe(0);
    expect(troubles).toEqual([]);
    await page.close();
  }, 120_000);

  it('shows that a live system serves another schema than is registered, until it does not', async () => {
    const { page, troubles } = await open(token);
    const registered = served;
    served = `${SDL} extend type Query { "车位: their number." parkingSpaces: String }`;
    const told = rowOf(page, 'parking').getByText('实况与登记不符');
    await told.waitFor({ timeout: SEEN_MS_MAX });
    await rowOf(page, 'parking').getByRole('button').click();
    const detail = page.getByRole('complementary').getByRole('region', { name: /停车/ });
    await detail.getByText(/Query\.parkingSpaces/).waitFor();
    served = registered;
    await told.waitFor({ state: 'detached', timeout: SEEN_MS_MAX });
    expect(troubles).toEqual([]);
    await page.close();
  }, 180_000);

  it('says in words that the registry does not answer, and goes on when it does', async () => {
    const { page } = await open(token);
    process.kill(hub.pid('subgraphs'), 'SIGKILL');
    const note = page.getByRole('status').getByText('读不到：系统名录 无应答。稍后自动重试。');
    await note.first().waitFor({ timeout: SEEN_MS_MAX });
    // What was known stays.
    await rowOf(page, 'parking').waitFor();
    await waitFor('all to be read again', async () => (await note.count()) === 0, SEEN_MS_MAX);
    await page.close();
  }, 180_000);

  it.each([700, 400])('is as wide as a screen of %s', async (width) => {
    const { page, troubles } = await open(token);
    await page.setViewportSize({ width, height: 900 });
    await rowOf(page, 'police').getByRole('button').click();
    await page.getByRole('heading', { name: '访问预算' }).waitFor();
    // What is read meanwhile comes in: it is looked at again until it stands.
    await expect
      .poll(() => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'))
      .toBeLessThanOrEqual(0);
    // A state is read along the line, not down.
    const state = rowOf(page, 'police').locator('.state');
    await expect
      .poll(async () => {
        const box = await state.boundingBox();
        return box === null ? undefined : box.width > box.height;
      })
      .toBe(true);
    expect(troubles).toEqual([]);
    await page.close();
  });
});
