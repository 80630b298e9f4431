// Calls by message over MQTT: published with QoS 1, answered on a topic of the call's own.
import { randomUUID } from 'node:crypto';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { IClientPublishOptions, IPublishPacket } from 'mqtt';
import { fillAddress } from '../message/address.ts';
import { contentTypeOf, decodeAnswer, encodeBody } from '../message/body.ts';
import { CONNECTION_LOST, connectFailure } from '../message/failure.ts';
import { type LazyLink, lazyLink } from '../message/lazy-link.ts';
import { type BrokerLogin, brokerLogin } from '../message/login.ts';
import { createPending, type Pending } from '../message/pending.ts';
import type { MqttCall, MqttSource } from '../plan.ts';
import type { CallOptions, SourceClient } from '../source-client.ts';
import type { CallContext } from '../upstream-error.ts';
import { isRefusedLogin, type MqttLink, openMqttLink } from './connection.ts';

/** The broker has the message, and nobody listens: MQTT 5, 3.4.2.1. */
const NO_MATCHING_SUBSCRIBERS = 0x10;
const ANSWERS_IN_FLIGHT_MAX = 256;

interface CallLink extends MqttLink {
  readonly pending: Pending;
  /** Answers come one level below. */
  readonly replyTopic: string;
}

interface OpenedMqtt {
  readonly system: string;
  readonly source: MqttSource;
  readonly link: LazyLink<CallLink>;
}

/**
 * Opens an MQTT source; no connection is made before the first call.
 * @throws OperatorError when the URL or a secret is missing
 */
export function openMqtt(
  system: string,
  source: MqttSource,
  scope: MappingScope,
  secrets: Secrets,
): SourceClient<MqttCall> {
  const login = brokerLogin(system, source, scope, secrets);
  const link = lazyLink(() => openCallLink(system, source, login));
  return {
    close: () => link.close(),
    call: (call, callScope, options) => callByMessage({ system, source, link }, call, callScope, options),
  };
}

/** The topic with placeholders as they stand in the SDL. */
export function operationOfMqtt(call: MqttCall): string {
  return call.topic.text;
}

async function openCallLink(system: string, source: MqttSource, login: BrokerLogin): Promise<CallLink> {
  const id = randomUUID();
  const pending = createPending();
  const session = {
    clientId: `weft-${system}-${source.name}-calls-${id}`,
    isKept: false,
    inFlightMax: ANSWERS_IN_FLIGHT_MAX,
  };
  const replyTopic = `${source.replyTopic}/${id}`;
  const link = await openMqttLink(login, source.version, session, (client) => {
    client.on('message', (topic, body, packet: IPublishPacket) => {
      // The last level is the call: the same with both versions, whatever the old system does with correlation data.
      const correlationId = topic.slice(replyTopic.length + 1);
      pending.answer(correlationId, { body, contentType: packet.properties?.contentType });
    });
  });
  void link.ended.then((why) => pending.failAll('the connection to its broker broke', CONNECTION_LOST, why));
  try {
    await link.client.subscribeAsync(`${replyTopic}/+`, { qos: 1 });
  } catch (thrown) {
    await link.close();
    throw thrown;
  }
  return { ...link, pending, replyTopic };
}

async function callByMessage(
  { system, source, link }: OpenedMqtt,
  call: MqttCall,
  scope: MappingScope,
  { signal, correlationId: traceId }: CallOptions,
): Promise<unknown> {
  const context: CallContext = { system, source: source.name, operation: operationOfMqtt(call) };
  // Refused before anything is sent, a connection included.
  const topic = fillAddress(call.topic, scope, context);
  const { client, pending, replyTopic } = await link.get(signal).catch((thrown: unknown) => {
    if (signal.aborted) throw signal.reason;
    throw connectFailure(thrown, isRefusedLogin(thrown), context);
  });
  const correlationId = randomUUID();
  const reply = { correlationId, replyTopic: `${replyTopic}/${correlationId}` };
  const content = encodeBody(call.body, { ...scope, call: reply }, source.encoding);
  const answered = pending.wait(correlationId, context, signal);
  if (client.connected) {
    client.publish(topic, content, optionsOf(call, source, reply, traceId), (refused, packet) => {
      const reasonCode = packet !== undefined && 'reasonCode' in packet ? packet.reasonCode : undefined;
      if (refused)
        pending.fail(
          correlationId,
          'its broker does not take the message',
          { reason: 'NOT_CONFIRMED' },
          refused,
        );
      else if (reasonCode === NO_MATCHING_SUBSCRIBERS)
        pending.failUnsent(correlationId, 'nobody takes the message', { reason: 'UNROUTABLE' });
      else if (!call.reply) pending.answer(correlationId, { body: content, contentType: undefined });
    });
  } else pending.failUnsent(correlationId, 'its broker cannot be reached', { reason: 'NOT_CONNECTED' });
  const answer = await answered;
  if (!call.reply) return { accepted: true, correlationId };
  return decodeAnswer(answer, source.encoding, source.guard.responseBytesMax, context);
}

function optionsOf(
  call: MqttCall,
  source: MqttSource,
  { correlationId, replyTopic }: { readonly correlationId: string; readonly replyTopic: string },
  traceId: string,
): IClientPublishOptions {
  if (source.version !== '5') return { qos: 1 };
  const awaited = {
    responseTopic: replyTopic,
    correlationData: Buffer.from(correlationId),
    // After that nobody waits for the answer, and the old system need not work for it.
    messageExpiryInterval: Math.max(1, Math.ceil(source.guard.timeoutMs / 1_000)),
  };
  return {
    qos: 1,
    properties: {
      contentType: contentTypeOf(source.encoding),
      userProperties: { 'x-correlation-id': traceId },
      ...(call.reply ? awaited : {}),
    },
  };
}
