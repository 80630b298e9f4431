import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRenewal, endOfToken } from './token.ts';

const jwt = (exp: unknown) => `h.${btoa(JSON.stringify({ exp })).replaceAll('=', '')}.s`;

describe('the end of a token', () => {
  it('is read from a JSON Web Token, and unknown for any other', () => {
    expect(endOfToken(jwt(1_700_000_000))).toBe(1_700_000_000_000);
    for (const token of ['opaque', 'a.b.c', '', 'a..c', jwt('soon'), 'h.bnVsbA.s'])
      expect(endOfToken(token)).toBeUndefined();
  });
});

describe('the renewal of a token', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const endsIn = (seconds: number) => jwt(Date.now() / 1_000 + seconds);

  function begin(source: () => Promise<string>) {
    const sent: string[] = [];
    let refused = 0;
    const renewal = createRenewal({
      source,
      renewBeforeMs: 30_000,
      send: (authorization) => sent.push(authorization),
      onRefused: () => {
        refused += 1;
      },
    });
    return { renewal, sent, refused: () => refused };
  }

  it('sends a fresh token before the old one ends, and again before the end that the gateway names', async () => {
    const { renewal, sent, refused } = begin(async () => 'fresh');
    renewal.began(endsIn(100));
    await vi.advanceTimersByTimeAsync(69_000);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(sent).toEqual(['Bearer fresh']);
    renewal.answered({ authorization: 'renewed', expiresAt: new Date(Date.now() + 50_000).toISOString() });
    await vi.advanceTimersByTimeAsync(24_000);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sent).toHaveLength(2);
    expect(refused()).toBe(0);
  });

  it('tells of a refusal, and of a server that sends the payload back because it knows of none of this', async () => {
    for (const answer of [{ authorization: 'refused' }, { authorization: 'Bearer fresh' }]) {
      const { renewal, refused } = begin(async () => 'fresh');
      renewal.began(endsIn(10));
      await vi.advanceTimersByTimeAsync(6_000);
      renewal.answered(undefined);
      expect(refused()).toBe(0);
      renewal.answered(answer);
      expect(refused()).toBe(1);
      renewal.stop();
    }
  });

  it('asks again when the source fails, and sends nothing of a connection that is gone', async () => {
    let isDown = true;
    let asked = 0;
    const { renewal, sent } = begin(async () => {
      asked += 1;
      if (isDown) throw new Error('down');
      return 'fresh';
    });
    renewal.began(endsIn(20));
    await vi.advanceTimersByTimeAsync(11_000);
    expect([asked, sent.length]).toEqual([1, 0]);
    isDown = false;
    await vi.advanceTimersByTimeAsync(5_500);
    expect([asked, sent]).toEqual([2, ['Bearer fresh']]);
    renewal.began(endsIn(20));
    renewal.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
  });
});
