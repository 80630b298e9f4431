import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSecrets, requireSecrets } from './secrets.ts';

describe('openSecrets', () => {
  it('takes the mounted file before the environment', () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-secrets-'));
    try {
      writeFileSync(join(directory, 'hotline-app-key'), 'from file\n');
      const secrets = openSecrets(directory, { SECRET_HOTLINE_APP_KEY: 'from env', SECRET_OTHER: 'other' });
      expect(secrets('hotline-app-key')).toBe('from file');
      expect(secrets('other')).toBe('other');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('names both places of one that is missing', () => {
    expect(() => openSecrets(undefined, {})('hotline-webhook')).toThrow(
      /SECRET_HOTLINE_WEBHOOK.*WEFT_SECRETS_DIR/,
    );
    expect(() => openSecrets('/srv/secrets', {})('hotline-webhook')).toThrow(
      'set SECRET_HOTLINE_WEBHOOK or put it into the file /srv/secrets/hotline-webhook',
    );
  });
});

describe('requireSecrets', () => {
  it('names all that are missing in one line, with who needs each, and no value of those that are there', () => {
    const secrets = openSecrets('/srv/secrets', { SECRET_THERE: 'value' });
    const needed = new Map([
      ['there', ['police']],
      ['one-key', ['market', 'grid']],
      ['two-key', ['market']],
    ]);
    expect(() => requireSecrets(secrets, needed)).toThrow(
      'secret "one-key" is missing: set SECRET_ONE_KEY or put it into the file /srv/secrets/one-key (for market, grid); ' +
        'secret "two-key" is missing: set SECRET_TWO_KEY or put it into the file /srv/secrets/two-key (for market)',
    );
    expect(() => requireSecrets(secrets, new Map([['there', ['police']]]))).not.toThrow();
  });
});
