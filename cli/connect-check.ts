// `weft connect check`: the compiler's verdict on the description of a wrapped system, and that of composition with the others.
import { resolve } from 'node:path';
import { checkFolder } from '@weft/connectors/compile/check';

/**
 * Prints the issues (as JSON for editors when `json`), and sets the exit code to 1 when one is an error.
 * @param alone leaves the other systems of the checkout out
 */
export async function connectCheckCommand(
  folder: string,
  { json, alone }: { readonly json: boolean; readonly alone: boolean },
): Promise<void> {
  const own = checkFolder(resolve(folder));
  const others =
    own.ok && !alone ? (await import('./connect/in-graph.ts')).checkInGraph(resolve(folder)) : [];
  const ok = own.ok && others.every(({ severity }) => severity !== 'error');
  const issues = [...own.issues, ...others];
  if (json) process.stdout.write(`${JSON.stringify({ ok, issues }, null, 2)}\n`);
  else {
    for (const issue of issues) {
      process.stdout.write(
        `${issue.file}:${issue.line}:${issue.column} ${issue.severity} ${issue.code} ${issue.message}\n`,
      );
    }
    const verdict = own.ok ? 'makes no graph with the others' : 'not usable';
    process.stdout.write(`${folder}: ${ok ? 'ok' : verdict}\n`);
  }
  if (!ok) process.exitCode = 1;
}
