import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSecrets } from './secrets.ts';

describe('openSecrets', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'weft-secrets-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

  it('makes keys once, and gives those who verify the keys of subgraphs alone', () => {
    const { keysFile, subgraphKeysFile } = openSecrets(home);
    const keys = read(keysFile);
    expect(Object.keys(keys)).toEqual(['cursorKeys', 'subgraphKeys']);
    expect(read(subgraphKeysFile)).toEqual({ subgraphKeys: keys.subgraphKeys });
    for (const file of [keysFile, subgraphKeysFile]) expect(statSync(file).mode & 0o077).toBe(0);
    openSecrets(home);
    expect(read(keysFile)).toEqual(keys);
  });

  it('adds what the keys of an earlier version lack, and leaves the rest', () => {
    const cursorKeys = [{ id: 'old', secret: 'x'.repeat(43) }];
    writeFileSync(join(home, 'keys.json'), JSON.stringify({ cursorKeys }));
    const keys = read(openSecrets(home).keysFile);
    expect(keys.cursorKeys).toEqual(cursorKeys);
    expect(keys.subgraphKeys).toHaveLength(1);
  });

  it('hands on keys that were put in front, for rotation', () => {
    const { keysFile, subgraphKeysFile } = openSecrets(home);
    const { subgraphKeys, ...rest } = read(keysFile);
    const rotated = [{ id: 'new', secret: 'y'.repeat(43) }, ...subgraphKeys];
    writeFileSync(keysFile, JSON.stringify({ ...rest, subgraphKeys: rotated }));
    openSecrets(home);
    expect(read(subgraphKeysFile)).toEqual({ subgraphKeys: rotated });
  });

  it('does not write over keys that it cannot read', () => {
    writeFileSync(join(home, 'keys.json'), '{ "cursorKeys": [');
    expect(() => openSecrets(home)).toThrow(/is not a JSON object: mend it/);
  });
});
