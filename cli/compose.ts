// `weft compose`: writes, or checks, the composed supergraph that is committed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { compose } from '@weft/schema/compose';
import { printProblem } from '@weft/schema/problem';
import { ROOT, readStoredSubgraphs } from './checkout.ts';

/** Addresses that stand in the committed supergraph; a running hub fills in its own. */
const URLS = { subgraphs: 'http://localhost:4101', connectors: 'http://localhost:4102' } as const;

/**
 * @param check compares instead of writing
 * @throws OperatorError when the subgraphs do not compose, or the committed file is stale
 */
export function composeCommand(check: boolean): void {
  const subgraphs = readStoredSubgraphs().map(({ name, servedBy, sdl }) => ({
    name,
    url: `${URLS[servedBy]}/${name}/graphql`,
    sdl,
  }));
  const result = compose(subgraphs);
  if (result.errors !== undefined) {
    throw new OperatorError(
      `the subgraphs do not compose:\n${result.errors.map((problem) => `  ${printProblem(problem)}`).join('\n')}`,
    );
  }
  for (const hint of result.hints) process.stdout.write(`hint: ${printProblem(hint)}\n`);
  const file = join(ROOT, 'schema', 'supergraph.graphql');
  const current = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (current === result.supergraphSdl) {
    process.stdout.write('schema/supergraph.graphql is up to date\n');
    return;
  }
  if (check) throw new OperatorError("schema/supergraph.graphql is stale: run 'npm run -s weft -- compose'");
  writeFileSync(file, result.supergraphSdl);
  process.stdout.write('schema/supergraph.graphql written\n');
}
