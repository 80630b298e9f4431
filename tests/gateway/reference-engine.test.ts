// A gateway whose settings ask for the reference engine: @apollo/gateway answers behind the same port.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { Started } from '@weft/core/process';
import { readGatewayConfig } from '@weft/gateway/config';
import { startGateway } from '@weft/gateway/start';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, composeOrThrow } from './library-gateway.ts';
import { type Library, startLibrary } from './library-graph.ts';

describe('a gateway with WEFT_ENGINE=apollo', () => {
  let library: Library;
  let gateway: Started;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weft-reference-'));
    library = await startLibrary();
    const supergraphFile = join(folder, 'supergraph.graphql');
    writeFileSync(supergraphFile, composeOrThrow(library.all));
    const config = readGatewayConfig({
      PORT: '0',
      WEFT_SUPERGRAPH_FILE: supergraphFile,
      WEFT_ENGINE: 'apollo',
    });
    gateway = await startGateway({ config, logger: createLogger('test', 'silent') });
  });
  afterAll(async () => {
    await gateway?.close();
    await library?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function post(query: string): Promise<Answer> {
    const response = await fetch(gateway.urls.graphql ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as Answer;
  }

  it('answers a query over several subgraphs', async () => {
    expect(await post('{ me { name address { street } } books(ids: ["b1"]) { title average } }')).toEqual({
      data: {
        me: { name: '甲', address: { street: '1号' } },
        books: [{ title: '水浒传', average: expect.any(Number) }],
      },
    });
  });

  it('names the subgraphs in a query as @apollo/gateway does', async () => {
    library.people.requests.length = 0;
    await post('query Who { me { name } }');
    expect(JSON.stringify(library.people.requests)).toContain('query Who__people__0');
  });
});
