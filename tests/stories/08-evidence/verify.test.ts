// Evidence in the hands of someone who has neither the hub nor its keys to sign: the command, a file, a public key.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSigner } from '@weft/evidence/checkpoint';
import { makeEntry } from '@weft/evidence/entry';
import { writeExport } from '@weft/evidence/export';
import { afterAll, describe, expect, it } from 'vitest';
import { type WeftOutcome, weft } from '../../support/weft.ts';

const home = mkdtempSync(join(tmpdir(), 'weft-audit-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signer = openSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
const first = makeEntry({
  subject: 'Incident:1',
  algorithm: 'sha256',
  previous: undefined,
  fields: { kind: 'ACCEPTED', reason: null },
});
const second = makeEntry({
  subject: 'Incident:1',
  algorithm: 'sha256',
  previous: first,
  fields: { kind: 'RETURNED', reason: '超出职责范围' },
});
const write = (name: string, text: string | Buffer) => {
  writeFileSync(join(home, name), text);
  return join(home, name);
};
const key = write('hub.pem', publicKey.export({ type: 'spki', format: 'pem' }) as string);
const file = write(
  'evidence.json',
  writeExport({
    entries: [first, second],
    proofs: [],
    checkpoints: [],
    publicKeys: [],
    signer,
    exportedAt: new Date(),
  }),
);

/** In a home where no hub has ever run. */
const verify = (...args: readonly string[]): Promise<WeftOutcome> => weft(home, 'audit', 'verify', ...args);

describe('weft audit verify', () => {
  it('says that the file is genuine, and whose key signed', async () => {
    expect(await verify(file, '--key', key)).toEqual({
      code: 0,
      stderr: '',
      stdout: `${file}: genuine: 2 entries of Incident:1, 0 of them under signed checkpoints\n${file}: signed by ${signer.keyId}\n`,
    });
    expect((await verify(file)).stdout).toContain('which was not checked');
  });

  it('names what one changed byte is in, and ends with 1', async () => {
    const bytes = readFileSync(file);
    const at = bytes.indexOf('RETURNED');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const { code, stdout } = await verify(write('changed.json', bytes), '--key', key);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /changed\.json: entries\[1\]\.fields\.kind: .* it was changed\n.*: not genuine\n$/,
    );
  });

  it('says of a key that was changed that it, or what names it, was', async () => {
    const changed = readFileSync(file, 'utf8').replace(
      /("head":\{[^}]*"keyId":")(.)/,
      (_, before: string, first: string) => before + (first === 'A' ? 'B' : 'A'),
    );
    const { code, stdout } = await verify(write('changed-key.json', Buffer.from(changed)), '--key', key);
    expect(code).toBe(1);
    expect(stdout).toMatch(/head\.keyId: is none of the keys of the file .*: it, or the key, was changed\n/);
  });

  it('says of a whole file with another key who signed it, and of nothing that it was changed', async () => {
    const { publicKey: other } = generateKeyPairSync('ed25519');
    const otherKey = write('other.pem', other.export({ type: 'spki', format: 'pem' }) as string);
    const { code, stdout } = await verify(file, '--key', otherKey);
    expect(code).toBe(1);
    expect(stdout).toBe(
      `${file}: keys[0]: the file is signed by ${signer.keyId}, which is none of the keys that were given\n${file}: not genuine\n`,
    );
  });

  it('takes no private key to verify with', async () => {
    const secret = write('secret.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const { code, stdout, stderr } = await verify(file, '--key', secret);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('is a private key, which stays with the hub: give the public one');
  });

  it('compares the files that were attached, and names one that was changed', async () => {
    const folder = join(home, 'files');
    mkdirSync(folder);
    writeFileSync(join(folder, 'photo.png'), 'a photograph');
    const attachments = [
      { sha256: createHash('sha256').update('a photograph').digest('hex'), size: 12, type: 'image/png' },
    ];
    const entry = makeEntry({
      subject: 'Incident:1',
      algorithm: 'sha256',
      previous: undefined,
      fields: { kind: 'REPORTED', attachments },
    });
    const parts = { entries: [entry], proofs: [], checkpoints: [], publicKeys: [], exportedAt: new Date() };
    const attached = write('attached.json', writeExport({ ...parts, signer }));
    const whole = await verify(attached, '--key', key, '--files', folder);
    expect(whole.code).toBe(0);
    expect(whole.stdout).toContain('1 file is as it was attached');
    writeFileSync(join(folder, 'photo.png'), 'a photogrbph');
    const changed = await verify(attached, '--key', key, '--files', folder);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toMatch(
      /entries\[0\]\.fields\.attachments\.value\[0\]: no file of .* has the SHA-256 [0-9a-f]{64}: .*; of no entry: photo\.png\n.*: not genuine\n$/,
    );
    expect((await verify(attached, '--files', join(home, 'nowhere'))).stderr).toContain(
      'cannot be read: ENOENT',
    );
  });

  it('tells programs as JSON, and says in one line what it cannot read', async () => {
    expect(JSON.parse((await verify(file, '--json')).stdout)).toMatchObject({ isGenuine: true, entries: 2 });
    expect(await verify(file, '--key', file)).toMatchObject({
      code: 2,
      stderr: `weft: --key ${file}: expected an Ed25519 public key in PEM\n`,
    });
    expect((await verify(join(home, 'none.json'))).stderr).toMatch(
      /^weft: .*none\.json cannot be read: ENOENT\n$/,
    );
    expect((await weft(home, 'audit', 'export')).stderr).toMatch(
      /where WHAT is an incident's id or hotlineOrder:NUMBER/,
    );
  });
});
