// Evidence in the hands of someone who has neither the hub nor its keys to sign: the command, a file, a public key.
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSigner } from '@weft/evidence/checkpoint';
import { makeEntry } from '@weft/evidence/entry';
import { writeExport } from '@weft/evidence/export';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/hub.ts';

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

function verify(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      ['cli/main.ts', 'audit', 'verify', ...args],
      { cwd: ROOT },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    ),
  );
}

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

  it('tells programs as JSON, and says in one line what it cannot read', async () => {
    expect(JSON.parse((await verify(file, '--json')).stdout)).toMatchObject({ isGenuine: true, entries: 2 });
    expect(await verify(file, '--key', file)).toMatchObject({
      code: 2,
      stderr: `weft: --key ${file}: expected an Ed25519 public key in PEM\n`,
    });
    expect((await verify(join(home, 'none.json'))).stderr).toMatch(
      /^weft: .*none\.json cannot be read: ENOENT\n$/,
    );
  });
});
