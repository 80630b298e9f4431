// `weft connect`: all that a department's engineer does with the folder of a wrapped system.
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';

/** @throws OperatorError for wrong arguments, and those of the verb */
export async function connectCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const [verb, ...rest] = argv;
  switch (verb) {
    case 'check': {
      const { values, positionals } = parseCheck(rest);
      const [folder] = positionals;
      if (folder === undefined)
        throw new OperatorError("expected 'weft connect check FOLDER'", { exitCode: 2 });
      const options = { json: values.json === true, alone: values.alone === true };
      return (await import('../connect-check.ts')).connectCheckCommand(folder, options);
    }
    case 'discover':
      return (await import('./discover.ts')).discoverCommand(rest);
    case 'serve':
      return (await import('./serve.ts')).serveCommand(rest, env);
    case 'drift':
      return (await import('./drift.ts')).driftCommand(rest, env);
    default:
      throw new OperatorError("expected 'weft connect check|discover|serve|drift'", { exitCode: 2 });
  }
}

function parseCheck(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: { json: { type: 'boolean' }, alone: { type: 'boolean' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message} ('weft help' lists the commands)`, {
      cause,
      exitCode: 2,
    });
  }
}
