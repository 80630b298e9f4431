// Takes the messages of an MQTT source in: one kept session, QoS 1, acknowledged in order when durable.
import { hostname } from 'node:os';
import type { IPublishPacket, ISubscriptionMap } from 'mqtt';
import {
  type MessageTask,
  type Reader,
  type Message as TakenMessage,
  takeMessage,
} from '../ingest/message.ts';
import type { MessagesOptions } from '../ingest/messages.ts';
import type { RunningSystem } from '../load/system.ts';
import { filterOf, matchTopic } from '../message/address.ts';
import { codeOf } from '../message/failure.ts';
import { keepLinked } from '../message/keep-link.ts';
import { type BrokerLogin, brokerLogin } from '../message/login.ts';
import type { IngestPlan, MqttSource } from '../plan.ts';
import { upstreamError } from '../upstream-error.ts';
import { acknowledgeWhenTaken, isRefusedLogin, type MqttLink, openMqttLink } from './connection.ts';

/** Messages that are being taken at once: as many as the applier puts into one transaction. */
const IN_FLIGHT_MAX = 64;
/** One: acknowledgements go in order, and a message that waits for its next try would hold up those behind it. */
const TRIES_MAX = 1;
/** Suback codes from here on are refusals: MQTT 3.1.1, 3.9.3. */
const REFUSED = 0x80;
/** MQTT 5, 3.14.2.1: another client has come with our client id. */
const SESSION_TAKEN_OVER = 0x8e;

/**
 * Takes messages in until closed.
 * @throws OperatorError when the address or a secret is missing
 */
export function takeTopics(
  system: RunningSystem,
  source: MqttSource,
  ingests: readonly IngestPlan[],
  options: MessagesOptions,
): { close(): Promise<void> } {
  const { name } = system.plan;
  const scope = { env: system.env, timezone: source.timezone };
  const login = brokerLogin(name, source, scope, options.secrets);
  const givenId = source.clientId?.evaluate(scope);
  const clientId = typeof givenId === 'string' ? givenId : `weft-${name}-${source.name}-${hostname()}`;
  const tell = (reason: string | undefined) => {
    for (const { type } of ingests) options.onBlind(type, reason);
  };
  const open = (signal: AbortSignal) => {
    const task: Omit<MessageTask, 'signal'> = {
      system: name,
      source,
      env: system.env,
      applier: options.applier,
      logger: options.logger,
      triesMax: TRIES_MAX,
      onSeen: options.onSeen,
    };
    return subscribe(login, clientId, ingests, task, signal);
  };
  return keepLinked(open, {
    up: () => tell(undefined),
    down(thrown, failures, waitMs) {
      const reason = reasonOf(thrown);
      tell(`messages do not come (${reason})`);
      const facts = { err: thrown, system: name, source: source.name, clientId, reason, waitMs };
      if (failures === 1)
        options.logger.warn(facts, 'the connection to a broker is down and will be made again');
    },
  });
}

async function subscribe(
  login: BrokerLogin,
  clientId: string,
  ingests: readonly IngestPlan[],
  facts: Omit<MessageTask, 'signal'>,
  signal: AbortSignal,
): Promise<MqttLink> {
  const source = facts.source as MqttSource;
  const ended = new AbortController();
  const task: MessageTask = { ...facts, signal: AbortSignal.any([signal, ended.signal]) };
  const session = { clientId, isKept: true, inFlightMax: IN_FLIGHT_MAX };
  const link = await openMqttLink(login, source.version, session, (client) =>
    acknowledgeWhenTaken(client, IN_FLIGHT_MAX, (packet) => take(task, ingests, packet)),
  );
  void link.ended.then((why) => ended.abort(why));
  try {
    const granted = await link.client.subscribeAsync(subscriptionsOf(source, ingests));
    const refused = granted.find(({ qos }) => Number(qos) >= REFUSED);
    if (refused === undefined) return link;
    const context = { system: facts.system, source: source.name, operation: refused.topic };
    throw upstreamError('UPSTREAM_UNAVAILABLE', 'its broker refuses the subscription', context);
  } catch (thrown) {
    await link.close();
    throw thrown;
  }
}

function subscriptionsOf(source: MqttSource, ingests: readonly IngestPlan[]): ISubscriptionMap {
  const subscriptions: ISubscriptionMap = {};
  for (const { from } of ingests) {
    if (from.kind !== 'topic') continue;
    const filter = filterOf(from.pattern);
    if (from.group !== undefined) subscriptions[`$share/${from.group}/${filter}`] = { qos: 1 };
    // Retained messages only when the subscription is new to the broker: MQTT 5, 3.8.3.1.
    else subscriptions[filter] = source.version === '5' ? { qos: 1, rh: 1 } : { qos: 1 };
  }
  return subscriptions;
}

async function take(
  task: MessageTask,
  ingests: readonly IngestPlan[],
  packet: IPublishPacket,
): Promise<void> {
  const readers = ingests.flatMap((ingest): Reader[] => {
    const topic = ingest.from.kind === 'topic' ? matchTopic(ingest.from.pattern, packet.topic) : undefined;
    return topic === undefined ? [] : [{ ingest, topic }];
  });
  // The kept session may remember a subscription that the SDL no longer has.
  if (readers.length > 0) await takeMessage(task, readMessage(packet), readers);
}

function readMessage({ topic, payload, retain, properties }: IPublishPacket): TakenMessage {
  return {
    body: Buffer.isBuffer(payload) ? payload : Buffer.from(payload),
    contentType: properties?.contentType,
    address: topic,
    facts: {
      topic,
      retain,
      contentType: properties?.contentType ?? null,
      userProperties: properties?.userProperties ?? {},
    },
  };
}

function reasonOf(thrown: unknown): string {
  if (isRefusedLogin(thrown)) return 'CREDENTIALS_REFUSED';
  return (thrown as { code?: unknown }).code === SESSION_TAKEN_OVER ? 'SESSION_TAKEN_OVER' : codeOf(thrown);
}
