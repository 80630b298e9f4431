// One WebSocket to a subgraph as graphql-transport-ws has it: handshake, pings, messages, and the one reason for which it ended.
import type { LookupFunction } from 'node:net';
import type { HubError } from '@weft/core/errors';
import { type RawData, WebSocket } from 'ws';
import { refusedAtConnect } from '../fetch/guarded-address.ts';
import type { UpstreamLimits } from './limits.ts';
import { invalidMessage, lostConnection, refusalOf } from './refusals.ts';
import { readServerMessage, type ServerMessage } from './ws-messages.ts';

/** Of one of the operations on the socket. */
export type OperationMessage = Extract<ServerMessage, { readonly id: string }>;

export interface SocketEvents {
  /** ConnectionAck has come. */
  onReady(): void;
  onMessage(message: OperationMessage): void;
  /** The subgraph has read everything that was sent up to the ping of this number. */
  onPong(ping: number): void;
  /** Once, and nothing after it. With `isRefused` it is not to be tried again. */
  onClosed(error: HubError, isRefused: boolean): void;
}

export interface SocketOptions {
  readonly system: string;
  readonly url: string;
  /** Of the upgrade. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of ConnectionInit. */
  readonly payload: Readonly<Record<string, string>> | undefined;
  /** For `connect`; undefined: that of the system. */
  readonly lookup: LookupFunction | undefined;
  readonly limits: UpstreamLimits;
  /** Whether an earlier socket like this one was acknowledged. */
  readonly wasTaken: boolean;
  readonly events: SocketEvents;
}

export interface UpstreamSocket {
  send(message: object): void;
  /** Its number, which comes back with `onPong`. */
  ping(): number;
  /** No more is wanted: nothing is told any more. */
  close(): void;
}

const SUBPROTOCOL = 'graphql-transport-ws';
const NORMAL_CLOSURE = 1000;
const BAD_REQUEST = 4400;
/** @throws what `ws` throws of an address or a header that cannot be sent; all else is told by `onClosed` */
export function openSocket(options: SocketOptions): UpstreamSocket {
  return new ProtocolSocket(options);
}

class ProtocolSocket implements UpstreamSocket {
  readonly #options: SocketOptions;
  readonly #socket: WebSocket;
  #isClosed = false;
  #isReady = false;
  #ackTimer: NodeJS.Timeout | undefined;
  #keepAlive: NodeJS.Timeout | undefined;
  #pings = 0;
  #answered = 0;
  #pongTimer: NodeJS.Timeout | undefined;

  constructor(options: SocketOptions) {
    this.#options = options;
    const { limits } = options;
    this.#socket = new WebSocket(options.url, [SUBPROTOCOL], {
      headers: options.headers,
      handshakeTimeout: limits.handshakeTimeoutMs,
      maxPayload: limits.messageBytesMax,
      perMessageDeflate: false,
      followRedirects: false,
      ...(options.lookup && { lookup: options.lookup }),
    });
    this.#socket.on('open', () => this.#init());
    this.#socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    this.#socket.on('pong', (data) => this.#pong(data));
    this.#socket.on('unexpected-response', (request, response) => {
      response.destroy();
      request.destroy();
      this.#refuse(response.statusCode ?? 0);
    });
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', (code) => this.#closed(code));
  }

  send(message: object): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(message));
    if (this.#socket.bufferedAmount > this.#options.limits.bufferedBytesMax)
      this.#end(lostConnection(this.#options.system, 'it does not take what is sent'), false);
  }

  ping(): number {
    this.#pings += 1;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping(String(this.#pings));
    this.#pongTimer ??= this.#expectPong();
    return this.#pings;
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
    this.#closeGently(NORMAL_CLOSURE);
  }

  #init(): void {
    if (this.#isClosed) return;
    const { system, limits, payload } = this.#options;
    this.send({ type: 'connection_init', ...(payload === undefined ? {} : { payload }) });
    this.#ackTimer = setTimeout(
      () => this.#end(lostConnection(system, 'no ConnectionAck in time'), false),
      limits.ackTimeoutMs,
    );
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return;
    const message = isBinary ? undefined : readServerMessage(String(data));
    if (message === undefined) {
      this.#violate('not a message of graphql-transport-ws');
      return;
    }
    switch (message.type) {
      case 'connection_ack':
        this.#acknowledge();
        return;
      case 'ping':
        this.send({ type: 'pong' });
        return;
      case 'pong':
        return;
      case 'next':
      case 'error':
      case 'complete':
        if (!this.#isReady) {
          this.#violate('a result before ConnectionAck');
          return;
        }
        this.#options.events.onMessage(message);
        return;
      default:
        message satisfies never;
    }
  }

  #acknowledge(): void {
    if (this.#isReady) {
      this.#violate('a second ConnectionAck');
      return;
    }
    this.#isReady = true;
    clearTimeout(this.#ackTimer);
    const { limits, events } = this.#options;
    this.#keepAlive = setInterval(() => this.ping(), limits.keepAliveMs);
    events.onReady();
  }

  #expectPong(): NodeJS.Timeout {
    const { system, limits } = this.#options;
    return setTimeout(
      () => this.#end(lostConnection(system, 'no answer to a ping'), false),
      limits.pongTimeoutMs,
    );
  }

  #pong(data: Buffer): void {
    if (this.#isClosed) return;
    const ping = Number(data.toString('latin1'));
    // Whatever a subgraph makes up: no number that was not sent counts.
    if (!Number.isInteger(ping) || ping <= this.#answered || ping > this.#pings) return;
    this.#answered = ping;
    clearTimeout(this.#pongTimer);
    this.#pongTimer = ping < this.#pings ? this.#expectPong() : undefined;
    this.#options.events.onPong(ping);
  }

  #violate(why: string): void {
    this.#end(invalidMessage(this.#options.system, why), false, BAD_REQUEST);
  }

  #refuse(status: number): void {
    const { system, wasTaken } = this.#options;
    const refusal = refusalOf(system, status, wasTaken);
    this.#end(refusal ?? lostConnection(system, `HTTP ${status}`), refusal !== undefined);
  }

  /** `close` follows, as a rule: this is the better reason of both. */
  #fail(error: Error & { readonly code?: string }): void {
    const { system, wasTaken } = this.#options;
    const refused = refusedAtConnect(system, error);
    const code = error.code ?? '';
    if (refused !== undefined) {
      this.#end(refused, true);
    } else if (/subprotocol/.test(error.message)) {
      const invalid = invalidMessage(system, `it does not speak ${SUBPROTOCOL}`, error);
      this.#end(invalid, !wasTaken);
    } else if (code.startsWith('WS_ERR_')) {
      this.#end(invalidMessage(system, frameReason(code), error), false);
    } else {
      this.#end(lostConnection(system, reasonOf(code, error), error), false);
    }
  }

  #closed(code: number): void {
    const { system, wasTaken } = this.#options;
    const refusal = refusalOf(system, code, wasTaken || this.#isReady);
    this.#end(refusal ?? lostConnection(system, `closed with ${code}`), refusal !== undefined);
  }

  #end(error: HubError, isRefused: boolean, closeCode = NORMAL_CLOSURE): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stop();
    if (closeCode === NORMAL_CLOSURE) this.#socket.terminate();
    else this.#closeGently(closeCode);
    this.#options.events.onClosed(error, isRefused);
  }

  #stop(): void {
    clearTimeout(this.#ackTimer);
    clearTimeout(this.#pongTimer);
    clearInterval(this.#keepAlive);
  }

  #closeGently(code: number): void {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      this.#socket.terminate();
      return;
    }
    this.#socket.close(code);
    const timer = setTimeout(() => this.#socket.terminate(), this.#options.limits.closeTimeoutMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }
}

function frameReason(code: string): string {
  return code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'
    ? 'a message is too long'
    : 'not WebSocket';
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not found',
  ETIMEDOUT: 'no connection in time',
};

function reasonOf(code: string, { message }: Error): string {
  if (/handshake has timed out/.test(message)) return 'no connection in time';
  return REASONS[code] ?? 'network error';
}
