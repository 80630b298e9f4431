// Laws of the ports that a hub gives its parts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assignPorts } from './run-file.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'weft-ports-'));
});
afterEach(() => rmSync(home, { recursive: true }));

/** Of so many, drawn by chance from some 12,000, several would be the same. */
const MANY = Array.from({ length: 800 }, (_, index) => `part${index}`);

describe('the ports of a hub', () => {
  it('are no two the same, though nobody listens yet', async () => {
    const ports = Object.values(await assignPorts(home, MANY));
    expect(new Set(ports).size).toBe(ports.length);
  });

  it('are none that a part will have beside them, nor one that another part had the last time', async () => {
    const first = await assignPorts(home, MANY);
    const taken = new Set(Object.values(first).slice(0, 400));
    const second = await assignPorts(home, MANY, taken);
    const ports = Object.values(second);
    expect(ports.filter((port) => taken.has(port))).toEqual([]);
    expect(new Set(ports).size).toBe(ports.length);
    expect(ports.slice(400)).toEqual(Object.values(first).slice(400));
  });

  it('are given anew where the file of the last start gives one twice', async () => {
    writeFileSync(join(home, 'ports.json'), JSON.stringify({ ash: 21_987, birch: 21_987 }));
    const { ash, birch } = await assignPorts(home, ['ash', 'birch']);
    expect(ash).not.toBe(birch);
  });
});
