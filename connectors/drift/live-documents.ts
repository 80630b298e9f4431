// Fetches the live copy of a contract with what it imports from the same host, into a folder that is dropped afterwards.
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { CONTRACT_BYTES_MAX } from '../discover/read-contract.ts';
import type { HttpAnswer } from '../http/exchange.ts';

/** Sends a GET to a path of the system's own origin. */
export type FetchPath = (path: string) => Promise<HttpAnswer>;

const FILES_MAX = 30;

/** The live document could not be had, and why: UNKNOWN. */
export class NoLiveContract extends Error {}

/**
 * Runs `read` on the live copy. Files of the folder's contract lie beside it, for imports that another host has.
 * @throws NoLiveContract when it does not answer with one; whatever `read` throws
 */
export async function withLiveDocument<T>(
  contractFile: string,
  address: URL,
  fetchPath: FetchPath,
  read: (file: string) => T,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-drift-'));
  try {
    copyContract(dirname(contractFile), folder);
    const file = join(folder, basename(contractFile));
    await fetchInto(file, address, fetchPath, { left: FILES_MAX });
    return read(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyContract(from: string, to: string): void {
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    const path = join(from, name);
    const { size } = statSync(path);
    if (statSync(path).isFile() && size <= CONTRACT_BYTES_MAX) copyFileSync(path, join(to, basename(name)));
  }
}

async function fetchInto(
  file: string,
  address: URL,
  fetchPath: FetchPath,
  budget: { left: number },
): Promise<void> {
  const { status, body } = await fetchPath(`${address.pathname}${address.search}`);
  if (status !== 200)
    throw new NoLiveContract(`${address.pathname}${address.search} answers with status ${status}`);
  if (body.length > CONTRACT_BYTES_MAX)
    throw new NoLiveContract(`it has more than ${CONTRACT_BYTES_MAX} bytes`);
  // Latin-1 keeps every byte, whatever the charset: only addresses are looked at.
  let text = body.toString('latin1');
  for (const [whole, attribute = '', location = ''] of text.matchAll(
    /\b(schemaLocation|location)="([^"]+)"/g,
  )) {
    const target = new URL(location.replaceAll('&amp;', '&'), address);
    const isImport = /\b(?:import|include|redefine)\b[^<>]*$/.test(text.slice(0, text.indexOf(whole)));
    if (!isImport || target.origin !== address.origin || budget.left <= 0) continue;
    budget.left -= 1;
    const name = `live-${budget.left}-${basename(target.pathname)}`;
    text = text.replaceAll(whole, `${attribute}="${name}"`);
    await fetchInto(join(dirname(file), name), target, fetchPath, budget);
  }
  writeFileSync(file, Buffer.from(text, 'latin1'));
}
