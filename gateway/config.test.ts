import { generateKeyPairSync } from 'node:crypto';
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

  it('takes the time of single subgraphs, and refuses what no operation has', () => {
    const WEFT_SUPERGRAPH_FILE = fileOf('supergraph.graphql', 'type Query { a: Int }');
    const timesOf = (WEFT_SUBGRAPH_TIMEOUTS_MS: string) =>
      readGatewayConfig({ WEFT_SUPERGRAPH_FILE, WEFT_SUBGRAPH_TIMEOUTS_MS }).subgraphTimeouts;
    expect(timesOf('registry=15000, police=800')).toEqual(
      new Map([
        ['registry', 15_000],
        ['police', 800],
      ]),
    );
    expect(timesOf('')).toBeUndefined();
    for (const wrong of ['police', 'police=', '=5', 'police=0', 'police=5s', 'police=15001', 'a=1=2'])
      expect(problemsOf({ WEFT_SUPERGRAPH_FILE, WEFT_SUBGRAPH_TIMEOUTS_MS: wrong })).toContain(
        `WEFT_SUBGRAPH_TIMEOUTS_MS: expected NAME=MILLISECONDS up to 15000, with commas, got '${wrong}'`,
      );
  });

  describe('of a registry', () => {
    const publicKey = () =>
      generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const WEFT_REGISTRY_URL = 'http://127.0.0.1:4001/registry/graphql';

    it('needs no files beside it, and takes every key of its file', () => {
      const { registry } = readGatewayConfig({
        WEFT_REGISTRY_URL,
        WEFT_REGISTRY_PUBLIC_KEYS_FILE: fileOf('two.pem', publicKey() + publicKey()),
        WEFT_REGISTRY_ALLOWED_HOSTS: '127.0.0.1:4001, [::1]:4002',
      });
      expect(registry).toMatchObject({ url: WEFT_REGISTRY_URL, variant: 'current', cacheFolder: undefined });
      expect(registry?.publicKeys).toHaveLength(2);
      expect([...(registry?.allowedHosts ?? [])]).toEqual(['127.0.0.1:4001', '[::1]:4002']);
    });

    it.each([
      [{ WEFT_REGISTRY_URL: 'ftp://x/' }, 'WEFT_REGISTRY_URL: "ftp://x/" is no http:// or https:// address'],
      [{ WEFT_REGISTRY_URL }, 'WEFT_REGISTRY_PUBLIC_KEYS_FILE: WEFT_REGISTRY_URL needs the keys'],
      [
        { WEFT_REGISTRY_URL, WEFT_REGISTRY_PUBLIC_KEYS_FILE: '/nowhere.pem' },
        'WEFT_REGISTRY_PUBLIC_KEYS_FILE: /nowhere.pem cannot be read (ENOENT)',
      ],
      [
        { WEFT_REGISTRY_URL, WEFT_GRAPH_VARIANT: '../../etc' },
        'WEFT_GRAPH_VARIANT: expected up to 64 letters',
      ],
      [
        { WEFT_REGISTRY_URL, WEFT_REGISTRY_ALLOWED_HOSTS: 'localhost' },
        'WEFT_REGISTRY_ALLOWED_HOSTS: "localhost" is not host:port',
      ],
    ])('is refused where it is wrong: %j', (env, problem) => {
      expect(problemsOf(env)).toContain(problem);
    });

    it('is refused with keys that are none, or of another kind', () => {
      const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
      const other = rsa.export({ type: 'spki', format: 'pem' }).toString();
      for (const [text, problem] of [
        ['', 'has 0 public keys in PEM: expected 1 to 16'],
        [publicKey() + other, 'key 2 is not an Ed25519 public key'],
      ] as const)
        expect(
          problemsOf({ WEFT_REGISTRY_URL, WEFT_REGISTRY_PUBLIC_KEYS_FILE: fileOf('keys.pem', text) }),
        ).toContain(problem);
    });

    it('is not for the reference engine, whose connections nothing guards', () => {
      const env = { WEFT_REGISTRY_URL, WEFT_REGISTRY_PUBLIC_KEYS_FILE: fileOf('one.pem', publicKey()) };
      expect(problemsOf({ ...env, WEFT_ENGINE: 'apollo' })).toContain(
        'WEFT_ENGINE: apollo takes its graph from files',
      );
    });
  });
});
