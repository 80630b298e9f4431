import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../../support/engines.ts';
import { loadColumns, runCell } from './cell.ts';
import { CASES, type SuiteSystem } from './column.ts';
import { CAN_DISCOVER } from './discover-case.ts';
import { type SuiteHost, startSuiteHost } from './host.ts';
import { declaredCells, formatTable } from './table.ts';

const noStore = await whyNoPostgres();
const columns = await Promise.all(
  (await loadColumns()).map(async (column) => ({ column, whyNot: noStore ?? (await column.whyNot()) })),
);
for (const { column, whyNot } of columns) {
  if (whyNot !== undefined) console.warn(`SKIPPED: the connectors' suite on ${column.protocol}: ${whyNot}`);
}

describe('docs/connector-suite.md', () => {
  it('shows every column and every cell: node tests/connectors/suite/run.ts writes it anew', () => {
    const document = readFileSync(new URL('../../../docs/connector-suite.md', import.meta.url), 'utf8');
    const declared = formatTable(declaredCells(columns.map(({ column }) => column)));
    // A checkout that cannot draft has written so.
    const withoutDiscover = (text: string) =>
      text
        .split('\n')
        .filter((line) => /^\|/.test(line) && !line.startsWith('| discover |'))
        .map((line) => line.replaceAll(/ \d+ (?=\|)/g, ' – '));
    expect(withoutDiscover(document)).toEqual(withoutDiscover(declared));
  });
});

describe.each(columns)('the connectors’ suite on $column.protocol', ({ column, whyNot }) => {
  let system: SuiteSystem;
  let host: SuiteHost;

  beforeAll(async () => {
    if (whyNot !== undefined) return;
    system = await column.start();
    host = await startSuiteHost(system);
  });
  afterAll(async () => {
    await host?.close();
    await system?.close();
  });

  for (const name of CASES) {
    const reason = column.cannotOccur[name];
    it.skipIf(whyNot !== undefined || (name === 'discover' && !CAN_DISCOVER))(
      reason === undefined ? name : `${name} cannot occur: ${reason}`,
      () => runCell(column, host, name),
    );
  }
});
