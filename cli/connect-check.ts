// `weft connect check`: the compiler's verdict on the description of a wrapped system.
import { resolve } from 'node:path';
import { checkFolder } from '@weft/connectors/compile/check';

/** Prints the issues (as JSON for editors when `json`), and sets the exit code to 1 when one is an error. */
export function connectCheckCommand(folder: string, json: boolean): void {
  const result = checkFolder(resolve(folder));
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else {
    for (const issue of result.issues) {
      process.stdout.write(
        `${issue.file}:${issue.line}:${issue.column} ${issue.severity} ${issue.code} ${issue.message}\n`,
      );
    }
    process.stdout.write(result.ok ? `${folder}: ok\n` : `${folder}: not usable\n`);
  }
  if (!result.ok) process.exitCode = 1;
}
