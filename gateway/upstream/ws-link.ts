// Subscriptions that share one WebSocket to a subgraph: connected when the first comes, again when it is lost, closed after the last.
import type { LookupFunction } from 'node:net';
import type { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { type BackOff, createBackOff } from './back-off.ts';
import type { ChannelEvents, UpstreamRequest } from './channel.ts';
import type { UpstreamLimits } from './limits.ts';
import { lostConnection } from './refusals.ts';
import { type OperationMessage, openSocket, type UpstreamSocket } from './ws-socket.ts';

export interface LinkOptions {
  readonly system: string;
  readonly url: string;
  /** Of one upgrade: signed anew for each. */
  headers(): Readonly<Record<string, string>>;
  /** Of ConnectionInit. */
  readonly payload: Readonly<Record<string, string>> | undefined;
  /** For `connect`; undefined: that of the system. */
  readonly lookup: LookupFunction | undefined;
  readonly limits: UpstreamLimits;
  readonly logger: Logger;
  /** Told when the link is closed, after its last subscription has left. */
  onIdle(): void;
}

interface Operation {
  readonly request: UpstreamRequest;
  readonly events: ChannelEvents;
  /** On the socket of now; undefined while there is none that is ready. */
  id: string | undefined;
  /** The ping that was sent behind `subscribe`; undefined when it was answered. */
  awaitedPing: number | undefined;
}

export interface WsLink {
  /** Subscriptions on it. */
  readonly size: number;
  /** Asks for one more; the returned function ends it. */
  open(request: UpstreamRequest, events: ChannelEvents): () => void;
  /** Ends at once, and tells nobody. */
  close(): void;
}

export function createWsLink(options: LinkOptions): WsLink {
  return new SharedLink(options);
}

class SharedLink implements WsLink {
  readonly #options: LinkOptions;
  readonly #operations = new Set<Operation>();
  /** By id on the socket of now. */
  readonly #byId = new Map<string, Operation>();
  readonly #backOff: BackOff;
  #socket: UpstreamSocket | undefined;
  #isReady = false;
  #wasTaken = false;
  #lastId = 0;
  #hasWarned = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#backOff = createBackOff(options.limits);
  }

  get size(): number {
    return this.#operations.size;
  }

  open(request: UpstreamRequest, events: ChannelEvents): () => void {
    const operation: Operation = { request, events, id: undefined, awaitedPing: undefined };
    this.#operations.add(operation);
    clearTimeout(this.#lingerTimer);
    if (this.#isReady) this.#subscribe([operation]);
    else if (this.#socket === undefined && this.#retryTimer === undefined) this.#connect();
    return () => this.#leave(operation);
  }

  close(): void {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#lingerTimer);
    this.#operations.clear();
    this.#byId.clear();
    this.#socket?.close();
    this.#socket = undefined;
    this.#isReady = false;
  }

  #connect(): void {
    this.#retryTimer = undefined;
    const { system, url, payload, lookup, limits } = this.#options;
    try {
      this.#socket = openSocket({
        system,
        url,
        headers: this.#options.headers(),
        payload,
        lookup,
        limits,
        wasTaken: this.#wasTaken,
        events: {
          onReady: () => this.#ready(),
          onMessage: (message) => this.#receive(message),
          onPong: (ping) => this.#pong(ping),
          onClosed: (error, isRefused) => this.#closed(error, isRefused),
        },
      });
    } catch (thrown) {
      // Told behind the turn, as every other failure is: who opens has not got its way to leave yet.
      setImmediate(() => this.#closed(lostConnection(system, 'it cannot be connected to', thrown), false));
    }
  }

  #ready(): void {
    this.#isReady = true;
    this.#wasTaken = true;
    this.#lastId = 0;
    this.#hasWarned = false;
    this.#backOff.established();
    this.#subscribe([...this.#operations]);
  }

  #subscribe(operations: readonly Operation[]): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    for (const operation of operations) {
      this.#lastId += 1;
      operation.id = String(this.#lastId);
      this.#byId.set(operation.id, operation);
      const { document, operationName, variables } = operation.request;
      const payload = { query: document, operationName, variables };
      socket.send({ id: operation.id, type: 'subscribe', payload });
    }
    // The socket may have been lost by sending.
    if (this.#socket !== socket) return;
    const ping = socket.ping();
    for (const operation of operations) operation.awaitedPing = ping;
  }

  #pong(ping: number): void {
    for (const operation of [...this.#byId.values()]) {
      if (operation.awaitedPing === undefined || operation.awaitedPing > ping) continue;
      this.#establish(operation);
    }
  }

  #establish(operation: Operation): void {
    if (operation.awaitedPing === undefined || !this.#operations.has(operation)) return;
    operation.awaitedPing = undefined;
    operation.events.onEstablished();
  }

  #receive(message: OperationMessage): void {
    const operation = this.#byId.get(message.id);
    if (operation === undefined) {
      this.#passOver(message);
      return;
    }
    const { events } = operation;
    switch (message.type) {
      case 'next':
        // First, so that the result is not taken for one from before the loss.
        this.#establish(operation);
        if (this.#operations.has(operation)) events.onResult(message.payload);
        return;
      case 'error':
        this.#forget(operation);
        events.onErrors(message.errors);
        return;
      case 'complete':
        this.#forget(operation);
        events.onEnd(undefined);
        return;
      default:
        message satisfies never;
    }
  }

  /** Of one that was completed from here results may be on their way; of one that never was, the subgraph is wrong. */
  #passOver({ id, type }: OperationMessage): void {
    const number = Number(id);
    const wasOpen = Number.isInteger(number) && number >= 1 && number <= this.#lastId;
    if (wasOpen || this.#hasWarned) return;
    this.#hasWarned = true;
    const { system, logger } = this.#options;
    logger.warn({ system, type }, 'a subgraph sent a message for a subscription that was never opened');
  }

  #leave(operation: Operation): void {
    if (!this.#operations.has(operation)) return;
    if (operation.id !== undefined) this.#socket?.send({ id: operation.id, type: 'complete' });
    this.#forget(operation);
  }

  #forget(operation: Operation): void {
    this.#operations.delete(operation);
    if (operation.id !== undefined) this.#byId.delete(operation.id);
    if (this.#operations.size > 0) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = setTimeout(() => {
      this.close();
      this.#options.onIdle();
    }, this.#options.limits.lingerMs);
    this.#lingerTimer.unref();
  }

  #closed(error: HubError, isRefused: boolean): void {
    this.#socket = undefined;
    this.#isReady = false;
    this.#byId.clear();
    const operations = [...this.#operations];
    for (const operation of operations) {
      operation.id = undefined;
      operation.awaitedPing = undefined;
    }
    // Before anybody is told: they may leave, or others come, and find it as it is.
    if (!isRefused && operations.length > 0) this.#retry();
    for (const operation of operations) {
      if (!this.#operations.has(operation)) continue;
      if (isRefused) {
        this.#forget(operation);
        operation.events.onEnd(error);
      } else operation.events.onLost(error);
    }
  }

  #retry(): void {
    this.#retryTimer ??= setTimeout(() => this.#connect(), this.#backOff.nextDelayMs());
  }
}
