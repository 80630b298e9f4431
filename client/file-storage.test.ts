import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileStorage } from './file-storage.ts';
import { type CursorStorage, memoryStorage, webStorage } from './storage.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-cursors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function mapAsWebStorage() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  };
}

const KINDS: readonly (readonly [string, () => CursorStorage])[] = [
  ['in memory', memoryStorage],
  ['in a Web Storage', () => webStorage(mapAsWebStorage())],
  ['in files', () => fileStorage(join(folder, 'deep', 'er'))],
];

describe.each(KINDS)('a storage of cursors %s', (_kind, open) => {
  it('gives back the last that was written, by name, and nothing under another', async () => {
    const storage = open();
    expect(await storage.read('a')).toBeUndefined();
    await Promise.all(Array.from({ length: 20 }, (_, n) => storage.write('a', `c${n}`)));
    await storage.write('b/../../x', 'other');
    expect(await storage.read('a')).toBe('c19');
    expect(await storage.read('b/../../x')).toBe('other');
    expect(await storage.read('c')).toBeUndefined();
  });
});

describe('a storage in files', () => {
  it('keeps to its folder, and is read by the next process', async () => {
    await fileStorage(folder).write('../up', 'c1');
    expect(await fileStorage(folder).read('../up')).toBe('c1');
    expect(readdirSync(folder)).toContain('..%2Fup.cursor');
  });
});
