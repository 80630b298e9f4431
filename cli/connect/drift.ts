// `weft connect drift`: compares the contracts of a folder with what the systems say now.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compileSystem } from '@weft/connectors/compile/compile';
import { type Drift, measureSystem } from '@weft/connectors/drift/measure';
import { openSystem } from '@weft/connectors/load/system';
import { OperatorError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { secretsOf, withFile } from './serve.ts';

/** Exit code 1 when one changed, 3 when one is not known. @throws OperatorError as `connect check`, and for settings */
export async function driftCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { values, positionals } = parse(argv);
  const [folder] = positionals;
  if (folder === undefined) throw new OperatorError("expected 'weft connect drift FOLDER'", { exitCode: 2 });
  const settings = withFile(env, values.env);
  const secrets = secretsOf(settings);
  const { plan } = compileSystem(resolve(folder));
  const system = await openSystem(plan, {
    env: settings,
    secrets,
    logger: createLogger('connect-drift', 'error'),
  });
  try {
    const found = await measureSystem(system, secrets);
    process.stdout.write(
      values.json === true ? `${JSON.stringify(found, null, 2)}\n` : found.map(told).join(''),
    );
    if (found.some(({ verdict }) => verdict === 'CHANGED')) process.exitCode = 1;
    else if (found.some(({ verdict }) => verdict === 'UNKNOWN')) process.exitCode = 3;
  } finally {
    await system.close();
  }
}

function parse(argv: readonly string[]) {
  const options = { env: { type: 'string' }, json: { type: 'boolean' } } as const;
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message} ('weft help' lists the commands)`, {
      cause,
      exitCode: 2,
    });
  }
}

function told({ system, source, verdict, reason, changes, changeCount }: Drift): string {
  const more = changeCount > changes.length ? [`  and ${changeCount - changes.length} more`] : [];
  const lines = [
    `${system}/${source}: ${verdict}${reason === undefined ? '' : `, ${reason}`}`,
    ...changes.map((change) => `  ${change}`),
    ...more,
  ];
  return `${lines.join('\n')}\n`;
}
