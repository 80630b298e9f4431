// graphql-transport-ws as a server speaks it: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
import { ERROR_CODES, HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { CloseCode, type Message, MessageType, validateMessage } from 'graphql-ws';
import type { ClientHeaders } from '../fetch/forwarded-headers.ts';
import { readClientPayload } from '../observe/client-identity.ts';
import { ClientOperation, type OperationHub } from './client-operation.ts';
import type { Connection } from './connection.ts';
import { NextFrames } from './frames.ts';
import type { WebSocketLimits } from './limits.ts';
import type { LiveOperation, Operations, ReadyOperation, SubscribePayload } from './operations.ts';
import { createSessions, credentialsEnded, type SessionsOptions } from './session.ts';

export interface Protocol {
  /** One frame of a client. */
  receive(connection: Connection, data: unknown, isBinary: boolean): void;
  /** A ping frame of a client. */
  pinged(connection: Connection): void;
  closed(connection: Connection): void;
}

export interface ProtocolOptions {
  readonly operations: Operations;
  readonly limits: WebSocketLimits;
  readonly identity: SessionsOptions['identity'];
  readonly logger: Logger;
  /** Of an upgrade's headers those that are wanted after ConnectionInit. */
  keepHeaders(headers: ClientHeaders): ClientHeaders;
  isClosing(): boolean;
}

/** RFC 6455, 7.4.1: data of a kind that is not taken. */
const UNSUPPORTED_DATA = 1003;

interface Hub extends ProtocolOptions, OperationHub {
  readonly sessions: ReturnType<typeof createSessions>;
}

export function createProtocol(options: ProtocolOptions): Protocol {
  const { identity, limits, logger, operations } = options;
  const sessions = createSessions({
    identity,
    logger,
    connectionsPerPrincipalMax: limits.connectionsPerPrincipalMax,
    drainTimeoutMs: limits.drainTimeoutMs,
    onEnded: endLive,
    onChanged: (connection) => reauthorise(operations, connection),
  });
  const hub: Hub = {
    ...options,
    sessions,
    frames: new NextFrames(),
    bufferedBytesMax: limits.bufferedBytesMax,
    onEnded: (connection) => sessions.closeWhenIdle(connection),
  };
  return {
    receive(connection, data, isBinary) {
      connection.isSilent = false;
      if (isBinary) return connection.close(UNSUPPORTED_DATA, 'Binary frames are not taken');
      const message = readMessage(connection, String(data));
      if (message === undefined) return;
      handle(hub, connection, message).catch((err: unknown) => {
        logger.error({ err }, 'a message could not be handled');
        connection.close(CloseCode.InternalServerError, 'Internal server error');
      });
    },
    pinged(connection) {
      connection.isSilent = false;
      requirePing(hub, connection);
    },
    closed(connection) {
      sessions.closed(connection);
      connection.closed();
      hub.frames.forget();
    },
  };
}

/** Undefined when it is none, and the connection closes. */
function readMessage(connection: Connection, text: string): Message | undefined {
  try {
    return validateMessage(JSON.parse(text));
  } catch {
    // What is wrong with it, its sender can see.
    connection.close(CloseCode.BadRequest, 'Invalid message received');
    return undefined;
  }
}

async function handle(hub: Hub, connection: Connection, message: Message): Promise<void> {
  switch (message.type) {
    case MessageType.ConnectionInit:
      return initialise(hub, connection, message.payload);
    case MessageType.Ping:
      return ping(hub, connection, message.payload);
    case MessageType.Pong:
      return;
    case MessageType.Subscribe:
      return subscribe(hub, connection, message.id, message.payload as SubscribePayload);
    case MessageType.Complete:
      return connection.operations.get(message.id)?.stop();
    default:
      // Only a server sends the others.
      connection.close(CloseCode.BadRequest, `Unexpected message of type ${message.type} received`);
  }
}

async function initialise(
  hub: Hub,
  connection: Connection,
  payload: Readonly<Record<string, unknown>> | null | undefined,
): Promise<void> {
  if (connection.state !== 'open')
    return connection.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
  connection.state = 'initialising';
  if (!(await hub.sessions.open(connection, payload ?? undefined))) return;
  connection.client = readClientPayload(payload ?? undefined, connection.headers);
  connection.headers = hub.keepHeaders(connection.headers);
  connection.state = 'ready';
  connection.send({ type: MessageType.ConnectionAck });
}

async function ping(
  hub: Hub,
  connection: Connection,
  payload: Readonly<Record<string, unknown>> | null | undefined,
): Promise<void> {
  if (!requirePing(hub, connection)) return;
  const authorization = payload?.authorization;
  if (authorization === undefined || connection.state !== 'ready') {
    connection.send({ type: MessageType.Pong, ...(payload === undefined ? {} : { payload }) });
    return;
  }
  if (connection.isRenewing)
    return connection.close(ERROR_CODES.RATE_LIMITED.closeCode, 'A renewal is under way');
  connection.isRenewing = true;
  const answer = await hub.sessions.renew(connection, authorization);
  connection.isRenewing = false;
  if (answer !== undefined) connection.send({ type: MessageType.Pong, payload: answer });
}

function requirePing({ limits }: Hub, connection: Connection): boolean {
  if (connection.countPing(performance.now(), limits.pingsPerSecondMax)) return true;
  connection.close(ERROR_CODES.RATE_LIMITED.closeCode, 'Too many pings');
  return false;
}

async function subscribe(
  hub: Hub,
  connection: Connection,
  id: string,
  payload: SubscribePayload,
): Promise<void> {
  const { operations, limits } = hub;
  if (connection.state !== 'ready') return connection.close(CloseCode.Unauthorized, 'Unauthorized');
  if (connection.operations.has(id))
    return connection.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
  if (id.length > limits.idCharsMax)
    return connection.close(CloseCode.BadRequest, `An id has at most ${limits.idCharsMax} characters`);
  // Reserved before the first wait, so that a completion that comes early is still right.
  const operation = new ClientOperation(hub, connection, id);
  const { headers, principal } = connection;
  const asker = { headers, principal, client: connection.client ?? readClientPayload(undefined, headers) };
  const error = takesNoMore(hub, connection) ?? limitExceeded(connection.operations.size, limits);
  if (error !== undefined) return operation.fail(operations.refuse(error, payload, asker));
  const ready = await operations.prepare(payload, asker);
  if (Array.isArray(ready)) return operation.fail(ready);
  const { watch, prepared } = ready as ReadyOperation;
  if (operation.isOver) return operations.over(ready as ReadyOperation);
  // Planning takes time: the gateway may have begun to close meanwhile, or the authority may have changed.
  const late = takesNoMore(hub, connection);
  if (late !== undefined) return operation.fail(operations.giveUp(watch, late));
  if (prepared.kind === 'subscription' && connection.principal.authority !== principal.authority) {
    operations.over(ready as ReadyOperation);
    connection.operations.get(id)?.stop();
    return subscribe(hub, connection, id, payload);
  }
  return operation.run(ready as ReadyOperation);
}

/** Why no operation is begun any more on a connection. */
function takesNoMore({ isClosing }: Hub, { hasEnded }: Connection): HubError | undefined {
  if (isClosing())
    return new HubError('CANCELLED', 'The gateway is going away: connect again.', { retryable: true });
  return hasEnded ? credentialsEnded() : undefined;
}

function limitExceeded(operations: number, limits: WebSocketLimits): HubError | undefined {
  const max = limits.operationsPerConnectionMax;
  if (operations <= max) return undefined;
  const details = { limit: 'operationsPerConnectionMax', max };
  return new HubError('LIMIT_EXCEEDED', `one socket runs at most ${max} operations at once`, { details });
}

/** The credentials have ended: what lives by them ends. */
function endLive(connection: Connection): void {
  for (const operation of [...connection.operations.values()])
    if (operation.isLive) (operation as ClientOperation).end(credentialsEnded());
}

async function reauthorise(operations: Operations, connection: Connection): Promise<void> {
  for (const each of [...connection.operations.values()]) {
    const operation = each as ClientOperation;
    const { kept, subscription } = operation;
    if (kept === undefined || subscription === undefined) continue;
    const renewed = await operations.reauthorise(kept, subscription, connection.principal);
    if (operation.isOver) continue;
    if (Array.isArray(renewed)) operation.fail(renewed);
    else operation.kept = renewed as LiveOperation;
  }
}
