// Whether a wrapped folder makes one graph with the other systems of the checkout: what composition finds in it, and where that stands.
import { relative } from 'node:path';
import { type DepartmentSystem, systemsByDepartment } from '@weft/connectors/departments';
import { OperatorError } from '@weft/core/errors';
import { compose } from '@weft/schema/compose';
import type { Problem } from '@weft/schema/problem';
import { type ReadSubgraph, readSubgraphsBeside, readWrapped } from '../checkout.ts';

/** As those of the compiler, with codes of docs/schema-checks.md. */
export interface GraphIssue {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly problem: string;
  readonly mend: string;
}

type Read = ReturnType<typeof readWrapped>;

/** Nothing of it is asked: it stands in the place of an address. */
const NOWHERE = 'http://localhost/graphql';

/**
 * Composes the folder with all that the checkout has beside it; one there of the same name gives it its place.
 * @param folder one that compiles
 * @returns errors, or else what is noteworthy of this system; a warning alone where others keep it from being tried
 */
export function checkInGraph(folder: string): readonly GraphIssue[] {
  const shown = relative(process.cwd(), folder);
  const read = readWrapped(folder, shown.startsWith('..') || shown === '' ? folder : shown);
  let others: readonly ReadSubgraph[];
  try {
    others = readSubgraphsBeside(read.stored.name);
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    return [issueAt(read, 'NOT_COMPOSED', 'warning', `not tried with the graph: ${thrown.message}`)];
  }
  const { name } = read.stored;
  if (others.some(({ stored }) => stored.name === name)) {
    const problem = `${name} is the name of one of the hub's own subgraphs: give the folder another`;
    return [issueAt(read, 'RESERVED_NAME', 'error', problem)];
  }
  const members = [read, ...others].map(({ stored: { name, sdl, sources } }) => ({
    ...{ name, url: NOWHERE, sdl, sources },
  }));
  const composition = compose(members);
  const problems =
    composition.errors ??
    composition.hints.filter(({ level, systems }) => level === 'WARN' && isOf(read, systems));
  return [...departmentIssues(read, others), ...problems.map((problem) => issueOf(read, problem))];
}

function isOf({ stored }: Read, systems: readonly string[]): boolean {
  return systems.includes(stored.name);
}

/** A department has one system, and the hub would not start with two. */
function departmentIssues(read: Read, others: readonly ReadSubgraph[]): readonly GraphIssue[] {
  const taken = serving(others.flatMap(({ plan }) => plan ?? []));
  return (read.plan.dispatches ?? []).flatMap(({ department }) => {
    const other = taken.get(department)?.system;
    if (other === undefined) return [];
    const problem = `${other} serves the department ${department} already: take @dispatch(department: "${department}") out of one of them`;
    return [issueAt(read, 'DEPARTMENT_TAKEN', 'error', problem, `department: "${department}"`)];
  });
}

function serving(plans: Parameters<typeof systemsByDepartment>[0]): ReadonlyMap<string, DepartmentSystem> {
  try {
    return systemsByDepartment(plans);
  } catch {
    // Two of the others quarrel: `weft compose` says so, and it is no matter of this folder.
    return new Map();
  }
}

/** In the folder where it stands there too; other places stand in brackets behind it. */
function issueOf({ stored }: Read, { code, level, message, locations, coordinate }: Problem): GraphIssue {
  const own = locations.find(({ system }) => system === stored.name) ?? locations[0];
  const elsewhere = locations.filter((location) => location !== own);
  const also = elsewhere.map(({ file, line, column }) => `${file}:${line}:${column}`).join(', ');
  const about = coordinate === undefined || message.includes(coordinate) ? '' : `${coordinate}: `;
  const problem = `${about}${message}${also === '' ? '' : ` (${also})`}`;
  const { file = stored.sources[0]?.file ?? stored.name, line = 1, column = 1 } = own ?? {};
  const severity = level === 'ERROR' ? 'error' : 'warning';
  return {
    ...{ file, line, column, endLine: line, endColumn: column },
    ...{ code, severity, message: problem, problem, mend: '' },
  };
}

/** Where a text stands, or else at the beginning. */
function issueAt(
  { stored }: Read,
  code: string,
  severity: GraphIssue['severity'],
  problem: string,
  text?: string,
): GraphIssue {
  const source = stored.sources.find((each) => text !== undefined && each.text.includes(text));
  const { file = stored.name } = source ?? stored.sources[0] ?? {};
  const before = source?.text.slice(0, source.text.indexOf(text ?? '')).split('\n') ?? [''];
  const [line, column] = [before.length, (before.at(-1)?.length ?? 0) + 1];
  return {
    ...{ file, line, column, endLine: line, endColumn: column },
    ...{ code, severity, message: problem, problem, mend: '' },
  };
}
