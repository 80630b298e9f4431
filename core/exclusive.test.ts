import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { holdExclusively } from './exclusive.ts';

describe('holdExclusively', () => {
  it('lets one in at a time, and the next one after the release', async () => {
    const name = randomUUID();
    const all = await Promise.all(Array.from({ length: 8 }, () => holdExclusively(name)));
    const held = all.filter((release) => release !== undefined);
    expect(held).toHaveLength(1);
    expect(await holdExclusively(randomUUID())).toBeDefined();
    await held[0]?.();
    expect(await holdExclusively(name)).toBeDefined();
  });

  it('is free again as soon as its holder was killed', async () => {
    const name = randomUUID();
    const module = fileURLToPath(new URL('./exclusive.ts', import.meta.url));
    const code = `const { holdExclusively } = await import(${JSON.stringify(module)});
      await holdExclusively(${JSON.stringify(name)}); process.stdout.write('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    expect(await holdExclusively(name)).toBeUndefined();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(await holdExclusively(name)).toBeDefined();
  });
});
