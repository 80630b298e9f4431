import { describe, expect, it } from 'vitest';
import { cutCloseReason } from './connection.ts';

describe('the reason of a close frame', () => {
  it('has at most 123 bytes', () => {
    expect(cutCloseReason('x'.repeat(123))).toBe('x'.repeat(123));
    expect(cutCloseReason('x'.repeat(124))).toBe('x'.repeat(123));
    expect(cutCloseReason('')).toBe('');
  });

  it('is never cut in the middle of a character', () => {
    expect(cutCloseReason(`x${'长'.repeat(50)}`)).toBe(`x${'长'.repeat(40)}`);
    expect(cutCloseReason('😀'.repeat(50))).toBe('😀'.repeat(30));
  });
});
