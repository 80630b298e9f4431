// Verifies an export with nothing but the file and, if there is one, a key that was had by another way.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Checkpoint, hashOfCheckpoint, isSignedBy, thumbprint } from './checkpoint.ts';
import { digestOfField, type EvidenceEntry, hashOfEntry, NO_PREVIOUS_HASH } from './entry.ts';
import { type EvidenceExport, type InclusionProof, readExport } from './export.ts';
import { canonicalText } from './hash.ts';
import { leafHash, rootFromProof } from './merkle.ts';

/** Something that is not as it was when it was signed, and where. */
export interface Finding {
  /** `entries[2].fields.reason` */
  readonly where: string;
  readonly problem: string;
}

export interface Verification {
  /** Nothing was found. */
  readonly isGenuine: boolean;
  readonly findings: readonly Finding[];
  readonly subject: string | undefined;
  readonly entries: number;
  /** Entries that a signed checkpoint is over. */
  readonly proven: number;
  /** Fields that were left out when it was exported. */
  readonly leftOut: number;
  /** Thumbprints of the keys that signed. */
  readonly keyIds: readonly string[];
  /** Whether these keys were checked against ones that were given. */
  readonly isKeyChecked: boolean;
}

type Report = (where: string, problem: string) => void;

/**
 * Never throws for what is in the text.
 * @param trusted public keys (Ed25519) that were had by another way; undefined: it is only said which keys signed
 */
export function verifyExport(text: string, trusted: readonly KeyObject[] | undefined): Verification {
  const findings: Finding[] = [];
  const report: Report = (where, problem) => findings.push({ where, problem });
  const read = readExport(text);
  if (read.kind === 'bad') {
    report(read.where, read.problem);
    return { ...NOTHING, findings, isKeyChecked: trusted !== undefined };
  }
  const { content } = read;
  const keys = checkKeys(content, trusted, report);
  checkHead(content, keys, report);
  checkChain(content.head.subject, content.entries, report);
  checkCheckpoints(content.checkpoints, keys, report);
  const proven = checkProofs(content, report);
  // What has been told by its name need not be told again by its place.
  if (findings.length === 0) checkForm(text, content, report);
  return {
    isGenuine: findings.length === 0,
    findings,
    subject: content.head.subject,
    entries: content.entries.length,
    proven,
    leftOut: content.entries.reduce((sum, { fields }) => sum + leftOutOf(fields), 0),
    keyIds: [...new Set([content.head.keyId, ...content.checkpoints.map(({ keyId }) => keyId)])],
    isKeyChecked: trusted !== undefined,
  };
}

const NOTHING: Omit<Verification, 'findings' | 'isKeyChecked'> = {
  isGenuine: false,
  subject: undefined,
  entries: 0,
  proven: 0,
  leftOut: 0,
  keyIds: [],
};

function leftOutOf(fields: EvidenceEntry['fields']): number {
  return Object.values(fields).filter(({ salt }) => salt === undefined).length;
}

type Keys = ReadonlyMap<string, KeyObject>;

function checkKeys(
  { keys }: EvidenceExport,
  trusted: readonly KeyObject[] | undefined,
  report: Report,
): Keys {
  const found = new Map<string, KeyObject>();
  const trustedIds = trusted && new Set(trusted.map(thumbprint));
  keys.forEach(({ keyId, jwk }, index) => {
    const where = `keys[${index}]`;
    const key = readKey(jwk);
    if (key?.export({ format: 'jwk' }).x !== jwk.x)
      report(`${where}.jwk`, 'is no Ed25519 key in its one form');
    else if (thumbprint(key) !== keyId) report(`${where}.keyId`, 'is not the thumbprint of its key');
    else {
      // What it signed is judged all the same: that it is another's is one thing, that something was changed another.
      found.set(keyId, key);
      if (trustedIds?.has(keyId) === false)
        report(where, `the file is signed by ${keyId}, which is none of the keys that were given`);
    }
  });
  return found;
}

function readKey(jwk: EvidenceExport['keys'][number]['jwk']): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined; // Told by the caller.
  }
}

function checkHead({ head, entries }: EvidenceExport, keys: Keys, report: Report): void {
  const key = keys.get(head.keyId);
  if (key === undefined)
    report('head.keyId', 'is none of the keys of the file that could be read: it, or the key, was changed');
  else if (!isSignedBy(head, key)) report('head', 'is not what was signed');
  const last = entries.at(-1);
  if (last?.sequence !== head.sequence || last.hash !== head.hash)
    report(
      'entries',
      `end with entry ${last?.sequence}, and not with entry ${head.sequence} as it was signed`,
    );
}

/**
 * What does not hold in the chain of one subject from its first entry on: digests, hashes, sequence. That nothing was cut
 * off its end, and that a checkpoint is over it, is for an export to say.
 */
export function verifyChain(subject: string, entries: readonly EvidenceEntry[]): readonly Finding[] {
  const findings: Finding[] = [];
  checkChain(subject, entries, (where, problem) => findings.push({ where, problem }));
  return findings;
}

function checkChain(subject: string, entries: readonly EvidenceEntry[], report: Report): void {
  entries.forEach((entry, index) => {
    if (entry.subject !== subject) report(`entries[${index}].subject`, `is not ${subject}`);
    checkEntry(entries, entry, index, report);
  });
}

function checkEntry(
  entries: readonly EvidenceEntry[],
  entry: EvidenceEntry,
  index: number,
  report: Report,
): void {
  const where = `entries[${index}]`;
  if (entry.sequence !== index + 1)
    report(`${where}.sequence`, `expected ${index + 1}, got ${entry.sequence}`);
  const before = index === 0 ? NO_PREVIOUS_HASH : entries[index - 1]?.hash;
  if (entry.previousHash !== before) report(`${where}.previousHash`, 'is not the hash of the entry before');
  for (const [name, { digest, salt, value }] of Object.entries(entry.fields)) {
    if (salt === undefined || value === undefined) continue;
    if (digestOfField(entry.algorithm, name, salt, value) !== digest)
      report(`${where}.fields.${name}`, 'is not what its digest was made of: it was changed');
  }
  if (hashOfEntry(entry) !== entry.hash) report(`${where}.hash`, 'is not that of the entry: it was changed');
}

function checkCheckpoints(checkpoints: readonly Checkpoint[], keys: Keys, report: Report): void {
  checkpoints.forEach((checkpoint, index) => {
    const where = `checkpoints[${index}]`;
    const key = keys.get(checkpoint.keyId);
    if (key === undefined)
      report(
        `${where}.keyId`,
        'is none of the keys of the file that could be read: it, or the key, was changed',
      );
    else if (!isSignedBy(checkpoint, key)) report(where, 'is not what was signed');
    const next = checkpoints[index + 1];
    if (next === undefined) return;
    if (next.number <= checkpoint.number) report(`checkpoints[${index + 1}].number`, 'does not grow');
    if (next.number === checkpoint.number + 1 && next.previousHash !== hashOfCheckpoint(checkpoint))
      report(`checkpoints[${index + 1}].previousHash`, 'is not the hash of the checkpoint before');
  });
}

/** @returns how many entries are proven */
function checkProofs(content: EvidenceExport, report: Report): number {
  const proven = new Set<number>();
  for (const [index, proof] of content.proofs.entries()) {
    const problem = problemOfProof(content, proof);
    if (problem === undefined) proven.add(proof.sequence);
    else report(`proofs[${index}]`, problem);
  }
  const lastProven = Math.max(0, ...proven);
  for (const { sequence } of content.entries)
    if (sequence < lastProven && !proven.has(sequence))
      report(`entries[${sequence - 1}]`, 'has no proof, though a later entry has one');
  return proven.size;
}

function problemOfProof(
  { entries, checkpoints }: EvidenceExport,
  { sequence, checkpoint: number, index, path }: InclusionProof,
): string | undefined {
  const entry = entries[sequence - 1];
  if (entry === undefined) return `names entry ${sequence}, which is not in the file`;
  const checkpoint = checkpoints.find((each) => each.number === number);
  if (checkpoint === undefined) return `names checkpoint ${number}, which is not in the file`;
  const { algorithm, treeSize: size, rootHash } = checkpoint;
  const nodes = path.map((node) => Buffer.from(node, 'hex'));
  const root = rootFromProof(algorithm, leafHash(algorithm, entry.hash), { index, size }, nodes);
  return root?.toString('hex') === rootHash
    ? undefined
    : `does not lead from entry ${sequence} to checkpoint ${number}`;
}

function checkForm(text: string, content: EvidenceExport, report: Report): void {
  const form = Buffer.from(`${canonicalText(content)}\n`);
  const given = Buffer.from(text);
  if (form.equals(given)) return;
  let at = 0;
  while (at < given.length && given[at] === form[at]) at += 1;
  report(
    `byte ${at}`,
    'is not in the form of RFC 8785: something was put in, taken out or written otherwise',
  );
}
