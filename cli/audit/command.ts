// `weft audit`: exports evidence of a subject; says offline whether an export is as it was signed, and if not, what was changed.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { readSigner } from '@weft/evidence/open';
import type { EvidenceTransaction } from '@weft/evidence/postgres/append';
import { exportEvidence } from '@weft/evidence/postgres/read';
import { type Verification, verifyExport } from '@weft/evidence/verify';
import { PERSONAL_FIELDS } from '@weft/subgraphs/incidents/step-evidence';
import { homeDirectory } from '../checkout.ts';
import { onDatabase } from '../on-database.ts';
import { type ComparedFiles, compareFiles } from './attached-files.ts';
import { findSubject } from './subject.ts';

const FILE_BYTES_MAX = 100_000_000;
const FINDINGS_SHOWN_MAX = 50;
const USAGE =
  "expected 'weft audit export WHAT [--out FILE] [--with-personal] [--leave-out NAMES]', where WHAT is an incident's id or hotlineOrder:NUMBER, or 'weft audit verify FILE [--key FILE]… [--files FOLDER] [--json]'";

/**
 * Of `verify`, prints what was found; the process ends with 1 when the file is not genuine. Of `export`, writes the file.
 * @throws OperatorError for arguments, for files that cannot be read, and when there is no such evidence
 */
export async function auditCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { values, positionals } = parse(argv);
  const [verb, name, ...others] = positionals;
  if (name === undefined || others.length > 0) throw new OperatorError(USAGE, { exitCode: 2 });
  if (verb === 'export') {
    const named = (values['leave-out'] ?? '').split(',').filter((field) => field !== '');
    const leaveOut = new Set([...(values['with-personal'] === true ? [] : PERSONAL_FIELDS), ...named]);
    return exportSubject(name, { leaveOut, named, file: values.out }, env);
  }
  if (verb !== 'verify') throw new OperatorError(USAGE, { exitCode: 2 });
  const exported = readBounded(name, FILE_BYTES_MAX);
  const chain = verifyExport(exported, values.key?.map(readKey));
  const files = values.files === undefined ? undefined : await compareFiles(exported, values.files);
  const verification = files === undefined ? chain : withFiles(chain, files);
  const text = values.json === true ? `${JSON.stringify(verification)}\n` : describe(name, verification);
  process.stdout.write(text);
  if (!verification.isGenuine) process.exitCode = 1;
}

/** What was verified, with how many files beside the export were compared. */
type Verified = Verification & { readonly files?: number };

function withFiles(chain: Verification, { named, findings }: ComparedFiles): Verified {
  const isGenuine = chain.isGenuine && findings.length === 0;
  return { ...chain, isGenuine, findings: [...chain.findings, ...findings], files: named };
}

interface Exporting {
  readonly leaveOut: ReadonlySet<string>;
  /** Those of them that were asked for by name. */
  readonly named: readonly string[];
  readonly file: string | undefined;
}

async function exportSubject(
  name: string,
  { leaveOut, named, file }: Exporting,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const keyFile = env.WEFT_EVIDENCE_KEY_FILE || join(homeDirectory(env), 'evidence-key.pem');
  const signer = readSigner(keyFile, 'WEFT_EVIDENCE_KEY_FILE');
  await onDatabase(env, 'the evidence', async (client) => {
    const database: EvidenceTransaction = {
      query: async <Row extends Record<string, unknown>>(sql: string, parameters: readonly unknown[] = []) =>
        (await client.query<Row>(sql, [...parameters])).rows,
    };
    const subject = await findSubject(database, name);
    const exported = await exportEvidence(database, { subject, leaveOut, signer });
    requireFields(named, exported.fields, subject);
    const { text, entries, proven, leftOut } = exported;
    if (file === undefined) process.stdout.write(text);
    else writeFileSync(file, text);
    const left = leftOut.length === 0 ? 'nothing was left out' : `left out: ${leftOut.join(', ')}`;
    const told = `${entries} entries of ${subject}, ${proven} of them under signed checkpoints; ${left}`;
    // The export alone is standard output where there is no file.
    process.stderr.write(`weft audit: ${file ?? 'standard output'}: ${told}\n`);
  });
}

/** A slip of the pen would hand out what was to be withheld. @throws OperatorError */
function requireFields(named: readonly string[], fields: readonly string[], subject: string): void {
  const known = new Set([...fields, ...PERSONAL_FIELDS]);
  const unknown = named.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const problem = `the evidence of ${subject} has no field ${unknown.join(', ')}; it has ${fields.join(', ')}`;
  throw new OperatorError(`--leave-out: ${problem}; nothing was written`, { exitCode: 2 });
}

function parse(argv: readonly string[]) {
  try {
    const options = {
      key: { type: 'string', multiple: true },
      json: { type: 'boolean' },
      out: { type: 'string' },
      files: { type: 'string' },
      'leave-out': { type: 'string' },
      'with-personal': { type: 'boolean' },
    } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message}; ${USAGE}`, { exitCode: 2, cause });
  }
}

function readKey(file: string): KeyObject {
  const pem = readBounded(file, FILE_BYTES_MAX);
  if (pem.includes('PRIVATE KEY-----'))
    throw new OperatorError(
      `--key ${file}: is a private key, which stays with the hub: give the public one`,
      {
        exitCode: 2,
      },
    );
  const key = publicKeyOf(pem);
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new OperatorError(`--key ${file}: expected an Ed25519 public key in PEM`, { exitCode: 2 });
}

function publicKeyOf(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined; // Told by the caller.
  }
}

function readBounded(file: string, bytesMax: number): string {
  try {
    if (statSync(file).size <= bytesMax) return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperatorError(`${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  throw new OperatorError(`${file} has more than ${bytesMax} bytes`);
}

function describe(file: string, verification: Verified): string {
  const { isGenuine, findings, subject, entries, proven, leftOut, keyIds, isKeyChecked, files } =
    verification;
  if (!isGenuine) {
    const shown = findings
      .slice(0, FINDINGS_SHOWN_MAX)
      .map(({ where, problem }) => `${file}: ${where}: ${problem}`);
    const more = findings.length - shown.length;
    return `${[...shown, ...(more > 0 ? [`${file}: and ${more} more`] : []), `${file}: not genuine`].join('\n')}\n`;
  }
  const lines = [
    `${file}: genuine: ${entries} entries of ${subject}, ${proven} of them under signed checkpoints`,
    ...(leftOut === 0 ? [] : [`${file}: ${leftOut} fields were left out when it was exported`]),
    ...(files === undefined
      ? []
      : [`${file}: ${files} ${files === 1 ? 'file is as it was' : 'files are as they were'} attached`]),
    isKeyChecked
      ? `${file}: signed by ${keyIds.join(', ')}`
      : `${file}: signed by ${keyIds.join(', ')}, which was not checked: give the hub's public key as --key`,
  ];
  return `${lines.join('\n')}\n`;
}
