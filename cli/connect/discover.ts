// `weft connect discover`: drafts a folder from a contract and says what it did not take along.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ContractAddress, type Discovery, discover } from '@weft/connectors/discover/discover';
import { OperatorError } from '@weft/core/errors';
import { Kind, parse } from 'graphql';
import { ROOT } from '../checkout.ts';

/** Lines of what was left out that are printed; the SDL holds them all. */
const LEFT_OUT_LINES_MAX = 40;

/** @throws OperatorError for wrong arguments, and with one line for a contract that cannot be read */
export async function discoverCommand(argv: readonly string[]): Promise<void> {
  const values = parseDiscover(argv);
  const found = await discover({
    contract: addressOf(values),
    name: values.name,
    out: values.out,
    encoding: values.encoding,
    reads: values.reads?.flatMap((names) => names.split(',')) ?? [],
    hub: hubNames(),
  });
  process.stdout.write(report(found));
  if (!found.check.ok) process.exitCode = 1;
}

function parseDiscover(argv: readonly string[]) {
  const one = { type: 'string' } as const;
  const many = { type: 'string', multiple: true } as const;
  const options = {
    wsdl: one,
    openapi: one,
    csv: one,
    sql: one,
    table: many,
    name: one,
    out: one,
    encoding: one,
    reads: many,
  } as const;
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message} ('weft help' lists the commands)`, {
      cause,
      exitCode: 2,
    });
  }
}

function addressOf(values: ReturnType<typeof parseDiscover>): ContractAddress {
  const { wsdl, openapi, csv, sql, table } = values;
  const given: ContractAddress[] = [];
  if (wsdl !== undefined) given.push({ kind: 'wsdl', file: wsdl });
  if (openapi !== undefined) given.push({ kind: 'openapi', file: openapi });
  if (csv !== undefined) given.push({ kind: 'csv', file: csv });
  if (sql !== undefined) given.push({ kind: 'sql', url: sql, tables: table ?? [] });
  const [only] = given;
  if (only === undefined || given.length > 1)
    throw new OperatorError('weft connect discover: give exactly one of --wsdl, --openapi, --csv and --sql', {
      exitCode: 2,
    });
  if (table !== undefined && only.kind !== 'sql')
    throw new OperatorError('--table: only with --sql', { exitCode: 2 });
  return only;
}

/** What the graph of this checkout has already, so that the draft composes with it. */
function hubNames(): { readonly types: readonly string[]; readonly fields: readonly string[] } {
  const file = join(ROOT, 'schema', 'supergraph.graphql');
  if (!existsSync(file)) return { types: [], fields: [] };
  const { definitions } = parse(readFileSync(file, 'utf8'), { noLocation: true });
  const named = definitions.filter(
    (node) => 'name' in node && node.name !== undefined && node.kind !== Kind.DIRECTIVE_DEFINITION,
  );
  const query = definitions.find(
    (node) => node.kind === Kind.OBJECT_TYPE_DEFINITION && node.name.value === 'Query',
  );
  return {
    types: named.flatMap((node) => ('name' in node && node.name !== undefined ? [node.name.value] : [])),
    fields:
      query?.kind === Kind.OBJECT_TYPE_DEFINITION
        ? (query.fields ?? []).map((field) => field.name.value)
        : [],
  };
}

function report(found: Discovery): string {
  const { folder, files, counts, leftOut, environment, secrets, check } = found;
  const lines = [
    `${folder}: ${files.join(', ')}`,
    `  ${counts.queries} fields of Query, ${counts.types} types, ${counts.entities} of them entities; ${counts.commented} operations that may write are comments`,
    ...environment.map(
      ({ name, value }) => `  set ${name}${value === '' ? '' : `, in the contract ${value}`}`,
    ),
    ...secrets.map((name) => `  put a secret named ${name} (docs/connectors.md)`),
    ...(leftOut.length === 0 ? [] : ['  left out:']),
    ...leftOut.slice(0, LEFT_OUT_LINES_MAX).map(({ what, why }) => `    ${what}: ${why}`),
    ...(leftOut.length > LEFT_OUT_LINES_MAX
      ? [`    and ${leftOut.length - LEFT_OUT_LINES_MAX} more, at the end of the SDL`]
      : []),
    ...check.issues.map(
      (issue) =>
        `  ${issue.file}:${issue.line}:${issue.column} ${issue.severity} ${issue.code} ${issue.message}`,
    ),
    `  weft connect check: ${check.ok ? 'ok' : 'not usable'}`,
    ...(counts.queries === 0
      ? ['  nothing can be asked of it yet: name what only reads with --reads, or write a field']
      : []),
  ];
  return `${lines.join('\n')}\n`;
}
