// Decodes `@source` to the plans of sources.
import { isTimezone } from '@weft/schema/mapping/date-time';
import type { ConstDirectiveNode } from 'graphql';
import iconv from 'iconv-lite';
import type { GuardPlan, RestSource, SourcePlan } from '../plan.ts';
import { readAuth, readTls } from './auth.ts';
import type { IssueList } from './build-issues.ts';
import { exactlyOne, readAddress, readFileName } from './choices.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { readFilesSource } from './file-sources.ts';
import { readAmqpSource, readMqttSource } from './message-sources.ts';
import { readNumber } from './number-argument.ts';
import { readQuiet, readRate } from './protection.ts';
import { readSoapSource } from './soap-sources.ts';
import { readWebhook } from './webhook-sources.ts';

/** A subgraph answers within this; a source that may take longer makes every answer an error. */
const SUBGRAPH_DEADLINE_MS = 5_000;
const PROTOCOLS = ['rest', 'soap', 'sql', 'webhook', 'mqtt', 'amqp', 'files'] as const;
/** Sources that a query waits for. */
const CALLED = ['rest', 'soap', 'sql', 'amqp', 'mqtt'] as const;

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

/** What texts and times mean that do not say it themselves. */
function readTextRules(given: Arguments, issues: IssueList): { timezone: string; encoding: string } {
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
  return { timezone, encoding };
}

function readSource(given: Arguments, folder: string, issues: IssueList): SourcePlan | undefined {
  const protocol = exactlyOne(given, PROTOCOLS, '@source', issues);
  const guard = readGuard(given, issues);
  const { timezone, encoding } = readTextRules(given, issues);
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
      const format = own.requiredText('format') as RestSource['format'];
      const access = { auth: readAuth(own, issues), tls: readTls(own, issues) };
      const contract = {
        openapiFile: own.has('openapi') ? readFileName(own, 'openapi', folder, issues) : undefined,
        openapiUrl: own.text('openapiUrl'),
      };
      return baseUrl && { ...base, protocol, baseUrl: baseUrl.mapping, format, ...access, ...contract };
    }
    case 'soap': {
      const soap = readSoapSource(own, folder, issues);
      return soap && { ...base, protocol, ...soap };
    }
    case 'sql': {
      const url = readAddress(own, 'url', issues);
      return (
        url && {
          ...base,
          protocol,
          url: url.mapping,
          tablesFile: own.has('tables') ? readFileName(own, 'tables', folder, issues) : undefined,
        }
      );
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
    case 'files': {
      const files = readFilesSource(own, readAuth(own, issues), issues);
      return files && { ...base, protocol, ...files };
    }
    case undefined:
      return undefined;
    default:
      return protocol satisfies never;
  }
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
    rate: readRate(given, issues),
    quiet: readQuiet(given, issues),
  };
}
