// `weft compose`: writes, checks or lints the composed supergraph that is committed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { compose, type Subgraph } from '@weft/schema/compose';
import { lintSubgraphs } from '@weft/schema/lint/lint';
import { printProblem } from '@weft/schema/problem';
import { ROOT, readStoredSubgraphs } from './checkout.ts';

/** Addresses that stand in the committed supergraph; a running hub fills in its own. */
const URLS = { subgraphs: 'http://localhost:4101', connectors: 'http://localhost:4102' } as const;

export interface ComposeOptions {
  /** Compares instead of writing. */
  readonly check: boolean;
  /** Tells what composes and should not stand as it is. */
  readonly lint: boolean;
}

/** @throws OperatorError when the subgraphs do not compose, the committed file is stale, or a lint finds something */
export function composeCommand({ check, lint }: ComposeOptions): void {
  const subgraphs = readStoredSubgraphs().map(({ name, servedBy, sdl, sources }) => ({
    name,
    url: `${URLS[servedBy]}/${name}/graphql`,
    sdl,
    sources,
  }));
  const result = compose(subgraphs);
  if (result.errors !== undefined) {
    throw new OperatorError(
      `the subgraphs do not compose:\n${result.errors.map((problem) => `  ${printProblem(problem)}`).join('\n')}`,
    );
  }
  for (const hint of result.hints) process.stdout.write(`hint: ${printProblem(hint)}\n`);
  keepSupergraph(result.supergraphSdl, check);
  if (lint) lintCheckout(subgraphs);
}

function keepSupergraph(supergraphSdl: string, check: boolean): void {
  const file = join(ROOT, 'schema', 'supergraph.graphql');
  const current = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (current === supergraphSdl) {
    process.stdout.write('schema/supergraph.graphql is up to date\n');
    return;
  }
  if (check) throw new OperatorError("schema/supergraph.graphql is stale: run 'npm run -s weft -- compose'");
  writeFileSync(file, supergraphSdl);
  process.stdout.write('schema/supergraph.graphql written\n');
}

/** Findings first, then what the SDL allows itself, with its reason. */
function lintCheckout(subgraphs: readonly Subgraph[]): void {
  const { findings, allowed } = lintSubgraphs(subgraphs);
  for (const finding of findings) process.stdout.write(`${finding.level}: ${printProblem(finding)}\n`);
  for (const { problem, reason } of allowed)
    process.stdout.write(`allowed: ${printProblem(problem)}: ${reason}\n`);
  process.stdout.write(`${findings.length} found, ${allowed.length} allowed\n`);
  if (findings.length > 0)
    throw new OperatorError(`the lints find ${findings.length}: mend them, or allow them with a reason`);
}
