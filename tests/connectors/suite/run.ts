// Runs the suite on every protocol, prints the table and writes it to docs/connector-suite.md.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadColumns, runCell } from './cell.ts';
import { CASES, type CaseName, type Column } from './column.ts';
import { CAN_DISCOVER } from './discover-case.ts';
import { startSuiteHost } from './host.ts';
import { type Cell, formatTable } from './table.ts';

const DOCUMENT = fileURLToPath(new URL('../../../docs/connector-suite.md', import.meta.url));

async function runColumn(column: Column): Promise<ReadonlyMap<CaseName, Cell>> {
  const whyNot = await column.whyNot();
  if (whyNot !== undefined) return new Map(CASES.map((name) => [name, { kind: 'not run', reason: whyNot }]));
  const cells = new Map<CaseName, Cell>();
  const system = await column.start();
  try {
    const host = await startSuiteHost(system);
    try {
      for (const name of CASES) cells.set(name, await run(column, name, host));
    } finally {
      await host.close();
    }
  } finally {
    await system.close();
  }
  return cells;
}

async function run(
  column: Column,
  name: CaseName,
  host: Awaited<ReturnType<typeof startSuiteHost>>,
): Promise<Cell> {
  const reason = column.cannotOccur[name];
  if (name === 'discover' && reason === undefined && !CAN_DISCOVER)
    return { kind: 'not run', reason: 'This checkout cannot draft.' };
  try {
    await runCell(column, host, name);
    return reason === undefined ? { kind: 'holds' } : { kind: 'cannot occur', reason };
  } catch (thrown) {
    return { kind: 'fails', reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

const table = new Map<string, ReadonlyMap<CaseName, Cell>>();
for (const column of await loadColumns()) {
  process.stderr.write(`${column.protocol}…\n`);
  table.set(column.protocol, await runColumn(column));
}
const text = formatTable(table);
process.stdout.write(text);
// A checkout that cannot draft says so in the table; an engine that is absent, or a cell that fails, is no document.
const isWhole = [...table.values()].every(
  (column) =>
    ![...column].some(([name, { kind }]) => kind === 'fails' || (kind === 'not run' && name !== 'discover')),
);
if (!isWhole) {
  process.stderr.write('docs/connector-suite.md is left as it is: not every cell holds\n');
  process.exitCode = 1;
} else {
  writeFileSync(DOCUMENT, text);
}
