import { describe, expect, it } from 'vitest';
import { freePort, isPortFree } from './process-table.ts';

describe('a free port', () => {
  it('is below those that connections out are given, free, and hardly ever one that another was told', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    for (const port of ports) {
      expect(port).toBeGreaterThanOrEqual(20_000);
      expect(port).toBeLessThan(32_768);
      expect(await isPortFree(port, '127.0.0.1')).toBe(true);
    }
    expect(new Set(ports).size).toBeGreaterThan(17);
  });
});
