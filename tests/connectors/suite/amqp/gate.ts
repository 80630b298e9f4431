// A door before an AMQP broker: it lets through, cuts, and refuses a login in the broker's own frames.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface AmqpGate {
  readonly port: number;
  /** Ends every connection that is open. */
  cut(): void;
  /** While true, who comes is told that the login is refused. */
  refusesLogin: boolean;
  close(): Promise<void>;
}

export async function startAmqpGate(host: string, port: number): Promise<AmqpGate> {
  const sockets = new Set<Socket>();
  const keep = (one: Socket, other?: Socket) => {
    sockets.add(one);
    one.on('error', () => other?.destroy());
    one.on('close', () => {
      sockets.delete(one);
      other?.destroy();
    });
  };
  const server = createServer((inner) => {
    if (gate.refusesLogin) {
      keep(inner);
      return refuse(inner);
    }
    const outer = connect(port, host);
    keep(inner, outer);
    keep(outer, inner);
    inner.pipe(outer);
    outer.pipe(inner);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gate: AmqpGate = {
    port: (server.address() as { port: number }).port,
    refusesLogin: false,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      gate.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return gate;
}

const METHOD_FRAME = 1;
const FRAME_END = 0xce;
const PROTOCOL_HEADER_BYTES = 8;
const ACCESS_REFUSED = 403;

/** connection.start, connection.start-ok, connection.close: AMQP 0-9-1, 1.4. */
function refuse(socket: Socket): void {
  let bytes = 0;
  let isStarted = false;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    if (!isStarted) {
      isStarted = true;
      socket.write(
        methodFrame(10, 10, Buffer.from([0, 9, 0, 0, 0, 0]), longString('PLAIN'), longString('en_US')),
      );
    } else if (bytes > PROTOCOL_HEADER_BYTES) {
      const text = Buffer.from('ACCESS_REFUSED');
      const close = Buffer.concat([
        short(ACCESS_REFUSED),
        Buffer.from([text.length]),
        text,
        short(0),
        short(0),
      ]);
      socket.end(methodFrame(10, 50, close));
    }
  });
}

function methodFrame(classId: number, methodId: number, ...parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat([short(classId), short(methodId), ...parts]);
  const head = Buffer.alloc(7);
  head.writeUInt8(METHOD_FRAME, 0);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([FRAME_END])]);
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function longString(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}
