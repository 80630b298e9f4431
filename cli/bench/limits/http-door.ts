// The door of a limit program: node:http, the request read whole, one function that answers it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Started } from '@weft/core/process';

/** Bytes of a request that is read; the load's are below 1 kB. */
const REQUEST_BYTES_MAX = 1_000_000;

/**
 * Listens on 127.0.0.1.
 * @param port 0 takes a free one
 * @param answer body in, JSON out; a rejection is answered by 502
 */
export async function openDoor(port: number, answer: (body: Buffer) => Promise<Buffer>): Promise<Started> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > REQUEST_BYTES_MAX) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      const send = (status: number, out: Buffer) => {
        response.writeHead(status, { 'content-type': 'application/json', 'content-length': out.length });
        response.end(out);
      };
      answer(body).then(
        (out) => send(200, out),
        (thrown: unknown) =>
          send(502, Buffer.from(JSON.stringify({ errors: [{ message: (thrown as Error).message }] }))),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    urls: { graphql: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
