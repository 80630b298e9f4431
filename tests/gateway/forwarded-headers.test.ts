// Client headers on their way to a subgraph, over HTTP and over WebSocket.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { readGatewayConfig } from '@weft/gateway/config';
import { startGateway } from '@weft/gateway/start';
import { createClient } from 'graphql-ws';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { composeOrThrow } from './library-gateway.ts';
import { type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { a: String }`;

let folder: string | undefined;
let subgraph: SubgraphServer | undefined;
let gateway: Started | undefined;

afterEach(async () => {
  await gateway?.close();
  await subgraph?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

async function start(settings: Readonly<Record<string, string>>): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'weft-headers-'));
  subgraph = await startSubgraph('one', SDL, { Query: { a: () => 'a' } });
  const file = join(folder, 'supergraph.graphql');
  writeFileSync(file, composeOrThrow([subgraph]));
  gateway = await startGateway({
    config: readGatewayConfig({ PORT: '0', WEFT_SUPERGRAPH_FILE: file, ...settings }),
    logger: createLogger('test', 'silent'),
  });
}

async function ask(headers: Readonly<Record<string, string>>): Promise<unknown> {
  const response = await fetch(gateway?.urls.graphql ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"query":"{ a }"}',
  });
  return response.json();
}

const CLIENT_HEADERS = { 'x-department': '320508', 'accept-language': 'zh-CN', cookie: 'session=1' };

describe('the headers of a client', () => {
  it('stay at the gateway when none is named', async () => {
    await start({});
    expect(await ask(CLIENT_HEADERS)).toEqual({ data: { a: 'a' } });
    for (const name of Object.keys(CLIENT_HEADERS))
      expect(subgraph?.requests[0]?.headers).not.toHaveProperty(name);
  });

  it('reach a subgraph when they are named, and no other does', async () => {
    await start({ WEFT_FORWARDED_HEADERS: 'X-Department, accept-language' });
    await ask(CLIENT_HEADERS);
    const { cookie, ...named } = CLIENT_HEADERS;
    expect(subgraph?.requests[0]?.headers).toMatchObject(named);
    expect(subgraph?.requests[0]?.headers).not.toHaveProperty('cookie', cookie);
  });

  it('are those of the upgrade for what comes over a WebSocket', async () => {
    await start({ WEFT_FORWARDED_HEADERS: 'x-department' });
    class SocketOfDepartment extends WebSocket {
      constructor(address: string, protocols: string | string[]) {
        super(address, protocols, { headers: CLIENT_HEADERS });
      }
    }
    const client = createClient({ url: gateway?.urls.ws ?? '', webSocketImpl: SocketOfDepartment });
    for await (const result of client.iterate({ query: '{ a }' }))
      expect(result).toMatchObject({ data: { a: 'a' } });
    await client.dispose();
    expect(subgraph?.requests[0]?.headers).toMatchObject({ 'x-department': '320508' });
    expect(subgraph?.requests[0]?.headers).not.toHaveProperty('cookie');
  });

  it('keep equal fetches apart that differ in one of them, where fetches are shared', async () => {
    await start({ WEFT_FORWARDED_HEADERS: 'x-department', WEFT_SHARE_IN_FLIGHT: 'true' });
    await Promise.all(['1', '2'].map((department) => ask({ 'x-department': department })));
    const seen = subgraph?.requests.map(({ headers }) => headers['x-department']).sort();
    expect(seen).toEqual(['1', '2']);
  });

  it.each(['content-length', 'traceparent', 'x-weft-deadline-ms', 'X-User-Id', 'no header'])(
    'may not be %s: the setting is refused',
    (name) => {
      const read = () => readGatewayConfig({ WEFT_SUPERGRAPH_FILE: 'any', WEFT_FORWARDED_HEADERS: name });
      expect(read).toThrow(OperatorError);
      expect(read).toThrow(`WEFT_FORWARDED_HEADERS: the header "${name.toLowerCase()}"`);
    },
  );
});
