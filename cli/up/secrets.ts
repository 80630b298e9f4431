// The secrets of a home folder: made at random at the first start, kept in files that only their owner can read.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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
    writeSecret(keysFile, JSON.stringify({ cursorKeys: [key] }));
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
  if (!existsSync(file)) writeSecret(file, randomBytes(24).toString('base64url'));
  return readFileSync(file, 'utf8').trim();
}

/** In one step: a full disk or a kill leaves no empty secret that would be kept for ever. */
export function writeSecret(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
