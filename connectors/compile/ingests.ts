// Decodes `@ingest` to the plans of what comes to us.
import { INCIDENT_REPORT_FIELDS } from '@weft/schema/incident-report';
import type { ConstDirectiveNode } from 'graphql';
import type { IngestPlan, PollPlan, SourcePlan } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import { readColumns, readTable } from './calls.ts';
import { type Compilation, findSource } from './compilation.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { hasNoFileArguments, readFilesOrigin } from './file-ingests.ts';
import { type PlacedMapping, type Readable, readMapping } from './mapping-arguments.ts';
import { readableOfMessages, readQueue, readTopic } from './message-ingests.ts';
import { readNumber } from './number-argument.ts';
import { checkProgress } from './progresses.ts';
import { keyOf, type ObjectType } from './sdl-folder.ts';

const MESSAGE = { $: undefined, env: undefined };

/** @param entityField the field of an event's data that holds the key */
export function readIngest(
  type: ObjectType,
  directive: ConstDirectiveNode,
  entityField: string,
  compilation: Compilation,
): IngestPlan | undefined {
  const { issues } = compilation;
  const given = readArguments(directive, issues);
  if (given === undefined) return undefined;
  const source = findSource(given, compilation);
  const from = source && readOrigin(given, source, compilation);
  const readable = readableOf(given, source);
  const select = readMapping(given, 'select', readable, issues);
  const time = readMapping(given, 'time', readable, issues);
  const report = readMapping(given, 'report', readable, issues);
  const progress = readMapping(given, 'progress', readable, issues);
  const dedupe = readMapping(given, 'dedupe', readable, issues);
  const orderField = given.text('order');
  const keyFields = keyOf(type, given.requiredText('key')) ?? [given.requiredText('key')];
  if (select !== undefined) checkSelect(type, given, select, entityField, compilation);
  if (report !== undefined) checkReport(report, compilation);
  if (progress !== undefined) checkProgress(progress, issues);
  if (from === undefined || source === undefined || select === undefined) return undefined;
  return {
    type: type.name,
    source: source.name,
    from,
    keyField: keyFields[0] ?? '',
    keyFields: keyFields.length > 1 ? keyFields : undefined,
    orderField,
    time: time?.mapping,
    select: select.mapping,
    topic: type.name,
    entityField,
    report: report?.mapping,
    progress: progress?.mapping,
    keepMs: given.durationMs('keep'),
    dedupe: dedupe?.mapping,
  };
}

function readOrigin(
  given: Arguments,
  source: SourcePlan,
  { issues }: Compilation,
): IngestPlan['from'] | undefined {
  if (source.protocol === 'files') return readFilesOrigin(given, issues);
  if (!hasNoFileArguments(given, source, issues)) return undefined;
  const poll = given.object('poll');
  if (!fitsProtocol(given, source, issues)) return undefined;
  if (source.protocol === 'mqtt') return readTopic(given, source, issues);
  if (source.protocol === 'amqp') return readQueue(given, source, issues);
  if (source.protocol === 'webhook' && poll === undefined) return { kind: 'webhook' };
  if (source.protocol === 'sql' && poll !== undefined) return readPoll(poll, { issues });
  const mend =
    'take in from a webhook, mqtt or amqp source, from an sql source with poll, or from a files source with path';
  issues.add(
    'PROTOCOL_MISMATCH',
    given.node,
    `source '${source.name}' is ${source.protocol}, ${poll ? 'with' : 'without'} poll`,
    mend,
  );
  return undefined;
}

function readableOf(given: Arguments, source: SourcePlan | undefined): Readable {
  const isBroker = source?.protocol === 'mqtt' || source?.protocol === 'amqp';
  return isBroker ? { ...MESSAGE, ...readableOfMessages(source, given) } : MESSAGE;
}

/** The arguments that only some protocols have. */
const OF_PROTOCOLS: Readonly<Record<string, readonly SourcePlan['protocol'][]>> = {
  poll: ['sql'],
  topic: ['mqtt'],
  group: ['mqtt'],
  queue: ['amqp'],
  dedupe: ['mqtt', 'amqp'],
};

function fitsProtocol(given: Arguments, source: SourcePlan, issues: IssueList): boolean {
  const foreign = given
    .present(Object.keys(OF_PROTOCOLS))
    .filter((name) => OF_PROTOCOLS[name]?.includes(source.protocol) !== true);
  for (const name of foreign) {
    const message = `source '${source.name}' is ${source.protocol}, and '${name}' is for ${OF_PROTOCOLS[name]?.join(' and ')}`;
    issues.add('PROTOCOL_MISMATCH', given.nodeOf(name), message, `leave out ${name}, or name another source`);
  }
  return foreign.length === 0;
}

function readPoll(poll: Arguments, { issues }: Pick<Compilation, 'issues'>): PollPlan | undefined {
  const columns = readColumns(poll, 'columns', issues);
  const [time, tieBreaker, ...rest] = readColumns(poll, 'cursor', issues);
  const rowsMax = readNumber(poll, 'max', [1, 10_000], issues);
  const [everyMs, overlapMs] = [poll.durationMs('every'), poll.durationMs('overlap')];
  if (time === undefined || tieBreaker === undefined || rest.length > 0) {
    issues.add(
      'BAD_VALUE',
      poll.nodeOf('cursor'),
      'cursor does not name two columns',
      'name the change time, then the key',
    );
    return undefined;
  }
  const missing = [time, tieBreaker].find((column) => !columns.includes(column));
  if (missing !== undefined) {
    issues.add(
      'BAD_VALUE',
      poll.nodeOf('cursor'),
      `columns lack '${missing}' of the cursor`,
      'add it to columns',
    );
    return undefined;
  }
  if (rowsMax === undefined || everyMs === undefined || overlapMs === undefined) return undefined;
  return {
    kind: 'poll',
    table: readTable(poll, issues),
    columns,
    cursor: [time, tieBreaker],
    everyMs,
    overlapMs,
    rowsMax,
  };
}

function checkSelect(
  type: ObjectType,
  given: Arguments,
  { mapping, node }: PlacedMapping,
  entityField: string,
  { issues }: Compilation,
): void {
  const { shape } = mapping;
  const fields = shape.kind === 'object' ? shape.fields : new Map<string, { readonly offset: number }>();
  const [key, order] = [given.requiredText('key'), given.text('order')];
  if (shape.list === true)
    issues.add('SHAPE_MISMATCH', node, 'select yields a list', 'one change is one record');
  if (keyOf(type, key) === undefined) {
    issues.add(
      'INGEST_KEY',
      given.nodeOf('key'),
      `'${key}' is no key of ${type.name}`,
      `give the type @key(fields: "${key}")`,
    );
  }
  for (const name of keyOf(type, key) ?? [key]) {
    if (fields.has(name)) continue;
    const mend = `add \`${name}: …\` to select`;
    issues.add('INGEST_KEY', given.nodeOf('key'), `select yields no '${name}'`, mend);
  }
  if (order !== undefined && !fields.has(order)) {
    issues.add(
      'INGEST_ORDER',
      given.nodeOf('order'),
      `select yields no '${order}'`,
      `add \`${order}: …\` to select`,
    );
  }
  const clash = fields.get(entityField);
  if (clash !== undefined) {
    const message = `an event keeps the key under '${entityField}', and select yields a field of that name`;
    issues.addInText('SHAPE_MISMATCH', node, clash.offset, message, 'rename one of them');
  }
}

function checkReport({ mapping, node }: PlacedMapping, { issues }: Compilation): void {
  const { shape } = mapping;
  if (shape.kind !== 'object') {
    issues.add('REPORT_SHAPE', node, 'report yields no object', 'write entries: `channel: … title: …`');
    return;
  }
  const known: Readonly<Record<string, 'required' | 'optional'>> = INCIDENT_REPORT_FIELDS;
  for (const [name, { offset }] of shape.fields) {
    if (Object.hasOwn(known, name)) continue;
    issues.addInText(
      'REPORT_SHAPE',
      node,
      offset,
      `a report has no '${name}'`,
      `known are ${Object.keys(known).join(', ')}`,
    );
  }
  for (const [name, need] of Object.entries(known)) {
    if (need === 'optional' || shape.fields.has(name)) continue;
    issues.add('REPORT_SHAPE', node, `a report needs '${name}'`, `add \`${name}: …\``);
  }
  const numbers = shape.fields.get('externalNumbers');
  if (numbers !== undefined && (numbers.kind === 'value' || numbers.list === true)) {
    const mend = 'write an object of kind to number: `externalNumbers: { hotlineOrder: orderNo }`';
    issues.addInText('REPORT_SHAPE', node, numbers.offset, 'externalNumbers is no object', mend);
  }
}
