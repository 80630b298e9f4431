// The laws of evidence: what is exported verifies, and whatever is changed, left out, put in or cut off is found and named.
import { createHash, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Checkpoint, hashOfCheckpoint, openSigner } from './checkpoint.ts';
import { type EvidenceEntry, makeEntry, withoutFields } from './entry.ts';
import { writeExport } from './export.ts';
import { canonicalText, type HashAlgorithm } from './hash.ts';
import { inclusionProof, leafHash, rootFromProof, rootOf } from './merkle.ts';
import { verifyExport } from './verify.ts';

const newSigner = () =>
  openSigner(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
const SIGNER = newSigner();
const KINDS = ['REPORTED', 'ACCEPTED', 'ROUTED', 'RETURNED', 'ROUTED', 'HANDLING', 'FED_BACK'];

function chainOf(subject: string, length: number, algorithm: HashAlgorithm): readonly EvidenceEntry[] {
  const entries: EvidenceEntry[] = [];
  for (let n = 0; n < length; n += 1) {
    const fields = {
      kind: KINDS[n % KINDS.length] ?? '',
      at: `2026-11-22T08:00:0${n}.000Z`,
      by: '苏州市姑苏区综治中心',
      reason: n === 3 ? '超出职责范围' : null,
      before: { state: 'ACCEPTED', count: n },
    };
    entries.push(makeEntry({ subject, algorithm, previous: entries.at(-1), fields }));
  }
  return entries;
}

/** Two subjects, two checkpoints over both, and an entry after the last of them. */
function exportOf(
  algorithm: HashAlgorithm = 'sha256',
  change: (entry: EvidenceEntry) => EvidenceEntry = (e) => e,
) {
  const [own, other] = [chainOf('Incident:a', 8, algorithm), chainOf('Incident:b', 5, algorithm)];
  const trees = [[...own.slice(0, 3), ...other], own.slice(3, 7)];
  const checkpoints: Checkpoint[] = [];
  const proofs = trees.flatMap((tree, at) => {
    const leaves = tree.map(({ hash }) => leafHash(algorithm, hash));
    const before = checkpoints.at(-1);
    checkpoints.push(
      SIGNER.sign({
        number: at + 1,
        at: '2026-11-22T09:00:00.000Z',
        algorithm,
        treeSize: tree.length,
        rootHash: rootOf(algorithm, leaves).toString('hex'),
        previousHash: before === undefined ? '0'.repeat(64) : hashOfCheckpoint(before),
      }),
    );
    return tree.flatMap(({ subject, sequence }, index) =>
      subject === 'Incident:a'
        ? [
            {
              sequence,
              checkpoint: at + 1,
              index,
              path: inclusionProof(algorithm, leaves, index).map((node) => node.toString('hex')),
            },
          ]
        : [],
    );
  });
  return writeExport({
    entries: own.map(change),
    proofs,
    checkpoints,
    publicKeys: [SIGNER.publicKey],
    signer: SIGNER,
    exportedAt: new Date('2026-11-22T10:00:00Z'),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: documents are taken apart at will.
type Parsed = any;
const TRUSTED = [SIGNER.publicKey];
const placesOf = (text: string, keys: Parameters<typeof verifyExport>[1] = TRUSTED) =>
  verifyExport(text, keys).findings.map(({ where }) => where);

function changed(change: (content: Parsed) => void): readonly string[] {
  const content = JSON.parse(exportOf()) as Parsed;
  change(content);
  return placesOf(`${canonicalText(content)}\n`);
}

describe('an export of evidence', () => {
  it.each(['sha256', 'sm3'] as const)('verifies with %s, and says how far checkpoints reach', (algorithm) => {
    expect(verifyExport(exportOf(algorithm), TRUSTED)).toEqual({
      isGenuine: true,
      findings: [],
      subject: 'Incident:a',
      entries: 8,
      proven: 7,
      leftOut: 0,
      keyIds: [SIGNER.keyId],
      isKeyChecked: true,
    });
  });

  it('verifies without the fields that were left out, and does not tell their values', () => {
    const text = exportOf('sha256', (entry) => withoutFields(entry, new Set(['by'])));
    expect(text).not.toContain('综治中心');
    expect(verifyExport(text, TRUSTED)).toMatchObject({ isGenuine: true, leftOut: 8 });
  });

  it('names the field that was changed', () => {
    expect(changed(({ entries }) => (entries[3].fields.reason.value = '职责范围内'))).toEqual([
      'entries[3].fields.reason',
    ]);
    expect(changed(({ entries }) => (entries[0].fields.before.value.count = 9))).toEqual([
      'entries[0].fields.before',
    ]);
  });

  it('names the entry whose field was changed together with its digest', () => {
    const places = changed(({ entries }) => {
      entries[2].fields.kind = { digest: '0'.repeat(64) };
    });
    expect(places).toEqual(['entries[2].hash']);
  });

  it('finds an entry that was taken out, put in, moved or cut off', () => {
    expect(changed(({ entries }) => entries.splice(2, 1))).toContain('entries[2].sequence');
    expect(changed(({ entries }) => entries.splice(2, 0, entries[1]))).toContain('entries[2].sequence');
    expect(changed(({ entries }) => entries.reverse())).toContain('entries[0].sequence');
    expect(changed(({ entries }) => entries.pop())).toEqual(['entries']);
  });

  it('finds an entry made anew by one who can hash and cannot sign', () => {
    const places = changed(({ entries }) => {
      const previous = entries[1];
      const forged = makeEntry({
        subject: 'Incident:a',
        algorithm: 'sha256',
        previous,
        fields: { kind: 'ACCEPTED' },
      });
      entries[2] = forged;
    });
    expect(places).toContain('entries[3].previousHash');
    expect(places).toContain('proofs[2]');
  });

  it('finds proofs and checkpoints that were changed, exchanged or left out', () => {
    expect(changed(({ proofs }) => (proofs[1].index = 2))).toContain('proofs[1]');
    expect(changed(({ proofs }) => proofs.splice(1, 1))).toEqual(['entries[1]']);
    expect(changed(({ checkpoints }) => (checkpoints[0].at = '2026-11-22T09:00:01.000Z'))).toContain(
      'checkpoints[0]',
    );
    expect(changed(({ checkpoints }) => checkpoints.reverse())).toContain('checkpoints[1].number');
    expect(changed(({ checkpoints }) => checkpoints.pop())).toContain('proofs[3]');
  });

  it('is not believed for a key that comes with it, where one was given', () => {
    const other = newSigner();
    expect(placesOf(exportOf(), [other.publicKey])).toContain('keys[0]');
    expect(verifyExport(exportOf(), undefined)).toMatchObject({ isGenuine: true, isKeyChecked: false });
  });

  it('takes a signature and a key in one form only, though others have the same bytes', () => {
    const turn = (text: string) =>
      text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
    expect(changed(({ head }) => (head.signature = turn(head.signature)))).toEqual(['head']);
    expect(changed(({ checkpoints }) => (checkpoints[1].signature = turn(checkpoints[1].signature)))).toEqual(
      ['checkpoints[1]'],
    );
    expect(changed(({ keys }) => (keys[0].jwk.x = turn(keys[0].jwk.x)))).toContain('keys[0].jwk');
  });

  it('finds any one byte that is changed, and says where', () => {
    const bytes = Buffer.from(exportOf());
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, difference) => {
          const altered = Buffer.from(bytes);
          altered[at] = (altered[at] ?? 0) ^ difference;
          const { isGenuine, findings } = verifyExport(altered.toString('utf8'), TRUSTED);
          expect(isGenuine).toBe(false);
          expect(findings[0]?.where).not.toBe('');
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('finds a blank that was put in, and a byte that was added', () => {
    const text = exportOf();
    expect(placesOf(text.replace('{"checkpoints"', '{ "checkpoints"'))).toEqual(['byte 1']);
    expect(placesOf(`${text}\n`)).toEqual([`byte ${Buffer.byteLength(text)}`]);
    expect(placesOf('')).toEqual(['the file']);
    expect(placesOf('{}')).toEqual(['format']);
  });
});

describe('the Merkle tree', () => {
  it('has the roots that RFC 9162 gives to two and three leaves', () => {
    const h = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
    const [a, b, c] = ['aa', 'bb', 'cc'].map((hex) => leafHash('sha256', hex)) as [Buffer, Buffer, Buffer];
    expect(a).toEqual(h(Uint8Array.of(0, 0xaa)));
    expect(rootOf('sha256', [a, b])).toEqual(h(Uint8Array.of(1), a, b));
    expect(rootOf('sha256', [a, b, c])).toEqual(h(Uint8Array.of(1), h(Uint8Array.of(1), a, b), c));
  });

  it('proves each leaf of trees of every size, and no leaf at another place', () => {
    for (let size = 1; size <= 33; size += 1) {
      const leaves = Array.from({ length: size }, (_, n) =>
        leafHash('sm3', n.toString(16).padStart(64, '0')),
      );
      const root = rootOf('sm3', leaves);
      leaves.forEach((leaf, index) => {
        const proof = inclusionProof('sm3', leaves, index);
        expect(rootFromProof('sm3', leaf, { index, size }, proof)).toEqual(root);
        const elsewhere = { index: (index + 1) % size, size };
        if (size > 1) expect(rootFromProof('sm3', leaf, elsewhere, proof)).not.toEqual(root);
      });
    }
    expect(rootFromProof('sm3', leafHash('sm3', '00'), { index: 1, size: 1 }, [])).toBeUndefined();
  });
});
