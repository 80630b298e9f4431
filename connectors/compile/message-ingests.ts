// Decodes where the messages of an `@ingest` come from: a topic pattern or a queue.
import { levelsOf } from '../message/address.ts';
import type { AmqpSource, MqttSource, QueuePlan, TopicPlan } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';
import { type Readable, readTemplate } from './mapping-arguments.ts';

/** What each protocol says of a message beside its body: `$message`. */
const MESSAGE_NAMES: Readonly<Record<'mqtt' | 'amqp', readonly string[]>> = {
  mqtt: ['topic', 'retain', 'contentType', 'userProperties'],
  amqp: [
    'exchange',
    'routingKey',
    'messageId',
    'correlationId',
    'type',
    'timestamp',
    'contentType',
    'headers',
  ],
};
const GROUP = /^[A-Za-z0-9_-]{1,100}$/;

/** The names that the mappings of an ingest may read besides `$` and `$env`. */
export function readableOfMessages(source: MqttSource | AmqpSource, given: Arguments): Readable {
  const message = MESSAGE_NAMES[source.protocol];
  if (source.protocol === 'amqp') return { message };
  const levels = levelsOf(given.requiredText('topic'));
  return { message, topic: levels.flatMap((level) => (level.kind === 'name' ? [level.name] : [])) };
}

/** The topic of an ingest from an mqtt source. */
export function readTopic(given: Arguments, source: MqttSource, issues: IssueList): TopicPlan | undefined {
  const pattern = given.text('topic');
  const group = given.text('group');
  if (pattern === undefined) {
    const mend = 'add topic: "…/{name}/…"';
    issues.add('MISSING_ARGUMENT', given.node, `source '${source.name}' is mqtt, without topic`, mend);
    return undefined;
  }
  const levels = levelsOf(pattern);
  const wrong = levels.find((level) => level.kind === 'wrong');
  if (wrong !== undefined) {
    const mend = 'a level is text without + and #, or `{name}`';
    issues.add('BAD_VALUE', given.nodeOf('topic'), `topic has the level '${wrong.text}'`, mend);
    return undefined;
  }
  const names = levels.flatMap((level) => (level.kind === 'name' ? [level.name] : []));
  if (new Set(names).size < names.length) {
    issues.add('BAD_VALUE', given.nodeOf('topic'), 'topic names two levels alike', 'give each its own name');
  }
  if (group !== undefined && source.version !== '5') {
    const mend = 'shared subscriptions are of MQTT 5: set version: MQTT_5, or leave out group';
    issues.add('BAD_VALUE', given.nodeOf('group'), `source '${source.name}' is MQTT ${source.version}`, mend);
  } else if (group !== undefined && !GROUP.test(group)) {
    issues.add(
      'BAD_VALUE',
      given.nodeOf('group'),
      `group is '${group}'`,
      'expected letters, digits, - and _',
    );
  }
  return { kind: 'topic', pattern, group };
}

/** The queue of an ingest from an amqp source. */
export function readQueue(given: Arguments, source: AmqpSource, issues: IssueList): QueuePlan | undefined {
  if (!given.has('queue')) {
    const mend = 'add queue: "…", the name of one that is there';
    issues.add('MISSING_ARGUMENT', given.node, `source '${source.name}' is amqp, without queue`, mend);
    return undefined;
  }
  const queue = readTemplate(given, 'queue', { env: undefined }, issues);
  return queue && { kind: 'queue', queue: queue.mapping };
}
