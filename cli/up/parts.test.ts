import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readUpConfig } from './config.ts';
import { PORT_NAMES, planParts } from './parts.ts';

describe('planParts', () => {
  const home = mkdtempSync(join(tmpdir(), 'weft-parts-'));
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });

  function environmentOf(part: string): Readonly<Record<string, string>> {
    const ports = Object.fromEntries(PORT_NAMES.map((name, index) => [name, 1000 + index]));
    const specs = planParts({
      home,
      config: readUpConfig({}, []),
      databaseUrl: 'postgresql://weft@127.0.0.1/weft',
      secrets: {
        directory: join(home, 'secrets'),
        keysFile: 'keys.json',
        hotlineAppKey: 'a',
        hotlineWebhook: 'b',
      },
      ports: ports as Record<(typeof PORT_NAMES)[number], number>,
      stored: [{ name: 'market', kind: 'WRAPPED', sdl: '', environment: ['MARKET_URL', 'WEFT_POLICE_URL'] }],
    });
    return specs.find(({ name }) => name === part)?.env ?? {};
  }

  it('gives the connectors the addresses and secrets that the SDL of any wrapped system names, and nobody else', () => {
    vi.stubEnv('MARKET_URL', 'http://127.0.0.1:4091');
    vi.stubEnv('SECRET_MARKET_KEY', 'key');
    vi.stubEnv('UNRELATED', 'x');
    expect(environmentOf('connectors')).toMatchObject({
      MARKET_URL: 'http://127.0.0.1:4091',
      SECRET_MARKET_KEY: 'key',
    });
    expect(environmentOf('connectors').UNRELATED).toBeUndefined();
    expect(environmentOf('gateway').SECRET_MARKET_KEY).toBeUndefined();
    expect(environmentOf('police').DATABASE_URL).toBeUndefined();
  });

  it('lets a real system stand in the place of a simulated one', () => {
    expect(environmentOf('connectors').WEFT_POLICE_URL).toBe('http://127.0.0.1:1005/CaseService');
    vi.stubEnv('WEFT_POLICE_URL', 'http://10.0.0.1/CaseService');
    expect(environmentOf('connectors').WEFT_POLICE_URL).toBe('http://10.0.0.1/CaseService');
  });
});
