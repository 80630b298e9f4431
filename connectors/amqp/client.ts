// Calls by message over AMQP 0-9-1: published mandatory and confirmed, answered by direct reply-to under a correlation id.
import { randomUUID } from 'node:crypto';
import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import type { ConfirmChannel, Message, Options } from 'amqplib';
import { fillAddress } from '../message/address.ts';
import { contentTypeOf, decodeAnswer, encodeBody } from '../message/body.ts';
import { CONNECTION_LOST, connectFailure } from '../message/failure.ts';
import { type LazyLink, lazyLink } from '../message/lazy-link.ts';
import { brokerLogin } from '../message/login.ts';
import { createPending, type Pending } from '../message/pending.ts';
import type { AmqpCall, AmqpSource } from '../plan.ts';
import type { CallOptions, SourceClient } from '../source-client.ts';
import type { CallContext } from '../upstream-error.ts';
import { type AmqpLink, isRefusedLogin, openConfirmChannel } from './connection.ts';

/** https://www.rabbitmq.com/docs/direct-reply-to: a queue of this channel that needs no declaring. */
const REPLY_QUEUE = 'amq.rabbitmq.reply-to';
/** What closes the channel when a message names an exchange that is not there, with all that is in flight on it. */
const NOT_FOUND = 404;
const NOT_CONFIRMED = { reason: 'NOT_CONFIRMED' };

interface OpenedAmqp {
  readonly system: string;
  readonly source: AmqpSource;
  readonly link: LazyLink<CallLink>;
}

interface CallLink extends AmqpLink<ConfirmChannel> {
  readonly pending: Pending;
}

/**
 * Opens an AMQP source; no connection is made before the first call. Nothing is declared.
 * @throws OperatorError when the URL or a secret is missing
 */
export function openAmqp(
  system: string,
  source: AmqpSource,
  scope: MappingScope,
  secrets: Secrets,
): SourceClient<AmqpCall> {
  const login = brokerLogin(system, source, scope, secrets);
  const link = lazyLink(async () =>
    listen(await openConfirmChannel(login, `weft ${system}.${source.name} calls`)),
  );
  return {
    close: () => link.close(),
    call: (call, callScope, options) => callByMessage({ system, source, link }, call, callScope, options),
  };
}

/** `exchange/routing key` with placeholders as they stand in the SDL. */
export function operationOfAmqp(call: AmqpCall): string {
  return `${call.exchange.text}/${call.routingKey.text}`;
}

async function listen(opened: AmqpLink<ConfirmChannel>): Promise<CallLink> {
  const { channel } = opened;
  const pending = createPending();
  // Comes before the confirm of the same message: https://www.rabbitmq.com/docs/confirms#when-publishes-are-confirmed
  channel.on('return', ({ properties }) =>
    pending.failUnsent(String(properties.correlationId), 'no queue takes the message', {
      reason: 'UNROUTABLE',
    }),
  );
  const take = (message: Message | null) => {
    if (message === null) return void opened.close();
    const { correlationId, contentType } = message.properties as unknown as Readonly<Record<string, unknown>>;
    const type = typeof contentType === 'string' ? contentType : undefined;
    pending.answer(String(correlationId), { body: message.content, contentType: type });
  };
  void opened.ended.then((why) => {
    const isMissing = (why as { code?: unknown }).code === NOT_FOUND;
    const details = isMissing ? { reason: 'EXCHANGE_MISSING' } : CONNECTION_LOST;
    pending.failAll(
      isMissing ? 'an exchange is not there' : 'the connection to its broker broke',
      details,
      why,
    );
  });
  try {
    await channel.consume(REPLY_QUEUE, take, { noAck: true });
  } catch (thrown) {
    await opened.close();
    throw thrown;
  }
  return { ...opened, pending };
}

async function callByMessage(
  { system, source, link }: OpenedAmqp,
  call: AmqpCall,
  scope: MappingScope,
  { signal, correlationId: traceId }: CallOptions,
): Promise<unknown> {
  const context: CallContext = { system, source: source.name, operation: operationOfAmqp(call) };
  const correlationId = randomUUID();
  const callScope = { ...scope, call: { correlationId, replyTopic: REPLY_QUEUE } };
  const exchange = fillAddress(call.exchange, callScope, context);
  const routingKey = fillAddress(call.routingKey, callScope, context);
  const content = encodeBody(call.body, callScope, source.encoding);
  const { channel, pending } = await link.get(signal).catch((thrown: unknown) => {
    if (signal.aborted) throw signal.reason;
    throw connectFailure(thrown, isRefusedLogin(thrown), context);
  });
  const answered = pending.wait(correlationId, context, signal);
  const settle = (refused: unknown) => {
    // A channel that ends refuses all that is not confirmed; why it ended comes after that, and says more.
    if (refused)
      setImmediate(() =>
        pending.fail(correlationId, 'its broker does not take the message', NOT_CONFIRMED, refused),
      );
    else if (!call.reply) pending.answer(correlationId, { body: content, contentType: undefined });
  };
  try {
    channel.publish(exchange, routingKey, content, optionsOf(call, source, correlationId, traceId), settle);
  } catch (thrown) {
    // The channel has ended, and nothing was sent.
    pending.failUnsent(correlationId, 'its broker cannot be reached', { reason: 'NOT_CONNECTED' }, thrown);
  }
  const answer = await answered;
  if (!call.reply) return { accepted: true, correlationId };
  return decodeAnswer(answer, source.encoding, source.guard.responseBytesMax, context);
}

function optionsOf(
  call: AmqpCall,
  source: AmqpSource,
  correlationId: string,
  traceId: string,
): Options.Publish {
  return {
    mandatory: true,
    persistent: !call.reply,
    correlationId,
    messageId: correlationId,
    contentType: contentTypeOf(source.encoding),
    headers: { 'x-correlation-id': traceId },
    // After that nobody waits for the answer, and the old system need not work for it.
    ...(call.reply ? { replyTo: REPLY_QUEUE, expiration: String(source.guard.timeoutMs) } : {}),
  };
}
