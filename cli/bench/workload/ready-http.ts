// An HTTP/1.1 server for loopback that costs some ten microseconds a request: it answers from ready-made bytes.
import { createServer, type Server, type Socket } from 'node:net';

/** @returns the whole response, head included */
export type Answer = (method: string, path: string, bodyLatin1: string) => Buffer;

/** A request that has not ended after this many bytes is cut off. */
const REQUEST_BYTES_MAX = 4_000_000;
const HEAD_END = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d+)/i;
const UPGRADE = /\r\nupgrade:[ \t]*websocket/i;
const CHUNKED = /\r\ntransfer-encoding:[ \t]*chunked/i;

/** Head and body of a response, to be written as they are. */
export function frameResponse(body: string, status = '200 OK'): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\nConnection: keep-alive\r\n\r\n`,
    ),
    bytes,
  ]);
}

/** Takes over a connection that asks for another protocol: the request's head, and what came behind it. */
export type TakeUpgrade = (head: string, socket: Socket, rest: Buffer) => void;

/** Keep-alive, pipelining, and request bodies with a length or in chunks. The caller listens and closes. */
export function createReadyServer(answer: Answer, takeUpgrade?: TakeUpgrade): Server {
  return createServer({ noDelay: true }, (socket) => serve(socket, answer, takeUpgrade));
}

function serve(socket: Socket, answer: Answer, takeUpgrade: TakeUpgrade | undefined): void {
  let rest: Buffer | undefined;
  // A client that goes away in the middle of a request is no failure of the server.
  socket.on('error', () => socket.destroy());
  socket.on('data', function onData(chunk: Buffer) {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let offset = 0;
    while (offset < bytes.length) {
      const request = readRequest(bytes, offset);
      if (request === undefined) break;
      if (takeUpgrade !== undefined && UPGRADE.test(request.head)) {
        socket.off('data', onData);
        takeUpgrade(request.head, socket, bytes.subarray(request.end));
        return;
      }
      socket.write(answer(request.method, request.path, request.body));
      offset = request.end;
    }
    rest = offset === bytes.length ? undefined : bytes.subarray(offset);
    if (rest !== undefined && rest.length > REQUEST_BYTES_MAX) socket.destroy();
  });
}

interface RawRequest {
  /** Request line and fields. */
  readonly head: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** The offset of the next request. */
  readonly end: number;
}

/** @returns undefined while bytes are missing */
function readRequest(bytes: Buffer, start: number): RawRequest | undefined {
  const headEnd = bytes.indexOf(HEAD_END, start);
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', start, headEnd);
  const methodEnd = head.indexOf(' ');
  const pathEnd = head.indexOf(' ', methodEnd + 1);
  const method = head.slice(0, methodEnd);
  const path = head.slice(methodEnd + 1, pathEnd);
  const bodyStart = headEnd + HEAD_END.length;
  const length = CONTENT_LENGTH.exec(head)?.[1];
  if (length !== undefined) {
    const end = bodyStart + Number(length);
    return bytes.length < end
      ? undefined
      : { head, method, path, body: bytes.toString('latin1', bodyStart, end), end };
  }
  if (!CHUNKED.test(head)) return { head, method, path, body: '', end: bodyStart };
  const chunked = readChunks(bytes, bodyStart);
  return chunked === undefined ? undefined : { head, method, path, ...chunked };
}

/** RFC 9112, section 7.1, without trailers. */
function readChunks(
  bytes: Buffer,
  start: number,
): { readonly body: string; readonly end: number } | undefined {
  let body = '';
  let offset = start;
  while (offset < bytes.length) {
    const lineEnd = bytes.indexOf('\r\n', offset, 'latin1');
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', offset, lineEnd), 16);
    const dataStart = lineEnd + 2;
    if (bytes.length < dataStart + size + 2) return undefined;
    if (!(size > 0)) return { body, end: dataStart + 2 };
    body += bytes.toString('latin1', dataStart, dataStart + size);
    offset = dataStart + size + 2;
  }
  return undefined;
}
