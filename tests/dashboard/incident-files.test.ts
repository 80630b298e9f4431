// What came with one incident, and who was told of it, on the live page in a browser: by the viewer's own authority, live, wide and narrow.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHome, type Hub, removeHome, startHub } from '../support/hub.ts';
import { openPerson, type Person } from '../support/people.ts';
import { callHotline } from '../support/simulated.ts';
import { waitFor } from '../support/wait.ts';
import { weft } from '../support/weft.ts';
import { CHROMIUM, launchBrowser, openPage } from './browser.ts';

/** 路南社区, of 姑苏区. */
const AREA = '320508017003';
const SHOWN_MS_MAX = 60_000;
const TEST_MS_MAX = 180_000;
const LIVE = '#banner[data-state=live]';
const SIDE = 64;
const OFFICER = ['--role', 'duty-officer', '--division', '320508'];

/** Of the page's DOM. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Iterable<number> };
  } | null;
}

/** A picture of one colour, as the PNG specification (third edition) has it. */
function png(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.from([0, ...Array.from({ length: SIDE }, () => [200, 30, 30]).flat()]);
  const rows = Buffer.concat(Array.from({ length: SIDE }, () => row));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    ...[signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))],
  ]);
}

const file = (page: Page, name: string) => page.locator('.attachments li', { hasText: name });
const told = (page: Page, state: string) =>
  page.locator(`#incident-notifications tr[data-notification=${state}]`);

describe.skipIf(CHROMIUM === undefined)('what came with an incident', { timeout: TEST_MS_MAX }, () => {
  const home = createHome();
  let hub: Hub;
  let browser: Browser;
  let officer: Person;
  let citizen: Person;
  let tokens: Readonly<Record<'officer' | 'citizen', string>>;
  beforeAll(async () => {
    hub = await startHub({ home });
    browser = await launchBrowser();
    const of = async (claims: readonly string[]) => (await weft(home, 'token', ...claims)).stdout.trim();
    const CITIZEN = ['--role', 'citizen', '--subject', 'wang'];
    tokens = { officer: await of(OFFICER), citizen: await of(CITIZEN) };
    officer = await openPerson(hub, ...OFFICER);
    citizen = await openPerson(hub, ...CITIZEN);
  }, TEST_MS_MAX);
  afterAll(async () => {
    await officer?.leave();
    await citizen?.leave();
    await browser?.close();
    await hub?.stop();
    removeHome(home);
  });

  /** @returns the id of the upload */
  async function upload(
    whose: keyof typeof tokens,
    bytes: Uint8Array<ArrayBuffer>,
    name: string,
  ): Promise<string> {
    const url = new URL(`/attachments?name=${encodeURIComponent(name)}`, hub.urls.graphql);
    const headers = { authorization: `Bearer ${tokens[whose]}` };
    const response = await fetch(url, { method: 'POST', headers, body: bytes });
    expect(response.status).toBe(201);
    return ((await response.json()) as { id: string }).id;
  }

  async function report(input: Readonly<Record<string, unknown>>): Promise<string> {
    const { reportIncident } = await citizen.get<{ reportIncident: { id: string } }>(
      'mutation ($input: ReportIncidentInput!) { reportIncident(input: $input) { id } }',
      { input: { requestId: randomUUID(), channel: 'APP', division: AREA, ...input } },
    );
    return reportIncident.id;
  }

  async function giveToken(page: Page, token: string): Promise<void> {
    await page.getByLabel('访问令牌').fill(token);
    await page.getByRole('button', { name: '使用', exact: true }).click();
  }

  it('is shown to who gives a token, with a preview of a picture, grows with the steps, and is saved whole', async () => {
    const picture = Uint8Array.from(png());
    const attachments = [await upload('citizen', picture, '坑洞.png')];
    const id = await report({ title: '路面坑洞', attachments });
    const { page, troubles } = await openPage(browser, hub, `/#incident=${id}`);
    await page.waitForSelector(LIVE);
    await page
      .locator('#incident-attachments')
      .getByText('使用令牌后可见。')
      .waitFor({ timeout: SHOWN_MS_MAX });
    await giveToken(page, tokens.officer);
    await file(page, '坑洞.png')
      .getByRole('img', { name: '坑洞.png 的预览' })
      .waitFor({ timeout: SHOWN_MS_MAX });
    const row = (await file(page, '坑洞.png').textContent()) ?? '';
    for (const part of [/PNG 图片，\d+ B/, /上报时由 上报人（群众） 添加，\d{4}\/\d\d\/\d\d/])
      expect(row).toMatch(part);
    const pixel = await file(page, '坑洞.png')
      .locator('canvas')
      .evaluate((canvas: Canvas) => {
        const { width, height } = canvas;
        const drawn = canvas.getContext('2d')?.getImageData(width / 2, height / 2, 1, 1);
        return [width, height, ...(drawn?.data ?? [])];
      });
    expect(pixel).toEqual([SIDE, SIDE, 200, 30, 30, 255]);

    const note = await upload('officer', Uint8Array.from(Buffer.from('现场已看，属实。')), '记录.txt');
    await officer.act('acceptIncident', id, `attachments: ["${note}"]`);
    await file(page, '记录.txt').waitFor({ timeout: SHOWN_MS_MAX });
    expect(await file(page, '记录.txt').textContent()).toMatch(/文本，24 B受理时由 .*（值班席） 添加/);

    const saving = page.waitForEvent('download', { timeout: SHOWN_MS_MAX });
    await page.getByRole('button', { name: '下载 坑洞.png' }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe('坑洞.png');
    expect(readFileSync(await saved.path()).equals(picture)).toBe(true);
    expect(troubles).toEqual([]);

    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(await page.getByRole('button', { name: '下载 坑洞.png' }).isVisible()).toBe(true);
    await page.close();
  });

  it('says why a file cannot be had', async () => {
    const attachments = [await upload('citizen', Uint8Array.from(Buffer.from('说明')), '说明.txt')];
    const id = await report({ title: '噪声', attachments });
    const { page } = await openPage(browser, hub, `/#incident=${id}`);
    await giveToken(page, tokens.officer);
    await file(page, '说明.txt').waitFor({ timeout: SHOWN_MS_MAX });
    await page.evaluate(() => sessionStorage.setItem('weft.token', 'expired'));
    await page.getByRole('button', { name: '下载 说明.txt' }).click();
    await page.getByText('下载失败：令牌无效或已过期。').waitFor({ timeout: SHOWN_MS_MAX });
    await giveToken(page, 'expired, too');
    await page.getByText('令牌无效或已过期：请换一个').waitFor({ timeout: SHOWN_MS_MAX });
    await page.close();
  });

  it('of a confidential incident is shown by the graph’s own rule, and goes with the token', async () => {
    const attachments = [await upload('citizen', Uint8Array.from(Buffer.from('证词')), '证词.txt')];
    const id = await report({ title: '举报线索', confidential: true, attachments });
    const { page } = await openPage(browser, hub, `/#incident=${id}`);
    const none = page.getByText('没有这件事件，或无权查看。');
    await none.waitFor({ timeout: SHOWN_MS_MAX });
    await giveToken(page, tokens.officer);
    await file(page, '证词.txt').waitFor({ timeout: SHOWN_MS_MAX });
    await officer.act('acceptIncident', id);
    await page.locator('#incident-steps li[data-kind=ACCEPTED]').waitFor({ timeout: SHOWN_MS_MAX });
    await giveToken(page, '');
    await none.waitFor({ timeout: SHOWN_MS_MAX });
    expect(await page.locator('#incident').textContent()).not.toMatch(/证词|举报线索/);
    await page.close();
  });

  it('was told to its reporters, each by the way that they came, and the page shows when that becomes known', async () => {
    const subject = '三人上报';
    const orderNo = await callHotline(hub, { externalRef: subject, subject, areaCode: AREA });
    const id = await waitFor('the incident', async () => {
      const { data } = await hub.query<{ incidentByExternalNumber: { id: string } | null }>(
        'query ($n: ID!) { incidentByExternalNumber(kind: "hotlineOrder", number: $n) { id } }',
        { n: orderNo },
      );
      return data?.incidentByExternalNumber?.id;
    });
    const camera = await report({
      ...{ title: subject, channel: 'SYSTEM_PUSH' },
      reporters: [{ kind: 'EXTERNAL_SYSTEM', name: '摄像机' }],
    });
    await officer.act('mergeIncident', await report({ title: subject }), `into: "${id}"`);
    await officer.act('mergeIncident', camera, `into: "${id}"`);
    const { page } = await openPage(browser, hub, `/#incident=${id}`);
    await page.waitForSelector(LIVE);
    await page.getByText('还没有须告知的事。').waitFor({ timeout: SHOWN_MS_MAX });
    await officer.act('acceptIncident', id);
    await told(page, 'SENT').filter({ hasText: '由热线系统告知' }).waitFor({ timeout: SHOWN_MS_MAX });
    for (const [state, parts] of [
      ['SENT', ['受理', '人民群众', '统一APP', '已发送', '本人在枢纽查看']],
      ['NO_RECIPIENT', ['外部系统转入', '系统推送', '无需告知', '没有人等待告知']],
    ] as const) {
      const row = parts.reduce((found, hasText) => found.filter({ hasText }), told(page, state));
      expect(await row.count(), state).toBe(1);
    }
    await page.close();
  });
});
