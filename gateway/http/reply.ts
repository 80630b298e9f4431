// As much of an HTTP answer as one in one piece needs: Fastify's reply is one, and so is that of the direct door.
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

export interface Reply {
  readonly raw: ServerResponse;
  readonly request: { readonly headers: IncomingHttpHeaders };
  code(status: number): Reply;
  /** @param name in lower case; what was set under it before is replaced */
  header(name: string, value: string): Reply;
  headers(headers: Readonly<Record<string, string>>): Reply;
  /** Once, and last. */
  send(body: string | Buffer): Reply;
}
