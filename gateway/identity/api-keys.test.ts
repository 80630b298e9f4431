import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiKeys, openApiKeys } from './api-keys.ts';
import { CredentialsRefused } from './credentials.ts';
import { IDENTITY_LIMITS } from './limits.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const SCREEN = { id: 'screen', sha256: sha256('key of the screen'), roles: ['operator'], scopes: ['read'] };
const FEED = { id: 'feed', sha256: sha256('key of the feed'), division: '320508' };

let folder: string;
let file: string;
let keys: ApiKeys | undefined;
let changes: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-api-keys-'));
  file = join(folder, 'api-keys.json');
  changes = 0;
});
afterEach(() => {
  keys?.close();
  keys = undefined;
  rmSync(folder, { recursive: true });
});

async function open(content: unknown, now?: () => number): Promise<ApiKeys> {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  const logger = createLogger('test', 'silent');
  const onChange = () => {
    changes += 1;
  };
  keys = await openApiKeys({ file, limits: { ...IDENTITY_LIMITS, apiKeysMax: 3 }, logger, onChange, now });
  return keys;
}

describe('API keys', () => {
  it('are known by their hashes, each with an authority of its own', async () => {
    const { identify } = await open({ apiKeys: [SCREEN, FEED] });
    expect(identify('key of the screen')).toMatchObject({
      isAuthenticated: true,
      subject: 'screen',
      issuer: undefined,
      roles: ['operator'],
      scopes: ['read'],
      division: undefined,
    });
    expect(identify('key of the feed')).toMatchObject({ subject: 'feed', roles: [], division: '320508' });
  });

  it.each([
    '',
    'key of the scree',
    'key of the screen ',
    SCREEN.sha256,
    'x'.repeat(257),
    undefined,
    ['key of the feed'],
  ])('are not %j', async (given) => {
    const { identify } = await open({ apiKeys: [SCREEN, FEED] });
    expect(() => identify(given)).toThrow(CredentialsRefused);
  });

  it('end when they say so', async () => {
    let now = Date.parse('2026-12-01T00:00:00Z') - 1;
    const { identify } = await open(
      { apiKeys: [{ ...FEED, expiresAt: '2026-12-01T08:00:00+08:00' }] },
      () => now,
    );
    expect(identify('key of the feed').expiresAtMs).toBe(now + 1);
    now += 1;
    expect(() => identify('key of the feed')).toThrow(CredentialsRefused);
  });

  it('are read again when the file changes: those that stay keep their principal, those that go hold no more', async () => {
    const { identify, holds } = await open({ apiKeys: [SCREEN, FEED] });
    const [screen, feed] = [identify('key of the screen'), identify('key of the feed')];
    writeFileSync(file, JSON.stringify({ apiKeys: [SCREEN] }));
    await expect.poll(() => changes, { timeout: 10_000 }).toBe(1);
    expect(identify('key of the screen')).toBe(screen);
    expect(holds(screen)).toBe(true);
    expect(holds(feed)).toBe(false);
    expect(() => identify('key of the feed')).toThrow(CredentialsRefused);
  });

  it('serve on when the file cannot be used any more', async () => {
    const { identify, reload } = await open({ apiKeys: [SCREEN] });
    writeFileSync(file, '{');
    reload();
    expect(identify('key of the screen').subject).toBe('screen');
  });

  it('may be written as docs/settings.md shows', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/settings.md'), 'utf8');
    const [, example = ''] = /```json\n([^`]+"apiKeys"[^`]+)```/.exec(page) ?? [];
    const { identify } = await open(example, () => 0);
    expect(identify('hello, wall')).toMatchObject({ subject: 'wall-screen', division: '320508' });
  });

  it.each([
    ['is not JSON', '{', /is not JSON/],
    ['has no list', {}, /apiKeys/],
    ['holds a key itself', { apiKeys: [{ ...SCREEN, key: 'x' }] }, /key/],
    ['has no hash', { apiKeys: [{ ...SCREEN, sha256: 'key' }] }, /64 hex digits/],
    ['has an id twice', { apiKeys: [SCREEN, { ...FEED, id: 'screen' }] }, /same id/],
    ['has a key twice', { apiKeys: [SCREEN, { ...SCREEN, id: 'b' }] }, /same key/],
    ['names no division', { apiKeys: [{ ...FEED, division: 'x' }] }, /GB\/T 2260/],
    [
      'has too many',
      { apiKeys: ['a', 'b', 'c', 'd'].map((id) => ({ id, sha256: sha256(id) })) },
      /at most 3/,
    ],
  ])('are refused at start when the file %s', async (_what, content, message) => {
    await expect(open(content)).rejects.toThrow(OperatorError);
    await expect(open(content)).rejects.toThrow(message);
  });
});
