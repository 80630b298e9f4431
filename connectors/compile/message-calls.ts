// Decodes the calls that are made by message: AMQP and MQTT.
import { escapeSegment } from '../message/address.ts';
import type { IssueList } from './build-issues.ts';
import type { ReadCall } from './calls.ts';
import type { Arguments } from './directive-arguments.ts';
import { type Readable, readMapping, readTemplate } from './mapping-arguments.ts';

/** What a body may read besides: where the answer is awaited. */
const CALL_NAMES = ['replyTopic', 'correlationId'] as const;
const TOPIC_LENGTH_MAX = 1_000;

/** What `amqp: {…}` of a `@connect` says. */
export function readAmqpCall(given: Arguments, readable: Readable, issues: IssueList): ReadCall | undefined {
  const exchange = readTemplate(given, 'exchange', { env: undefined }, issues);
  const routingKey = readTemplate(given, 'routingKey', readable, issues, { escape: escapeSegment });
  const body = readMapping(given, 'body', { ...readable, call: CALL_NAMES }, issues);
  if (routingKey === undefined || (given.has('exchange') && exchange === undefined)) return undefined;
  return {
    call: {
      protocol: 'amqp',
      exchange: exchange?.mapping ?? { text: '', evaluate: () => '' },
      routingKey: routingKey.mapping,
      body: body?.mapping,
      reply: given.flag('reply'),
    },
    mappings: [exchange, routingKey, body].filter((mapping) => mapping !== undefined),
  };
}

/**
 * What `mqtt: {…}` of a `@connect` says.
 * @param tellsReplyTopic whether the protocol itself says where the answer goes: MQTT 5 does, 3.1.1 does not
 */
export function readMqttCall(
  given: Arguments,
  readable: Readable,
  tellsReplyTopic: boolean,
  issues: IssueList,
): ReadCall | undefined {
  const topic = readTemplate(given, 'topic', readable, issues, { escape: escapeSegment });
  const body = readMapping(given, 'body', { ...readable, call: CALL_NAMES }, issues);
  if (topic === undefined) return undefined;
  const { text } = topic.mapping;
  if (
    /[+#\0]/.test(text.replaceAll(/\{[^}]*\}/g, '')) ||
    text.startsWith('$') ||
    text.length > TOPIC_LENGTH_MAX
  ) {
    const mend = 'a message goes to one topic: write it without + and #, and without $ before it';
    issues.add('BAD_VALUE', topic.node, `topic is '${text}'`, mend);
  }
  const reply = given.flag('reply');
  const tells = body?.mapping.references.some(({ root, name }) => root === 'call' && name === 'replyTopic');
  if (reply && !tellsReplyTopic && tells !== true) {
    const mend = 'MQTT 3.1.1 has no place for it: add `replyTo: $call.replyTopic` to body, or reply: false';
    issues.add('BAD_MAPPING', given.node, 'the call does not say where its answer is awaited', mend);
  }
  return {
    call: { protocol: 'mqtt', topic: topic.mapping, body: body?.mapping, reply },
    mappings: [topic, body].filter((mapping) => mapping !== undefined),
  };
}
