// Asks the registry of a running hub, through its gateway, as somebody.
import { OperatorError } from '@weft/core/errors';
import { homeDirectory } from '../checkout.ts';
import { openIssuer } from '../token/issuer.ts';
import { readRun } from '../up/run-file.ts';

const ANSWER_MS_MAX = 30_000;
const TOKEN_LIFETIME_S = 300;
const SCOPES = ['registry:read', 'registry:publish', 'registry:approve'] as const;

/** Where, and as whom; what is not given is that of the home. */
export interface AskOptions {
  /** Of the gateway, such as `https://hub.example`. */
  readonly gateway?: string | undefined;
  readonly token?: string | undefined;
  /** As somebody of this department who publishes, where the hub is an issuer of its own; else as its admin. */
  readonly department?: string | undefined;
}

export interface RegistryError {
  readonly message: string;
  readonly extensions: { readonly code?: string };
}

export interface GraphProblem {
  readonly code: string;
  readonly message: string;
  readonly systems: readonly string[];
  readonly coordinate: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

/** An answer of the door, or of GraphQL: data beside errors. */
export interface Answer {
  readonly errors?: readonly RegistryError[];
  readonly problems?: readonly GraphProblem[];
}

export interface RegistryOfHub {
  /** @param path `/registry…` or `/graphql`; without a body a GET. @throws OperatorError when nobody answers, or not with JSON */
  ask<Result extends Answer>(path: string, body?: object): Promise<Result>;
}

/** @throws OperatorError when no hub runs in the home, or it is no issuer and no token is given */
export async function openRegistryOfHub(
  options: AskOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RegistryOfHub> {
  const home = homeDirectory(env);
  const origin = originOf(options.gateway ?? readRun(home)?.urls.graphql, home);
  const token = options.token ?? (await demoToken(home, options.department, env));
  return {
    async ask<Result extends Answer>(path: string, body?: object): Promise<Result> {
      const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
      const request =
        body === undefined
          ? { headers }
          : {
              method: 'POST',
              headers: { ...headers, 'content-type': 'application/json' },
              body: JSON.stringify(body),
            };
      try {
        const signal = AbortSignal.timeout(ANSWER_MS_MAX);
        return (await (await fetch(new URL(path, origin), { ...request, signal })).json()) as Result;
      } catch (cause) {
        throw new OperatorError(`no gateway answers at ${origin}`, { cause });
      }
    },
  };
}

function originOf(url: string | undefined, home: string): string {
  if (url === undefined)
    throw new OperatorError(
      `no hub runs in ${home}: start one, set WEFT_HOME to its home, or say where with --gateway`,
    );
  if (!URL.canParse(url)) throw new OperatorError(`--gateway: ${url} is no URL`, { exitCode: 2 });
  return new URL(url).origin;
}

function demoToken(
  home: string,
  department: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const asAdmin = { subject: 'registry-admin', roles: ['registry-admin'], scopes: SCOPES };
  const asDepartment = { subject: `${department}-publisher`, roles: [], scopes: SCOPES.slice(0, 2) };
  const who = department === undefined ? asAdmin : asDepartment;
  return openIssuer(home, env.NODE_ENV).sign({
    ...who,
    division: undefined,
    department,
    lifetimeS: TOKEN_LIFETIME_S,
  });
}

/** @throws OperatorError that says what was refused, with each finding on a line of its own */
export function requireAccepted<Result extends Answer>(answer: Result): Result {
  const [error] = answer.errors ?? [];
  if (error === undefined) return answer;
  const { code = 'refused' } = error.extensions;
  const problems = answer.problems ?? [];
  // The message of what does not compose is the first of its problems, cut off.
  const isTold = code === 'COMPOSITION_FAILED' && problems.length > 0;
  const message = isTold ? 'this version does not go with the graph' : error.message;
  const lines = problems.map((problem) => `\n  ${printGraphProblem(problem)}`);
  throw new OperatorError(`${code}: ${message}${lines.join('')}`);
}

/** The registry is given a text and calls it `sdl`; who typed the command knows it by its file. */
export function nameFile<Result extends Answer & { readonly hints?: readonly GraphProblem[] }>(
  answer: Result,
  system: string,
  sdlFile: string | undefined,
): Result {
  const name = (problem: GraphProblem): GraphProblem =>
    sdlFile !== undefined && problem.file === 'sdl' && problem.systems.includes(system)
      ? { ...problem, file: sdlFile }
      : problem;
  const { problems, hints } = answer;
  return {
    ...answer,
    ...(problems === undefined ? {} : { problems: problems.map(name) }),
    ...(hints === undefined ? {} : { hints: hints.map(name) }),
  };
}

/** One line: place, systems, message, code. */
export function printGraphProblem({ file, line, systems, message, code }: GraphProblem): string {
  const place = file === null ? [] : [line === null ? file : `${file}:${line}`];
  const where = [...place, systems.join(', ')].filter((part) => part !== '');
  return `${[...where, message].join(': ')} [${code}]`;
}
