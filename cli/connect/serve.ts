// `weft connect serve`: one wrapped system with an explorer, for who describes it.
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, parseEnv } from 'node:util';
import type { Generation } from '@weft/connectors/develop/generation';
import { serveForDevelopment } from '@weft/connectors/develop/server';
import { OperatorError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import { openSecrets } from '@weft/core/secrets';
import { homeDirectory } from '../checkout.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs until it is interrupted. @throws OperatorError for wrong arguments and a port that is taken */
export async function serveCommand(argv: readonly string[], env: Environment): Promise<void> {
  const { values, positionals } = parse(argv);
  const [folder] = positionals;
  if (folder === undefined) throw new OperatorError("expected 'weft connect serve FOLDER'", { exitCode: 2 });
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new OperatorError(`${folder} is no folder: 'weft connect discover' drafts one`, { exitCode: 2 });
  const settings = withFile(env, values.env);
  let isAnswering = false;
  const server = await serveForDevelopment({
    folder: resolve(folder),
    host: '127.0.0.1',
    port: portOf(values.port),
    env: settings,
    secrets: secretsOf(settings),
    showsValues: values['show-values'] === true,
    vendorFiles: vendorFiles(),
    onGeneration: (generation) => {
      isAnswering ||= generation.served !== undefined;
      process.stdout.write(`${told(generation, folder, isAnswering)}\n`);
    },
    // At debug stands which values are not known to the description: they may be personal.
    logger: createLogger('connect-serve', values['show-values'] === true ? 'debug' : 'warn'),
  });
  process.stdout.write(`${server.url}  explorer, check and upstream calls; Ctrl-C ends\n`);
  await new Promise<void>((done) => {
    process.on('SIGINT', () => done());
    process.on('SIGTERM', () => done());
  });
  await server.close();
}

function parse(argv: readonly string[]) {
  const options = {
    port: { type: 'string' },
    env: { type: 'string' },
    'show-values': { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message} ('weft help' lists the commands)`, {
      cause,
      exitCode: 2,
    });
  }
}

function portOf(text: string | undefined): number {
  const port = Number(text ?? 4600);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new OperatorError(`--port: expected 0 to 65535, got ${text}`, { exitCode: 2 });
}

/** No line of a key in PEM, which a value in quotes may have several of. */
const NAME_WITHOUT_VALUE = /^\s*(?:export\s+)?[A-Z][A-Z0-9_]*(?:\s+[^=\s][^=]*|:[^=]*)$/;

/** A file of NAME=value lines goes before the environment. @throws OperatorError when it cannot be read */
export function withFile(env: Environment, file: string | undefined): Environment {
  if (file === undefined) return env;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperatorError(`--env ${file} cannot be read: ${(cause as Error).message}`, {
      cause,
      exitCode: 2,
    });
  }
  // A line that is taken for nothing is a setting that somebody believes to be set.
  const line = text.split('\n').findIndex((one) => NAME_WITHOUT_VALUE.test(one));
  if (line !== -1) throw new OperatorError(`--env ${file}:${line + 1}: expected NAME=value`, { exitCode: 2 });
  return { ...env, ...parseEnv(text) };
}

/** The secrets of this home, or of WEFT_SECRETS_DIR. */
export function secretsOf(env: Environment) {
  return openSecrets(env.WEFT_SECRETS_DIR ?? join(homeDirectory(env), 'secrets'), env);
}

/** GraphiQL from the dashboard's packages: nothing is loaded from elsewhere. */
function vendorFiles(): ReadonlyMap<string, string> {
  const dashboard = dirname(fileURLToPath(import.meta.resolve('@weft/dashboard/package.json')));
  const manifest: unknown = JSON.parse(readFileSync(join(dashboard, 'assets.json'), 'utf8'));
  const files = Object.entries(manifest as Readonly<Record<string, string>>);
  return new Map(files.map(([path, file]) => [path, join(dashboard, 'node_modules', file)]));
}

function told(
  { number, issues, problem, served, off }: Generation,
  folder: string,
  isAnswering: boolean,
): string {
  const lines = [
    served === undefined
      ? `${folder}: not served${isAnswering ? '; the last one that could be still answers' : ''}`
      : `${folder}: ok, generation ${number}`,
    ...(problem === undefined ? [] : [`  ${problem}`]),
    ...issues.map(
      (one) => `  ${one.file}:${one.line}:${one.column} ${one.severity} ${one.code} ${one.message}`,
    ),
    ...off.map((what) => `  off: ${what}`),
  ];
  return lines.join('\n');
}
