// Looking inside an operation: who may, what they see, and that nobody else sees anything.
import { readGatewayConfig } from '@weft/gateway/config';
import { createPrincipal } from '@weft/gateway/identity/principal';
import { mayInspect, readInspection } from '@weft/gateway/observe/inspect';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ObservedGateway, startObservedGateway } from './observed-gateway.ts';

interface Weft {
  readonly plan?: { readonly text: string; readonly tree: unknown };
  readonly timings?: {
    readonly traceId: string;
    readonly totalMs: number;
    readonly fetches: readonly Readonly<Record<string, unknown>>[];
  };
}

const QUERY = '{ orders { id status } open }';
let gateway: ObservedGateway;
beforeAll(async () => {
  gateway = await startObservedGateway();
});
afterAll(() => gateway?.close());
beforeEach(() => {
  gateway.police.fault = undefined;
});

async function look(header: string | undefined, query = QUERY): Promise<Weft | undefined> {
  const response = await gateway.post({ query }, header === undefined ? {} : { 'x-weft-inspect': header });
  const body = (await response.json()) as { readonly extensions?: { readonly weft?: Weft } };
  return body.extensions?.weft;
}

describe('x-weft-inspect', () => {
  it('shows the plan as it is printed and as a tree', async () => {
    const weft = await look('plan');
    expect(weft?.plan?.text).toMatch(/ask police for orders/);
    expect(JSON.stringify(weft?.plan?.tree)).toContain(
      '{"kind":"fetch","system":"police","operation":"query","path":["orders","@"],"isEntities":true',
    );
    expect(weft).not.toHaveProperty('timings');
  });

  it('shows of each fetch when it was sent, how long it took, for how many entities, and what came', async () => {
    const weft = await look('timings');
    const fetches = weft?.timings?.fetches ?? [];
    expect(fetches).toHaveLength(3);
    expect(fetches).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          system: 'police',
          paths: [['orders', '@']],
          entities: 2,
          status: 200,
          bytes: expect.any(Number),
          startMs: expect.any(Number),
          durationMs: expect.any(Number),
          shared: false,
          errors: 0,
        }),
      ]),
    );
    for (const fetch of fetches)
      expect(Number(fetch.startMs) + Number(fetch.durationMs)).toBeLessThanOrEqual(
        (weft?.timings?.totalMs ?? 0) + 0.02,
      );
    expect(weft).not.toHaveProperty('plan');
  });

  it('says why a fetch brought nothing', async () => {
    gateway.police.fault = { kind: 'status', status: 503, body: '' };
    const weft = await look('timings, plan', '{ orders { status } }');
    expect(weft?.timings?.fetches).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE', status: 503 })]),
    );
  });

  it('comes with the last part of an answer in parts', async () => {
    const response = await gateway.post(
      { query: '{ orders { id ... @defer { status } } }' },
      { accept: 'multipart/mixed;deferSpec=20220824', 'x-weft-inspect': 'plan,timings' },
    );
    const parts = (await response.text()).split('---').flatMap((part) => part.match(/\{.*\}/s) ?? []);
    expect(parts.at(0)).not.toContain('"weft"');
    const last = JSON.parse(parts.at(-1) ?? '{}') as { extensions: { weft: Weft } };
    expect(last.extensions.weft.timings?.fetches).toHaveLength(2);
    expect(last.extensions.weft.plan?.text).toContain('later');
  });

  it.each([undefined, '', 'everything', 'x'.repeat(200)])('shows nothing for %j', async (header) => {
    expect(await look(header)).toBeUndefined();
  });
});

describe('who may look inside', () => {
  const anonymous = { roles: [], scopes: [] };
  const officer = createPrincipal({ subject: 'a', roles: ['operator'] });
  const tool = createPrincipal({ subject: 'b', scopes: ['inspect'] });
  const settingOf = (env: Record<string, string>) =>
    readGatewayConfig({ WEFT_SUPERGRAPH_FILE: import.meta.filename, ...env }).observe?.inspect ?? 'off';

  it('is everybody in development, and nobody in production', () => {
    expect(mayInspect(settingOf({}), { ...officer, ...anonymous })).toBe(true);
    expect(mayInspect(settingOf({ NODE_ENV: 'production' }), officer)).toBe(false);
  });

  it('is whoever has the role or the scope that the setting names', () => {
    const setting = settingOf({ NODE_ENV: 'production', WEFT_INSPECT: 'operator' });
    expect(mayInspect(setting, officer)).toBe(true);
    expect(mayInspect(setting, tool)).toBe(false);
    expect(mayInspect(settingOf({ WEFT_INSPECT: 'inspect' }), tool)).toBe(true);
  });

  it('is never everybody in production: the setting is refused', () => {
    expect(() => settingOf({ NODE_ENV: 'production', WEFT_INSPECT: 'development' })).toThrow(/WEFT_INSPECT/);
  });

  it('sees nothing where it is off, whatever it asks for', async () => {
    const closed = await startObservedGateway({ WEFT_INSPECT: 'off' });
    try {
      const response = await closed.post({ query: QUERY }, { 'x-weft-inspect': 'plan, timings' });
      expect(await response.json()).not.toHaveProperty('extensions');
    } finally {
      await closed.close();
    }
  });
});

describe('readInspection', () => {
  it('takes the words in any order and case', () => {
    expect(readInspection(' Timings , PLAN')).toEqual({ plan: true, timings: true });
    expect(readInspection('timings')).toEqual({ plan: false, timings: true });
  });
});
