// A real browser for the pages, and what it complains of.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Hub } from '../support/hub.ts';

/** Undefined where there is none: the pages are not looked at. */
export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (file) => existsSync(file),
);
if (CHROMIUM === undefined) console.warn('SKIPPED: the pages are not looked at: there is no chromium');

export interface OpenPage {
  readonly page: Page;
  /** Errors that scripts threw or the page's policy raised, and requests to anywhere but the hub. */
  readonly troubles: readonly string[];
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** @param prepare called before the page is loaded */
export async function openPage(
  browser: Browser,
  hub: Hub,
  path: string,
  prepare?: (page: Page) => Promise<void>,
): Promise<OpenPage> {
  const page = await browser.newPage({ viewport: { width: 1_440, height: 900 } });
  const troubles: string[] = [];
  const origin = new URL(hub.urls.graphql ?? '').host;
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) troubles.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && new URL(request.url()).host !== origin)
      troubles.push(request.url());
  });
  await prepare?.(page);
  await page.goto(new URL(path, hub.urls.graphql).href);
  return { page, troubles };
}
