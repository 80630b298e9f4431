// GraphQL over HTTP judged from outside: the audits of graphql-http against a running gateway, by their stable ids.
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLibraryGateway } from './edge-gateway.ts';

/**
 * Each asks with a GET that no browser would ask for first; with the protection on that is refused, as the page of another
 * site could have sent it. POST is there for all of them.
 */
const CONFLICTING: Readonly<Record<string, string>> = {
  '5A70': 'MAY accept application/x-www-form-urlencoded formatted GET requests',
  '6A70': 'MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/json',
  D6D5: 'MAY allow URL-encoded JSON string {variables} parameter in GETs when accepting application/graphql-response+json',
};

async function judge(url: string): Promise<ReadonlyMap<string, string>> {
  const verdicts = new Map<string, string>();
  for (const audit of serverAudits({ url, fetchFn: fetch })) {
    const result = await audit.fn();
    verdicts.set(
      audit.id,
      result.status === 'ok' ? 'ok' : `${result.status}: ${audit.name}: ${result.reason}`,
    );
  }
  return verdicts;
}

const failuresOf = (verdicts: ReadonlyMap<string, string>) =>
  Object.fromEntries([...verdicts].filter(([, verdict]) => verdict !== 'ok'));

const AUDITS = 61;

describe('the audits of graphql-http', () => {
  let open: Started;
  let guarded: Started;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const rig = await startLibraryGateway(createLogger('test', 'silent'));
    open = await rig.start({ WEFT_CSRF: 'false' });
    guarded = await rig.start({});
    close = rig.close;
  });
  afterAll(() => close?.());

  it(`are met, all ${AUDITS}, where a GET needs no header`, async () => {
    const verdicts = await judge(open.urls.graphql ?? '');
    expect(failuresOf(verdicts)).toEqual({});
    expect(verdicts.size).toBe(AUDITS);
  });

  it('are met but for the GETs that the protection refuses, where it is on', async () => {
    const verdicts = await judge(guarded.urls.graphql ?? '');
    expect(Object.keys(failuresOf(verdicts)).sort()).toEqual(Object.keys(CONFLICTING).sort());
    expect(verdicts.size).toBe(AUDITS);
  });
});
