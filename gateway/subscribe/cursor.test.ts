// The laws of cursors.
import { describe, expect, it } from 'vitest';
import { type CursorBinding, createCursorCodec, type KeyRing } from './cursor.ts';

const secret = (letter: string) => letter.repeat(32);
const binding: CursorBinding = { topic: 'incident', field: 'incidentChanged', principal: 'anonymous' };
const invalid = expect.objectContaining({ code: 'INVALID_CURSOR' });
const codecOf = (...keys: [string, string][]) =>
  createCursorCodec(keys.map(([id, letter]) => ({ id, secret: secret(letter) })) as unknown as KeyRing);

describe('cursor', () => {
  const codec = codecOf(['k1', 'a']);

  it('gives back the position it was made from', () => {
    for (const position of ['0.0', '733.1', '18446744073709551615.9223372036854775807']) {
      const cursor = codec.encode(position, binding);
      expect(cursor).toMatch(/^[A-Za-z0-9._-]+$/);
      expect(codec.decode(cursor, binding)).toBe(position);
    }
  });

  it('is refused when any bit of any character is flipped', () => {
    const bytes = Buffer.from(codec.encode('733.1', binding), 'latin1');
    for (let index = 0; index < bytes.length; index++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(bytes);
        damaged.writeUInt8(damaged.readUInt8(index) ^ (1 << bit), index);
        expect(() => codec.decode(damaged.toString('latin1'), binding)).toThrow(invalid);
      }
    }
  });

  it('is a stem that is the same for all, and a mark that is the same for all places of a principal', () => {
    const { topic, field } = binding;
    const stem = codec.stem('733.1', { topic, field });
    expect(stem + codec.mark(binding)).toBe(codec.encode('733.1', binding));
    const other = { ...binding, principal: 'somebody' };
    expect(codec.decode(stem + codec.mark(other), other)).toBe('733.1');
    expect(() => codec.decode(stem + codec.mark(other), binding)).toThrow(invalid);
  });

  it('is refused when any character is replaced, cut off or added', () => {
    const cursor = codec.encode('733.1', binding);
    for (let index = 0; index <= cursor.length; index++) {
      for (const character of ['A', 'B', '_', '=', ' ', '\n', '经']) {
        const added = cursor.slice(0, index) + character + cursor.slice(index);
        expect(() => codec.decode(added, binding)).toThrow(invalid);
        const replaced = cursor.slice(0, index) + character + cursor.slice(index + 1);
        if (replaced !== cursor) expect(() => codec.decode(replaced, binding)).toThrow(invalid);
      }
      if (index < cursor.length) expect(() => codec.decode(cursor.slice(0, index), binding)).toThrow(invalid);
    }
  });

  it('is refused for another topic, field or principal, however the parts are joined', () => {
    const cursor = codec.encode('733.1', binding);
    const others: CursorBinding[] = [
      { ...binding, topic: 'incidents' },
      { ...binding, field: 'caseChanged' },
      { ...binding, principal: 'somebody' },
      { topic: 'inciden', field: 'tincidentChanged', principal: 'anonymous' },
      { topic: 'incident', field: 'incidentChangeda', principal: 'nonymous' },
    ];
    for (const other of others) expect(() => codec.decode(cursor, other)).toThrow(invalid);
  });

  it('stays good while its key is in the ring, and dies with it', () => {
    const old = codec.encode('733.1', binding);
    const both = codecOf(['k2', 'b'], ['k1', 'a']);
    expect(both.decode(old, binding)).toBe('733.1');
    expect(() => codec.decode(both.encode('733.1', binding), binding)).toThrow(invalid);
    expect(() => codecOf(['k2', 'b']).decode(old, binding)).toThrow(invalid);
    expect(() => codecOf(['k1', 'b']).decode(old, binding)).toThrow(invalid);
  });

  it('is refused when it is no text at all, or too long a text', () => {
    for (const other of [undefined, null, 7, {}, ['x'], '', 'A'.repeat(10_000)]) {
      expect(() => codec.decode(other, binding)).toThrow(invalid);
    }
  });

  it('is never signed with a short secret, a strange id or two keys of one name', () => {
    expect(() => createCursorCodec([{ id: 'k1', secret: 'short' }])).toThrow(/32 bytes/);
    expect(() => codecOf(['a|b', 'a'])).toThrow(/id/);
    expect(() => codecOf(['k1', 'a'], ['k1', 'b'])).toThrow(/two/);
  });
});
