import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGatewayConfig } from './config.ts';

const SECRET = 'x'.repeat(32);

describe('readGatewayConfig', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'weft-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function fileOf(name: string, value: unknown): string {
    const file = join(folder, name);
    writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
    return file;
  }

  function problemsOf(env: Readonly<Record<string, string>>): string {
    try {
      readGatewayConfig(env);
    } catch (thrown) {
      if (thrown instanceof OperatorError && thrown.exitCode === 2) return thrown.message;
      throw thrown;
    }
    return '';
  }

  it('names all that is wrong at once, in the settings and in the files that they name', () => {
    const manifest = fileOf('manifest.json', {
      subgraphs: [
        { name: 'a', url: 'http://a/', sdlFile: 'absent-a.graphql' },
        { name: 'b', url: 'http://b/', sdlFile: 'absent-b.graphql' },
      ],
    });
    const keys = fileOf('keys.json', { cursorKeys: [{ id: '!', secret: 'short' }] });
    const told = problemsOf({
      PORT: '70000',
      WEFT_DRAIN_GRACE_MS: '-1',
      WEFT_PLANER: 'hive',
      WEFT_SUBGRAPHS_FILE: manifest,
      WEFT_KEYS_FILE: keys,
      WEFT_FORWARDED_HEADERS: 'Weft-Principal',
    });
    expect(told.split('\n')).toHaveLength(1);
    for (const problem of [
      'settings: WEFT_PLANER is not a setting of weft: remove it, or did you mean WEFT_PLANNER?; ',
      'PORT: expected a port from 0 to 65535; ',
      'WEFT_DRAIN_GRACE_MS: expected whole milliseconds from 0 to 600000; ',
      `WEFT_SUBGRAPHS_FILE: ${join(folder, 'absent-a.graphql')} cannot be read (ENOENT); `,
      `WEFT_SUBGRAPHS_FILE: ${join(folder, 'absent-b.graphql')} cannot be read (ENOENT); `,
      `WEFT_KEYS_FILE: ${keys}: cursorKeys.0.id: `,
      '; cursorKeys.0.secret: ',
      'WEFT_FORWARDED_HEADERS: the header "weft-principal" may not be forwarded to subgraphs',
    ])
      expect(told).toContain(problem);
  });

  it.each([
    [{}, 'expected cursorKeys, subgraphKeys or both'],
    [{ subgraphKeys: [] }, 'subgraphKeys: expected at least one key'],
    [
      {
        subgraphKeys: [
          { id: 'a', secret: SECRET },
          { id: 'a', secret: SECRET },
        ],
      },
      'subgraphKeys: expected every id once',
    ],
    [{ subgraphKeys: [{ id: 'a', secret: SECRET, subgraphs: [] }] }, 'subgraphKeys.0.subgraphs: '],
    ['[', 'is not JSON'],
  ])('refuses the keys %j', (keys, problem) => {
    const graph = fileOf('supergraph.graphql', 'type Query { a: Int }');
    const file = fileOf('wrong-keys.json', keys);
    const told = problemsOf({ WEFT_SUPERGRAPH_FILE: graph, WEFT_KEYS_FILE: file });
    expect(told).toContain(`WEFT_KEYS_FILE: ${file}`);
    expect(told).toContain(problem);
  });
});
