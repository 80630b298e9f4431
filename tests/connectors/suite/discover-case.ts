// The case of a draft: what `weft connect discover` makes of the old system's contract passes the check as it is.
import { deepEqual, ok } from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkFolder } from '@weft/connectors/compile/check';
import { compileSystem } from '@weft/connectors/compile/compile';
import type { SuiteHost } from './host.ts';

const DISCOVER = new URL('../../../connectors/discover/discover.ts', import.meta.url);
/** Whether this checkout can draft at all. */
export const CAN_DISCOVER = existsSync(DISCOVER);

type Discover = (options: {
  readonly contract: Readonly<Record<string, unknown>>;
  readonly out: string;
}) => Promise<unknown>;

export async function checkDiscover({ system }: SuiteHost): Promise<void> {
  ok(system.discover !== undefined, 'the column says nothing of what discover is given');
  const { discover } = (await import(DISCOVER.href)) as { readonly discover: Discover };
  const parent = mkdtempSync(join(tmpdir(), 'weft-discover-'));
  try {
    const out = join(parent, 'drafted');
    await discover({ contract: contractOf(system.discover), out });
    const { ok: isUsable, issues } = checkFolder(out);
    ok(isUsable, JSON.stringify(issues));
    deepEqual(issues, []);
    const { entities, fields } = compileSystem(out).plan;
    ok(entities.size + fields.size > 0, 'the draft asks the old system for nothing');
  } finally {
    rmSync(parent, { recursive: true });
  }
}

/** What the command's arguments say: `--wsdl FILE`, `--openapi FILE`, `--csv FILE`, or `--sql URL --table NAME`. */
function contractOf(args: readonly string[]): Readonly<Record<string, unknown>> {
  const one = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { wsdl: one, openapi: one, csv: one, sql: one, table: { type: 'string', multiple: true } },
  });
  if (values.sql !== undefined) return { kind: 'sql', url: values.sql, tables: values.table ?? [] };
  if (values.csv !== undefined) return { kind: 'csv', file: values.csv };
  return values.wsdl !== undefined
    ? { kind: 'wsdl', file: values.wsdl }
    : { kind: 'openapi', file: values.openapi };
}
