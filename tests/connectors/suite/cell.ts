// One cell of the table: a case run on a column, or the proof that it cannot occur there.
import { ok, rejects } from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { RUN } from './cases.ts';
import type { CaseName, Column, SuiteFault } from './column.ts';
import type { SuiteHost } from './host.ts';

const COLUMNS_FOLDER = new URL('./columns/', import.meta.url);

/** Every column that the folder holds, in the order of their file names. */
export async function loadColumns(): Promise<readonly Column[]> {
  const files = readdirSync(COLUMNS_FOLDER)
    .filter((name) => name.endsWith('.ts'))
    .sort();
  return Promise.all(
    files.map(
      async (name) => ((await import(new URL(name, COLUMNS_FOLDER).href)) as { column: Column }).column,
    ),
  );
}

/** Runs one case; what cannot occur is shown to have no way. Whatever was broken is mended behind it. */
export async function runCell(column: Column, host: SuiteHost, name: CaseName): Promise<void> {
  const reason = column.cannotOccur[name];
  if (reason !== undefined) return checkImpossible(host, name, reason);
  try {
    await RUN[name](host);
  } finally {
    await host.system.fault(undefined);
  }
}

/** What no protocol can be excused from. */
const MUST_OCCUR: readonly CaseName[] = ['check', 'fetch', 'missing', 'restart in the middle'];

const FAULT_OF: Partial<Readonly<Record<CaseName, SuiteFault>>> = {
  duplicate: 'duplicate',
  slow: 'slow',
  'half body': 'half body',
  reset: 'reset',
  'wrong charset': 'wrong charset',
  'wrong type': 'wrong type',
  'auth expired': 'auth expired',
  'write unknown': 'write lost',
};

const SENTENCE = /^[A-Z].{25,}\.$/s;

async function checkImpossible({ system }: SuiteHost, name: CaseName, reason: string): Promise<void> {
  ok(SENTENCE.test(reason), `expected a sentence that says why "${name}" cannot occur, got "${reason}"`);
  ok(!MUST_OCCUR.includes(name), `"${name}" occurs in every protocol`);
  if (name.startsWith('ingest')) ok(system.push === undefined, 'it cannot occur, and yet there is a push');
  if (name === 'write unknown')
    ok(system.applied === undefined, 'it cannot occur, and yet writes are counted');
  if (name === 'discover') ok(system.discover === undefined, 'it cannot occur, and yet there is a contract');
  const fault = FAULT_OF[name];
  if (fault !== undefined)
    await rejects(system.fault(fault), 'it cannot occur, and yet the fault can be set');
}
