// Reads the file of a contract: bounded, and in the charset that it says or that is given.
import { readFileSync, statSync } from 'node:fs';
import { OperatorError } from '@weft/core/errors';
import iconv from 'iconv-lite';
import { showFile } from '../compile/sdl-folder.ts';
import { contractError } from './contract-error.ts';

/** Bytes of one file of a contract, at the most. */
export const CONTRACT_BYTES_MAX = 5_000_000;

/**
 * The text of a contract's file.
 * @param encoding as iconv-lite names it; without one what an XML declaration says, else UTF-8
 * @throws OperatorError when there is no such file, when it is larger than CONTRACT_BYTES_MAX, or not in its charset
 */
export function readContract(file: string, encoding?: string): string {
  const bytes = readBytes(file);
  const charset = encoding ?? declaredEncoding(bytes) ?? 'utf-8';
  if (!iconv.encodingExists(charset)) {
    throw contractError(
      file,
      { line: 1, column: 1 },
      `no charset '${charset}' is known`,
      'give one with --encoding',
    );
  }
  const text = iconv.decode(bytes, charset);
  const broken = text.indexOf('\uFFFD');
  if (broken >= 0) {
    throw contractError(
      file,
      undefined,
      `it is not text in ${charset}`,
      'say its charset with --encoding gb18030',
    );
  }
  return text;
}

function readBytes(file: string): Buffer {
  try {
    const { size } = statSync(file);
    if (size > CONTRACT_BYTES_MAX) {
      const what = `it has ${size} bytes, and a contract at most ${CONTRACT_BYTES_MAX}`;
      throw contractError(file, undefined, what, 'split it, or leave out what is not needed');
    }
    return readFileSync(file);
  } catch (thrown) {
    if (thrown instanceof OperatorError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    throw new OperatorError(`${showFile(file)} cannot be read (${code}): give the path of a file`, {
      cause: thrown,
      exitCode: 1,
    });
  }
}

function declaredEncoding(bytes: Buffer): string | undefined {
  return /^\s*<\?xml[^>]*\sencoding=["']([^"']+)["']/.exec(bytes.subarray(0, 200).toString('latin1'))?.[1];
}
