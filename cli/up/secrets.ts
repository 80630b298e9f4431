// The secrets of a home folder: made at random at the first start, kept in files that only their owner can read.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Secrets {
  /** Folder with one file a secret, named as the SDL names it. */
  readonly directory: string;
  /** JSON `{ cursorKeys: [{ id, secret }] }`. */
  readonly keysFile: string;
  readonly hotlineAppKey: string;
  readonly hotlineWebhook: string;
}

/** Reads the secrets, and makes those that are missing. */
export function openSecrets(home: string): Secrets {
  const directory = join(home, 'secrets');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const keysFile = join(home, 'keys.json');
  if (!existsSync(keysFile)) {
    const key = { id: randomBytes(4).toString('hex'), secret: randomBytes(32).toString('base64url') };
    writeFileSync(keysFile, JSON.stringify({ cursorKeys: [key] }), { mode: 0o600 });
  }
  return {
    directory,
    keysFile,
    hotlineAppKey: secret(directory, 'hotline-app-key'),
    hotlineWebhook: secret(directory, 'hotline-webhook'),
  };
}

function secret(directory: string, name: string): string {
  const file = join(directory, name);
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
