// A WebSocket server that says what it is told to, however wrong: messages as they are given, and bytes that are no frame.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** What a client sent, and ways to answer it. */
export interface ScriptedMessage {
  readonly type: string;
  readonly id: string | undefined;
  readonly payload: unknown;
  send(message: unknown): void;
  /** Past the framing. */
  sendBytes(bytes: Buffer): void;
  close(code: number): void;
}

export type Script = (message: ScriptedMessage) => void;

export interface ScriptedSocketServer {
  readonly url: string;
  /** Called for every message; default: acknowledges, and answers nothing. */
  script: Script;
  /** An HTTP status instead of the upgrade; undefined: it is taken. */
  status: number | undefined;
  /** The subprotocol that is chosen; false: none. */
  subprotocol: string | false;
  /** Upgrades that were asked for, by `performance.now()`. */
  readonly upgrades: number[];
  /** Messages of the protocol that came, of all connections. */
  readonly received: { readonly type: string; readonly id?: string }[];
  /** Close codes that clients gave. */
  readonly closeCodes: number[];
  close(): Promise<void>;
}

export const acknowledge: Script = ({ type, send }) => {
  if (type === 'connection_init') send({ type: 'connection_ack' });
};

/** Acknowledges, and answers every `subscribe` with what is given. */
export function answering(answer: (message: ScriptedMessage) => void): Script {
  return (message) => {
    acknowledge(message);
    if (message.type === 'subscribe') answer(message);
  };
}

export async function startScriptedSocket(script: Script = acknowledge): Promise<ScriptedSocketServer> {
  const http = createServer();
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: () => server.subprotocol,
  });
  const server: ScriptedSocketServer = {
    url: '',
    script,
    status: undefined,
    subprotocol: 'graphql-transport-ws',
    upgrades: [],
    received: [],
    closeCodes: [],
    async close() {
      for (const client of sockets.clients) client.terminate();
      http.close();
      http.closeAllConnections();
      await once(http, 'close');
    },
  };
  http.on('upgrade', (request, socket, head) => {
    server.upgrades.push(performance.now());
    if (server.status === undefined) {
      sockets.handleUpgrade(request, socket, head, (client) => play(server, client, request));
      return;
    }
    socket.end(`HTTP/1.1 ${server.status} No\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n`);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return Object.assign(server, { url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/graphql` });
}

function play(server: ScriptedSocketServer, client: WebSocket, request: IncomingMessage): void {
  client.on('close', (code) => server.closeCodes.push(code));
  client.on('message', (data) => {
    const message = JSON.parse(String(data));
    server.received.push(message);
    server.script({
      type: message.type,
      id: message.id,
      payload: message.payload,
      send: (answer) =>
        client.send(typeof answer === 'string' || Buffer.isBuffer(answer) ? answer : JSON.stringify(answer)),
      sendBytes: (bytes) => request.socket.write(bytes),
      close: (code) => client.close(code),
    });
  });
}
