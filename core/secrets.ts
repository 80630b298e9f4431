// The secret store: names in the SDL, values in mounted files or in the environment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from './errors.ts';

/** Gives the value of a secret by its name. */
export type Secrets = (name: string) => string;

/**
 * A store that looks for the file `<directory>/<name>` first and for `SECRET_<NAME>` (upper case, `-` as `_`) then.
 * The returned function throws an OperatorError that names both places when there is neither.
 */
export function openSecrets(
  directory: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Secrets {
  return (name) => {
    const variable = `SECRET_${name.toUpperCase().replaceAll('-', '_')}`;
    const value =
      (directory === undefined ? undefined : readSecretFile(join(directory, name))) ?? env[variable];
    if (value === undefined || value === '') {
      const file =
        directory === undefined
          ? `the file ${name} in the folder of WEFT_SECRETS_DIR, which is not set`
          : `the file ${join(directory, name)}`;
      throw new OperatorError(`secret "${name}" is missing: set ${variable} or put it into ${file}`, {
        exitCode: 2,
      });
    }
    return value;
  };
}

/**
 * Looks for all of them at once, so that who starts a process is told of all that are missing and not of one a start.
 * @param names what is needed, with whom needs it
 * @throws OperatorError, one line, naming each that is missing or cannot be read
 */
export function requireSecrets(secrets: Secrets, names: ReadonlyMap<string, readonly string[]>): void {
  const problems = [...names].flatMap(([name, needing]) => {
    try {
      secrets(name);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof OperatorError)) throw thrown;
      return [`${thrown.message} (for ${needing.join(', ')})`];
    }
  });
  if (problems.length > 0) throw new OperatorError(problems.join('; '), { exitCode: 2 });
}

function readSecretFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new OperatorError(`secret file ${path} cannot be read: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
}
