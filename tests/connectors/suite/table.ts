// The suite's table as docs/connector-suite.md shows it.
import { CASES, type CaseName, type Column } from './column.ts';

export type Cell =
  | { readonly kind: 'holds' }
  | { readonly kind: 'cannot occur' | 'fails' | 'not run'; readonly reason: string };

/** Every cell of the columns as they declare it: what the tests hold. */
export function declaredCells(columns: readonly Column[]): ReadonlyMap<string, ReadonlyMap<CaseName, Cell>> {
  return new Map(
    columns.map(({ protocol, cannotOccur }) => [
      protocol,
      new Map(
        CASES.map((name): [CaseName, Cell] => {
          const reason = cannotOccur[name];
          return [name, reason === undefined ? { kind: 'holds' } : { kind: 'cannot occur', reason }];
        }),
      ),
    ]),
  );
}

const HEAD = `# The connectors' suite

Every protocol passes the same cases. They are written once (\`tests/connectors/suite/cases.ts\`), against an old system that can
be started, filled, broken and counted, and never ask which protocol they run on; \`table.test.ts\` runs each cell as a test.
\`node tests/connectors/suite/run.ts\` runs them all and writes this table. **✓** holds; a number names the reason
why the cell cannot occur, and the suite shows that there is no way to it: no push, no count of writes, no contract, a fault that
cannot be set.
`;

const MEANS: Readonly<Record<CaseName, string>> = {
  check: 'The description compiles without an error or a warning.',
  discover: 'What `weft connect discover` drafts of the contract passes the check as it is.',
  fetch: 'A record comes as the old system holds it: text, number, enum, instant.',
  batch: 'Fifty keys are read in at most three calls of twenty.',
  missing: 'What the old system does not have is null; what stands beside it is whole.',
  duplicate: 'A key that comes twice is `UPSTREAM_INVALID`, at its own path.',
  slow: 'An old system that does not answer is given up after the time-out; other fields are served.',
  'half body': 'An answer that ends in its middle is an error, never half a record; then it is read again.',
  reset: 'A connection that is reset is `UPSTREAM_UNAVAILABLE`; then it is read again.',
  'wrong charset': 'Text that is not in the charset is null or an error; it never becomes another text.',
  'wrong type': 'Text where a number belongs is null or an error of that field; the rest stays.',
  'auth expired': 'A refused login is `UPSTREAM_UNAVAILABLE` with the reason `CREDENTIALS_REFUSED`.',
  'budget kept':
    'Forty questions at once: no more calls in work than the guard allows, and every answer whole.',
  'write unknown': 'A write whose answer is lost is applied once, never sent again, and told as unknown.',
  'ingest twice': 'A change that is told twice is one event.',
  'ingest out of order':
    'The newest version stands, an older one that comes late is counted and is no event.',
  'restart in the middle':
    'The old system restarts between two halves of a hundred: nothing is lost or doubled.',
};

/** The document, with numbered reasons. */
export function formatTable(table: ReadonlyMap<string, ReadonlyMap<CaseName, Cell>>): string {
  const reasons: string[] = [];
  const mark = (cell: Cell | undefined): string => {
    if (cell === undefined) return '?';
    if (cell.kind === 'holds') return '✓';
    const text =
      cell.kind === 'cannot occur' ? cell.reason : `${cell.kind.toUpperCase()}: ${oneLine(cell.reason)}`;
    if (!reasons.includes(text)) reasons.push(text);
    return `${cell.kind === 'cannot occur' ? '' : '✗ '}${reasons.indexOf(text) + 1}`;
  };
  const rows = CASES.map(
    (name) => `| ${name} | ${[...table.values()].map((column) => mark(column.get(name))).join(' | ')} |`,
  );
  return `${HEAD}
| case | ${[...table.keys()].join(' | ')} |
|---|${'---|'.repeat(table.size)}
${rows.join('\n')}

Why a cell cannot occur:

${reasons.map((reason, index) => `${index + 1}. ${reason}`).join('\n')}

What each case says:

| case | holds when |
|---|---|
${CASES.map((name) => `| ${name} | ${MEANS[name]} |`).join('\n')}
`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 200);
}
