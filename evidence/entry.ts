// One entry of evidence: what was done to a subject, in fields of which each has its own digest; chained to the entry before.
import { canonicalBytes, DOMAIN, digest, type HashAlgorithm, newSalt } from './hash.ts';

/** JSON of any shape. */
export type EvidenceValue =
  | null
  | boolean
  | number
  | string
  | readonly EvidenceValue[]
  | { readonly [key: string]: EvidenceValue };

/** What an entry tells, by name: at, by, system, kind, before, after, reason, authority, and whatever the step has besides. */
export type EvidenceFields = Readonly<Record<string, EvidenceValue>>;

/** Of one field: its value with its salt, or nothing but the digest where it was left out of an export. */
export interface EvidenceField {
  /** Hex. */
  readonly digest: string;
  readonly salt?: string;
  readonly value?: EvidenceValue;
}

export interface EvidenceEntry {
  /** What the evidence is of: `Incident:<id>`. */
  readonly subject: string;
  /** From 1, without a gap. */
  readonly sequence: number;
  readonly algorithm: HashAlgorithm;
  /** The hash of the entry before, hex; 64 zeros for the first one. */
  readonly previousHash: string;
  readonly fields: Readonly<Record<string, EvidenceField>>;
  /** Over subject, sequence, algorithm, previousHash and the digests of the fields; hex. */
  readonly hash: string;
}

/** What the first entry of a subject is chained to. */
export const NO_PREVIOUS_HASH = '0'.repeat(64);

const FIELDS_MAX = 64;

export interface NextEntry {
  readonly subject: string;
  readonly algorithm: HashAlgorithm;
  /** The last entry of the subject; undefined: there is none. */
  readonly previous: Pick<EvidenceEntry, 'sequence' | 'hash'> | undefined;
  readonly fields: EvidenceFields;
}

/**
 * Makes the entry that follows `previous`.
 * @throws TypeError when a field is not JSON; RangeError when there are more than 64
 */
export function makeEntry({ subject, algorithm, previous, fields }: NextEntry): EvidenceEntry {
  const names = Object.keys(fields);
  if (names.length > FIELDS_MAX)
    throw new RangeError(`an entry of evidence has at most ${FIELDS_MAX} fields`);
  const hashed = Object.fromEntries(
    names.map((name) => {
      const [salt, value] = [newSalt(), fields[name] ?? null];
      return [name, { digest: digestOfField(algorithm, name, salt, value), salt, value }];
    }),
  );
  const entry = {
    subject,
    sequence: (previous?.sequence ?? 0) + 1,
    algorithm,
    previousHash: previous?.hash ?? NO_PREVIOUS_HASH,
    fields: hashed,
  };
  return { ...entry, hash: hashOfEntry(entry) };
}

/** The digest that a field with this value has; hex. */
export function digestOfField(
  algorithm: HashAlgorithm,
  name: string,
  salt: string,
  value: EvidenceValue,
): string {
  return digest(algorithm, DOMAIN.field, canonicalBytes([name, salt, value])).toString('hex');
}

/** The hash that an entry with these digests has; hex. */
export function hashOfEntry(entry: Omit<EvidenceEntry, 'hash'>): string {
  const { subject, sequence, algorithm, previousHash, fields } = entry;
  const digests = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.digest]));
  const text = canonicalBytes({ subject, sequence, algorithm, previousHash, digests });
  return digest(algorithm, DOMAIN.entry, text).toString('hex');
}

/** The entry without the values of some fields: it verifies as before, and says nothing of them. */
export function withoutFields(entry: EvidenceEntry, names: ReadonlySet<string>): EvidenceEntry {
  const fields = Object.fromEntries(
    Object.entries(entry.fields).map(([name, field]) => [
      name,
      names.has(name) ? { digest: field.digest } : field,
    ]),
  );
  return { ...entry, fields };
}
