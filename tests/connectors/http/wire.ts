// An old system on the wire, answered by a function of the test, and a folder of SDL that wraps it, opened as the host opens it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compileSystem } from '@weft/connectors/compile/compile';
import { callConnect, type Row } from '@weft/connectors/load/connect';
import { createRequestContext } from '@weft/connectors/load/request-context';
import { openSystem, type RunningSystem } from '@weft/connectors/load/system';
import { createLogger, type Logger } from '@weft/core/logger';
import { openSecrets } from '@weft/core/secrets';

export interface WireRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value: as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface WireAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  /** Never answers. */
  readonly isSilent?: boolean;
}

export interface Wire {
  readonly url: string;
  readonly requests: WireRequest[];
  close(): Promise<void>;
}

/** Answers on a port of its own; `tls` makes it https. */
export async function startWire(
  answer: (request: WireRequest) => WireAnswer | Promise<WireAnswer>,
  tls?: ServerOptions,
): Promise<Wire> {
  const requests: WireRequest[] = [];
  const server = tls === undefined ? createServer() : createTlsServer(tls);
  server.on('request', async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers, rawHeaders } = incoming;
    const request: WireRequest = { method, url, headers, rawHeaders, body: Buffer.concat(chunks) };
    requests.push(request);
    const { status = 200, headers: given = {}, body = '', isSilent = false } = await answer(request);
    if (!isSilent) response.writeHead(status, given).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scheme = tls === undefined ? 'http' : 'https';
  const host = tls === undefined ? '127.0.0.1' : 'localhost';
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `${scheme}://${host}:${(server.address() as AddressInfo).port}`, requests, close };
}

export interface Wrapped {
  readonly system: RunningSystem;
  /** Calls the `@connect` of a field of Query or Mutation, through the guard. */
  ask(field: string, args?: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/**
 * Compiles and opens a folder of the given files.
 * @param env what templates read, and secrets as `SECRET_*`
 */
export async function wrap(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
  logger: Logger = createLogger('wire', 'silent'),
): Promise<Wrapped> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-wire-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const { plan } = compileSystem(folder);
    const system = await openSystem(plan, { env, secrets: openSecrets(undefined, env), logger });
    return {
      system,
      ask(field, args = {}, signal = AbortSignal.timeout(20_000)) {
        const planned = plan.fields.get(field);
        if (planned?.kind !== 'call') throw new Error(`no call at ${field}`);
        const request = createRequestContext(system, signal, 'trace-1');
        return callConnect(request, planned.connect, { args }, field.startsWith('Query.'));
      },
      async close() {
        await system.close();
        remove();
      },
    };
  } catch (thrown) {
    remove();
    throw thrown;
  }
}

/** An SDL of one REST source named `api`, with what stands in its `rest` beside the address, and the fields given. */
export function restSdl(rest: string, fields: string, more = ''): string {
  return `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "api", readOnly: false, rest: { baseUrl: "{$env.API}/base", ${rest} }, guard: { timeout: "4s", retries: 0, concurrency: 8, breaker: { minCalls: 1000 } }${more})
${fields}
type Thing { id: ID }
`;
}
