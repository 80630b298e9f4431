// Decodes `@source` to the plans of sources.
import { existsSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import { isTimezone } from '@weft/schema/mapping/date-time';
import type { ConstDirectiveNode } from 'graphql';
import iconv from 'iconv-lite';
import type { AuthPlan, GuardPlan, SourcePlan } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { type PlacedMapping, readTemplate } from './mapping-arguments.ts';
import { readAmqpSource, readMqttSource } from './message-sources.ts';
import { readSecretName as readSecret } from './secret-name.ts';

/** A subgraph answers within this; a source that may take longer makes every answer an error. */
const SUBGRAPH_DEADLINE_MS = 5_000;
const PROTOCOLS = ['rest', 'soap', 'sql', 'webhook', 'mqtt', 'amqp'] as const;
/** Sources that a query waits for. */
const CALLED = ['rest', 'soap', 'sql', 'amqp', 'mqtt'] as const;
const HEADER_NAME = /^[A-Za-z0-9-]+$/;
/** Whether something is put into the environment, and nothing else: sources are opened before anyone asks. */
const ENVIRONMENT = { env: undefined };

export interface Sources {
  readonly plans: ReadonlyMap<string, SourcePlan>;
  /** Also those that could not be decoded: what uses them is not called unknown. */
  readonly names: ReadonlySet<string>;
  /** The first title that a source gives. */
  readonly title: string | undefined;
}

/** Decodes all `@source` of a folder. */
export function readSources(
  directives: readonly ConstDirectiveNode[],
  folder: string,
  issues: IssueList,
): Sources {
  const plans = new Map<string, SourcePlan>();
  const names = new Set<string>();
  let title: string | undefined;
  for (const directive of directives) {
    if (directive.name.value !== 'source') continue;
    const name = givenName(directive);
    if (name !== undefined && names.has(name)) {
      issues.add(
        'DUPLICATE_SOURCE',
        directive,
        `there is a source '${name}' already`,
        'give this one another name',
      );
    }
    if (name !== undefined) names.add(name);
    const given = readArguments(directive, issues);
    if (given === undefined) continue;
    title ??= given.text('title');
    const plan = readSource(given, folder, issues);
    if (plan !== undefined && !plans.has(plan.name)) plans.set(plan.name, plan);
  }
  return { plans, names, title };
}

function givenName(directive: ConstDirectiveNode): string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === 'name')?.value;
  return value?.kind === 'StringValue' ? value.value : undefined;
}

function readSource(given: Arguments, folder: string, issues: IssueList): SourcePlan | undefined {
  const protocol = exactlyOne(given, PROTOCOLS, '@source', issues);
  const guard = readGuard(given, issues);
  const [timezone, encoding] = [given.requiredText('timezone'), given.requiredText('encoding')];
  if (!isTimezone(timezone)) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf('timezone'),
      `no time zone '${timezone}'`,
      'expected an IANA name like "Asia/Shanghai"',
    );
  }
  if (!iconv.encodingExists(encoding)) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf('encoding'),
      `no charset '${encoding}'`,
      'expected one like "utf-8" or "gb18030"',
    );
  }
  const own = protocol === undefined ? undefined : given.object(protocol);
  if (own === undefined || guard === undefined) return undefined;
  const base = {
    name: given.requiredText('name'),
    guard,
    timezone,
    encoding,
    readOnly: given.flag('readOnly'),
  };
  switch (protocol) {
    case 'rest': {
      const baseUrl = readAddress(own, 'baseUrl', issues);
      return baseUrl && { ...base, protocol, baseUrl: baseUrl.mapping, auth: readAuth(own, issues) };
    }
    case 'soap': {
      const endpoint = readAddress(own, 'endpoint', issues);
      const wsdlFile = readFileName(own, 'wsdl', folder, issues);
      return endpoint && wsdlFile
        ? { ...base, protocol, wsdlFile, endpoint: endpoint.mapping, auth: readAuth(own, issues) }
        : undefined;
    }
    case 'sql': {
      const url = readAddress(own, 'url', issues);
      return url && { ...base, protocol, url: url.mapping };
    }
    case 'webhook':
      return { ...base, protocol, ...readWebhook(own, issues) };
    case 'mqtt': {
      const url = readAddress(own, 'url', issues);
      const mqtt = url && readMqttSource(own, { url, auth: readAuth(own, issues) }, issues);
      return mqtt && { ...base, protocol, ...mqtt };
    }
    case 'amqp': {
      const url = readAddress(own, 'url', issues);
      const amqp = url && readAmqpSource(own, { url, auth: readAuth(own, issues) }, issues);
      return amqp && { ...base, protocol, ...amqp };
    }
    case undefined:
      return undefined;
    default:
      return protocol satisfies never;
  }
}

/** The one of `names` that is there; an issue when it is none or several. */
export function exactlyOne<Name extends string>(
  given: Arguments,
  names: readonly Name[],
  owner: string,
  issues: IssueList,
): Name | undefined {
  const present = names.filter((name) => given.has(name));
  if (present.length === 0) {
    issues.add('NO_PROTOCOL', given.node, `${owner} has none of ${names.join(', ')}`, 'give it exactly one');
  } else if (present.length > 1) {
    issues.add('TWO_PROTOCOLS', given.node, `${owner} has ${present.join(' and ')}`, 'keep exactly one');
  }
  return present.length === 1 ? present[0] : undefined;
}

/** A number in a range; an issue and undefined when it is outside. */
export function readNumber(
  given: Arguments,
  name: string,
  range: readonly [number, number],
  issues: IssueList,
): number | undefined {
  const value = given.number(name);
  if (value === undefined) return undefined;
  if (value >= range[0] && value <= range[1]) return value;
  issues.add('BAD_VALUE', given.nodeOf(name), `${name} is ${value}`, `expected ${range[0]} to ${range[1]}`);
  return undefined;
}

/** A password, or a token, in the part of a URL that names the user: between `//` and `@`, and no placeholder. */
const CLEAR_LOGIN = /\/\/[^/?#{}@\s]*:[^/?#{}@\s]+@/;

/** The template of an address; a login that stands in it in clear text is an issue. */
export function readAddress(given: Arguments, name: string, issues: IssueList): PlacedMapping | undefined {
  const node = given.string(name);
  const login = node === undefined ? null : CLEAR_LOGIN.exec(node.value);
  if (node !== undefined && login !== null) {
    const mend = 'write the whole address as an environment name, {$env.…}, and set it there';
    issues.addInText('SECRET_IN_CLEAR', node, login.index + 2, `'${name}' holds a password`, mend);
  }
  return readTemplate(given, name, ENVIRONMENT, issues);
}

function readGuard(source: Arguments, issues: IssueList): GuardPlan | undefined {
  const given = source.object('guard');
  const breaker = given?.object('breaker');
  const timeoutMs = given?.durationMs('timeout');
  const openForMs = breaker?.durationMs('openFor');
  if (given === undefined || breaker === undefined || timeoutMs === undefined || openForMs === undefined)
    return undefined;
  const concurrency = readNumber(given, 'concurrency', [1, 64], issues);
  const retries = readNumber(given, 'retries', [0, 3], issues);
  const responseBytesMax = readNumber(given, 'maxResponseBytes', [1_024, 50_000_000], issues);
  const failureRatio = readNumber(breaker, 'failureRatio', [0.01, 1], issues);
  const minCalls = readNumber(breaker, 'minCalls', [1, 1_000], issues);
  if (concurrency === undefined || retries === undefined || responseBytesMax === undefined) return undefined;
  if (failureRatio === undefined || minCalls === undefined) return undefined;
  const longestMs = timeoutMs * (retries + 1);
  if (timeoutMs >= SUBGRAPH_DEADLINE_MS && source.present(CALLED).length > 0) {
    issues.add(
      'TIMEOUT_CANNOT_FIT',
      given.nodeOf('timeout'),
      `one try may take ${timeoutMs} ms, and the subgraph answers within ${SUBGRAPH_DEADLINE_MS} ms`,
      `set timeout below ${SUBGRAPH_DEADLINE_MS} ms`,
    );
  } else if (longestMs >= SUBGRAPH_DEADLINE_MS && source.present(CALLED).length > 0) {
    issues.add(
      'TIMEOUT_TOO_LONG',
      given.nodeOf('timeout'),
      `${timeoutMs} ms in ${retries + 1} tries is ${longestMs} ms, and the subgraph answers within ${SUBGRAPH_DEADLINE_MS} ms`,
      'lower timeout or retries',
    );
  }
  return {
    timeoutMs,
    concurrency,
    retries,
    breaker: { failureRatio, minCalls, openForMs },
    responseBytesMax,
  };
}

function readAuth(given: Arguments, issues: IssueList): AuthPlan | undefined {
  const auth = given.object('auth');
  if (auth === undefined) return undefined;
  const kind = exactlyOne(auth, ['apiKey', 'bearer', 'basic'] as const, 'auth', issues);
  if (kind === undefined) return undefined;
  if (kind !== 'apiKey') return { kind, secret: readSecret(auth, kind, issues) };
  const apiKey = auth.object('apiKey');
  if (apiKey === undefined) return undefined;
  return { kind, header: readHeader(apiKey, 'header', issues), secret: readSecret(apiKey, 'secret', issues) };
}

function readWebhook(given: Arguments, issues: IssueList) {
  const path = given.requiredText('path');
  if (!/^\/in\/[A-Za-z0-9/_-]+$/.test(path)) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf('path'),
      `path is '${path}'`,
      'expected letters, digits, - and _ below "/in/"',
    );
  }
  const verifySecret = readSecret(given, 'verify', issues);
  return { path, verifySecret, dedupeHeader: readHeader(given, 'dedupeHeader', issues) };
}

function readHeader(given: Arguments, name: string, issues: IssueList): string {
  const header = given.requiredText(name);
  if (!HEADER_NAME.test(header)) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf(name),
      `'${header}' is no name of a header`,
      'expected letters, digits and -',
    );
  }
  return header;
}

/** The file of the folder that an argument names; an issue when it is not there. */
export function readFileName(
  given: Arguments,
  name: string,
  folder: string,
  issues: IssueList,
): string | undefined {
  const path = normalize(given.requiredText(name));
  const file = join(folder, path);
  if (!isAbsolute(path) && !path.startsWith('..') && existsSync(file)) return file;
  issues.add(
    'FILE_MISSING',
    given.nodeOf(name),
    `no file '${path}' in the folder`,
    'put it there, or correct the path',
  );
  return undefined;
}
