import { describe, expect, it } from 'vitest';
import { parseDateTime } from './date-time.ts';

describe('DateTime', () => {
  it('is RFC 3339 with an offset', () => {
    expect(parseDateTime('2026-11-22T08:00:00+08:00')?.toISOString()).toBe('2026-11-22T00:00:00.000Z');
    expect(parseDateTime('2024-02-29T00:00:00.123456Z')?.toISOString()).toBe('2024-02-29T00:00:00.123Z');
    // The day is the one that is written, not the one that it is in Greenwich.
    expect(parseDateTime('2026-03-01T01:00:00+08:00')?.toISOString()).toBe('2026-02-28T17:00:00.000Z');
  });

  it.each([
    '2026-11-22T08:00:00',
    '2026-11-22',
    '2026-11-22 08:00:00Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-22T25:00:00Z',
    '0000-06-01T00:00:00Z',
    'yesterday',
    '',
  ])('is not %j', (text) => {
    expect(parseDateTime(text)).toBeUndefined();
  });
});
