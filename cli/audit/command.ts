// `weft audit verify`: says offline whether exported evidence is as it was signed, and if not, what was changed.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { type Verification, verifyExport } from '@weft/evidence/verify';

const FILE_BYTES_MAX = 100_000_000;
const KEY_BYTES_MAX = 10_000;
const FINDINGS_SHOWN_MAX = 50;
const USAGE = "expected 'weft audit verify FILE [--key FILE]… [--json]'";

/**
 * Prints what was found; the process ends with 1 when the file is not genuine.
 * @throws OperatorError for arguments, and for files that cannot be read
 */
export function auditCommand(argv: readonly string[]): void {
  const { values, positionals } = parse(argv);
  const [verb, file, ...others] = positionals;
  if (verb !== 'verify' || file === undefined || others.length > 0)
    throw new OperatorError(USAGE, { exitCode: 2 });
  const keys = values.key?.map(readKey);
  const verification = verifyExport(readBounded(file, FILE_BYTES_MAX), keys);
  const text = values.json === true ? `${JSON.stringify(verification)}\n` : describe(file, verification);
  process.stdout.write(text);
  if (!verification.isGenuine) process.exitCode = 1;
}

function parse(argv: readonly string[]) {
  try {
    const options = { key: { type: 'string', multiple: true }, json: { type: 'boolean' } } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message}; ${USAGE}`, { exitCode: 2, cause });
  }
}

function readKey(file: string): KeyObject {
  try {
    const key = createPublicKey(readBounded(file, KEY_BYTES_MAX));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
  }
  throw new OperatorError(`--key ${file}: expected an Ed25519 public key in PEM`, { exitCode: 2 });
}

function readBounded(file: string, bytesMax: number): string {
  try {
    if (statSync(file).size <= bytesMax) return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperatorError(`${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  throw new OperatorError(`${file} has more than ${bytesMax} bytes`);
}

function describe(file: string, verification: Verification): string {
  const { isGenuine, findings, subject, entries, proven, leftOut, keyIds, isKeyChecked } = verification;
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
    isKeyChecked
      ? `${file}: signed by ${keyIds.join(', ')}`
      : `${file}: signed by ${keyIds.join(', ')}, which was not checked: give the hub's public key as --key`,
  ];
  return `${lines.join('\n')}\n`;
}
