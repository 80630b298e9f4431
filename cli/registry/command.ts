// `weft publish`, `weft check`, `weft rollback`, `weft systems`: the registry of a running hub, for departments and operators.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import {
  type Answer,
  type AskOptions,
  type GraphProblem,
  nameFile,
  openRegistryOfHub,
  printGraphProblem,
  type RegistryOfHub,
  requireAccepted,
} from './ask.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const FILE_BYTES_MAX = 1_000_000;
const one = { type: 'string' } as const;
const OPTIONS = {
  url: one,
  sdl: one,
  folder: one,
  'subscriptions-url': one,
  'subscriptions-protocol': one,
  title: one,
  owner: one,
  contact: one,
  basis: one,
  commit: one,
  reason: one,
  expected: one,
  to: one,
  gateway: one,
  token: one,
  department: one,
  approval: { type: 'boolean' },
  check: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

const USAGES = {
  publish: "expected 'weft publish NAME --url URL (--sdl FILE | --folder FOLDER) [--reason TEXT] [--check]'",
  check: "expected 'weft check NAME (--sdl FILE | --folder FOLDER) [--url URL]'",
  rollback: "expected 'weft rollback [--to N] --reason TEXT'",
  systems: "expected 'weft systems [--json]'",
} as const;

type Verb = keyof typeof USAGES;

/** @throws OperatorError for arguments, and for what the registry refuses */
export async function registryCommand(verb: Verb, argv: readonly string[], env: Environment): Promise<void> {
  const { values, positionals } = parse(verb, argv);
  const hub = () => openRegistryOfHub(values as AskOptions, env);
  switch (verb) {
    case 'publish':
      return values.check === true
        ? await check(await hub(), nameOf(verb, positionals), values)
        : await publish(await hub(), nameOf(verb, positionals), values);
    case 'check':
      return await check(await hub(), nameOf(verb, positionals), values);
    case 'rollback':
      return await rollBack(await hub(), values);
    case 'systems':
      return await listSystems(await hub(), values.json === true);
    default:
      verb satisfies never;
  }
}

type Values = ReturnType<typeof parse>['values'];

function parse(verb: Verb, argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new OperatorError(`${(cause as Error).message}; ${USAGES[verb]}`, { exitCode: 2, cause });
  }
}

function nameOf(verb: Verb, positionals: readonly string[]): string {
  const [name, ...others] = positionals;
  if (name === undefined || others.length > 0) throw new OperatorError(USAGES[verb], { exitCode: 2 });
  return name;
}

interface Published extends Answer {
  readonly changed: boolean;
  readonly publication: { readonly number: number };
  readonly versions: readonly { readonly id: string; readonly number: number }[];
  readonly hints?: readonly GraphProblem[];
}

async function publish(hub: RegistryOfHub, name: string, values: Values): Promise<void> {
  const { url, title, owner, contact, basis, reason, expected, approval } = values;
  if (url === undefined) throw new OperatorError(`--url is missing; ${USAGES.publish}`, { exitCode: 2 });
  const answer = await hub.ask<Published>('/registry', {
    ...(await versionOf(name, url, values, 'publish')),
    title,
    owner,
    contact,
    dataSharingBasis: basis,
    requiresApproval: approval,
    reason,
    expectedVersion: expected,
  });
  const { changed, publication, versions, hints } = requireAccepted(nameFile(answer, name, values.sdl));
  for (const hint of hints ?? []) process.stdout.write(`hint: ${printGraphProblem(hint)}\n`);
  const [version] = versions;
  const what = `${name} in version ${version?.number} (${version?.id})`;
  process.stdout.write(
    changed
      ? `publication ${publication.number} has ${what}\n`
      : `nothing changed: publication ${publication.number} has ${what}\n`,
  );
}

interface Checked extends Answer {
  readonly verdict: 'PASS' | 'APPROVED' | 'FAIL';
  readonly code: string | null;
  readonly problems: readonly GraphProblem[];
  readonly hints?: readonly GraphProblem[];
  readonly operations: readonly {
    readonly message: string;
    readonly operation: {
      readonly name: string;
      readonly hash: string;
      readonly clientName: string;
      readonly clientVersion: string;
      readonly lastSeen: string;
    };
  }[];
}

/** Ends with 1 when it would be refused. */
async function check(hub: RegistryOfHub, name: string, values: Values): Promise<void> {
  const url = values.url ?? (await publishedUrl(hub, name));
  const answer = await hub.ask<Checked>('/registry/check', await versionOf(name, url, values, 'check'));
  const { verdict, code, problems, hints, operations } = requireAccepted(nameFile(answer, name, values.sdl));
  for (const hint of hints ?? []) process.stdout.write(`hint: ${printGraphProblem(hint)}\n`);
  for (const problem of problems) process.stdout.write(`${printGraphProblem(problem)}\n`);
  for (const { message, operation } of operations) {
    const { name: operationName, hash, clientName, clientVersion, lastSeen } = operation;
    const client = `${clientName || 'an unnamed client'} ${clientVersion}`.trim();
    process.stdout.write(
      `breaks ${operationName || hash.slice(0, 12)} of ${client}, last run ${lastSeen}: ${message}\n`,
    );
  }
  process.stdout.write(`${name}: ${verdict}${code === null ? '' : ` (${code})`}\n`);
  if (verdict === 'FAIL') process.exitCode = 1;
}

/** Of the version that the graph has: a check of another SDL alone is of the same address. */
async function publishedUrl(hub: RegistryOfHub, name: string): Promise<string> {
  const query = 'query ($name: ID!) { system(name: $name) { version { url } } }';
  interface Found extends Answer {
    readonly data?: { readonly system: { readonly version: { readonly url: string | null } | null } | null };
  }
  const answer = await hub.ask<Found>('/graphql', { query, variables: { name } });
  const url = requireAccepted(answer).data?.system?.version?.url;
  if (url === undefined || url === null)
    throw new OperatorError(`the graph has no ${name} yet: say with --url where it is`, { exitCode: 2 });
  return url;
}

async function versionOf(name: string, url: string, values: Values, verb: Verb): Promise<object> {
  const { sdl: file, folder, commit } = values;
  if ((file === undefined) === (folder === undefined))
    throw new OperatorError(`expected --sdl or --folder; ${USAGES[verb]}`, { exitCode: 2 });
  const content = file === undefined ? await readFolder(folder ?? '') : { sdl: readBounded(file) };
  const { 'subscriptions-url': subscriptionsUrl, 'subscriptions-protocol': protocol } = values;
  const subscriptions =
    subscriptionsUrl === undefined && protocol === undefined
      ? {}
      : { subscriptions: { url: subscriptionsUrl, protocol } };
  return { name, url, ...content, ...subscriptions, commit };
}

/** A wrapped system: what it is compiled to, and the files that say so. */
async function readFolder(folder: string): Promise<object> {
  if (!existsSync(folder)) throw new OperatorError(`--folder: there is no ${folder}`, { exitCode: 2 });
  // Loaded when it is needed: the other commands begin sooner without it.
  const { compileSystem } = await import('@weft/connectors/compile/compile');
  const { plan } = compileSystem(folder);
  const files = readdirSync(folder).filter((file) => file.endsWith('.graphql'));
  const texts = files.map((path) => ({ path, text: readBounded(join(folder, path)) }));
  return { sdl: plan.storedSdl, folder: texts };
}

function readBounded(file: string): string {
  try {
    if (statSync(file).size <= FILE_BYTES_MAX) return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperatorError(`${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  throw new OperatorError(`${file} has more than ${FILE_BYTES_MAX} bytes`);
}

async function rollBack(hub: RegistryOfHub, { to, reason }: Values): Promise<void> {
  if (reason === undefined)
    throw new OperatorError(`--reason is missing; ${USAGES.rollback}`, { exitCode: 2 });
  if (to !== undefined && !/^\d{1,9}$/.test(to))
    throw new OperatorError('--to: expected the number of a publication', { exitCode: 2 });
  const query = `mutation ($to: Int, $reason: String!) {
    rollback(to: $to, reason: $reason) {
      changed publication { number rolledBackTo difference { system before { number } after { number } } }
    }
  }`;
  const variables = { to: to === undefined ? null : Number(to), reason };
  const answer = await hub.ask<RolledBack>('/graphql', { query, variables });
  const { changed, publication } = requireAccepted(answer).data?.rollback ?? {};
  if (publication === undefined) throw new OperatorError('the registry did not say what became of it');
  if (changed !== true) {
    process.stdout.write(`nothing changed: publication ${publication.number} holds\n`);
    return;
  }
  process.stdout.write(
    `publication ${publication.number} is publication ${publication.rolledBackTo} again\n`,
  );
  for (const { system, before, after } of publication.difference)
    process.stdout.write(`  ${system}: ${shown(before)} -> ${shown(after)}\n`);
}

interface Numbered {
  readonly number: number;
}

interface RolledBack extends Answer {
  readonly data?: {
    readonly rollback: {
      readonly changed: boolean;
      readonly publication: Numbered & {
        readonly rolledBackTo: number | null;
        readonly difference: readonly {
          readonly system: string;
          readonly before: Numbered | null;
          readonly after: Numbered | null;
        }[];
      };
    } | null;
  };
}

function shown(version: Numbered | null): string {
  return version === null ? 'not in the graph' : `version ${version.number}`;
}

interface ListedSystem {
  readonly name: string;
  readonly title: string;
  readonly state: string;
  readonly reason: string | null;
  readonly owner: string | null;
  readonly version: Numbered | null;
  readonly lease: { readonly state: string } | null;
  readonly quarantine: { readonly mode: string } | null;
  /** Absent: the hub is one that does not tell it here. */
  readonly drift?: { readonly differences: readonly string[] } | null;
}

async function listSystems(hub: RegistryOfHub, isJson: boolean): Promise<void> {
  const answer = await hub.ask<Answer & readonly ListedSystem[]>('/registry/systems');
  const systems = Array.from(requireAccepted(answer));
  if (isJson) {
    process.stdout.write(`${JSON.stringify(systems, null, 2)}\n`);
    return;
  }
  for (const { name, title, state, reason, owner, version, lease, quarantine, drift } of systems) {
    const told = [
      version === null
        ? owner === null
          ? 'not registered'
          : 'not in the graph'
        : `version ${version.number}`,
      ...(owner === null ? [] : [owner]),
      ...(lease === null ? [] : [`lease ${lease.state}`]),
      ...(quarantine === null ? [] : [`quarantine ${quarantine.mode}`]),
      ...(drift === undefined || drift === null ? [] : [`drift: ${drift.differences.join('; ')}`]),
      ...(reason === null ? [] : [reason]),
    ];
    process.stdout.write(`${name.padEnd(24)}${state.padEnd(10)}${title}  ${told.join(', ')}\n`);
  }
}
