// One graphql-transport-ws client on a bare socket: handshake, subscriptions, and every delivery handed to the recorder.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { HubError } from '@weft/core/errors';
import { clientFrame, OPCODES, PONG_FRAME, readFrames } from './frames.ts';
import type { Recorder } from './recorder.ts';

/** Messages that are no events, errors first of all: a few are kept to be shown. */
export interface OtherMessages {
  readonly counts: Record<string, number>;
  readonly samples: string[];
}

export interface ClientOptions {
  readonly url: URL;
  /** Index among the clients of this process. */
  readonly client: number;
  readonly recorder: Recorder;
  readonly others: OtherMessages;
  /** Shared by all: what arrives is read in place, and only what is not whole is copied. */
  readonly readBuffer: Buffer;
  /** Called when the socket is gone, whoever ended it. */
  onClose(): void;
}

export interface LoadClient {
  send(message: object): void;
  destroy(): void;
}

const SAMPLES_MAX = 5;
const SAMPLE_CHARACTERS_MAX = 400;
const CONNECT_MS_MAX = 60_000;
const HEAD_END = Buffer.from('\r\n\r\n');

/** @throws HubError when the upgrade or ConnectionInit is refused, or takes longer than 60 s */
export function connectLoadClient(options: ClientOptions): Promise<LoadClient> {
  const { url, readBuffer } = options;
  const opened = Promise.withResolvers<LoadClient>();
  const socket: Socket = connect({
    host: url.hostname,
    port: Number(url.port),
    noDelay: true,
    onread: { buffer: readBuffer, callback: (bytes) => receive(bytes) },
  });
  const timer = setTimeout(() => fail('it was not acknowledged in 60 s'), CONNECT_MS_MAX);
  const client: LoadClient = {
    send: (message) => socket.write(clientFrame(JSON.stringify(message))),
    destroy: () => socket.destroy(),
  };
  const fail = (reason: string) => {
    opened.reject(new HubError('UPSTREAM_INVALID', `a client could not connect: ${reason}`));
    socket.destroy();
  };
  const onReady = () => {
    clearTimeout(timer);
    opened.resolve(client);
  };
  const receive = createReader(options, { client, socket, onReady, fail });
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => {
    clearTimeout(timer);
    fail('the socket was closed');
    options.onClose();
  });
  socket.on('connect', () => socket.write(upgradeRequest(url)));
  return opened.promise;
}

function upgradeRequest(url: URL): string {
  return [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: graphql-transport-ws',
    '\r\n',
  ].join('\r\n');
}

interface Ends {
  readonly client: LoadClient;
  readonly socket: Socket;
  onReady(): void;
  fail(reason: string): void;
}

/** @returns what takes the first so many bytes of the shared buffer, and goes on reading */
function createReader({ client: index, recorder, others, readBuffer }: ClientOptions, ends: Ends) {
  let rest: Buffer | undefined;
  let isUpgraded = false;
  let nowNs = 0;
  let bytes = readBuffer;
  const onFrame = (opcode: number, start: number, stop: number) => {
    if (opcode === OPCODES.text) {
      if (!recorder.record(index, bytes, start, stop, nowNs))
        onMessage(bytes.toString('utf8', start, stop), ends, others);
    } else if (opcode === OPCODES.ping) ends.socket.write(PONG_FRAME);
    else if (opcode === OPCODES.close) ends.socket.destroy();
  };
  return (length: number): boolean => {
    nowNs = Number(process.hrtime.bigint());
    bytes = rest === undefined ? readBuffer : Buffer.concat([rest, readBuffer.subarray(0, length)]);
    const end = rest === undefined ? length : bytes.length;
    let begin = 0;
    if (!isUpgraded) {
      const headEnd = bytes.subarray(0, end).indexOf(HEAD_END);
      if (headEnd >= 0) {
        const status = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
        if (!status.startsWith('HTTP/1.1 101')) ends.fail(status);
        isUpgraded = true;
        begin = headEnd + HEAD_END.length;
        ends.client.send({ type: 'connection_init' });
      }
    }
    const read = isUpgraded ? readFrames(bytes, begin, end, onFrame) : 0;
    rest = read < end ? Buffer.from(bytes.subarray(read, end)) : undefined;
    return true;
  };
}

function onMessage(text: string, { client, onReady }: Ends, { counts, samples }: OtherMessages): void {
  const { type } = JSON.parse(text) as { readonly type: string };
  if (type === 'connection_ack') onReady();
  else if (type === 'ping') client.send({ type: 'pong' });
  else {
    counts[type] = (counts[type] ?? 0) + 1;
    if (samples.length < SAMPLES_MAX) samples.push(text.slice(0, SAMPLE_CHARACTERS_MAX));
  }
}
