import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, importsOf, ROOT, read, sourceFiles } from './source-files.ts';

/** The table of ARCHITECTURE.md: what a folder may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  client: [],
  core: [],
  schema: ['core'],
  events: ['core'],
  evidence: ['core'],
  connectors: ['core', 'schema', 'events'],
  subgraphs: ['core', 'schema', 'connectors', 'events', 'evidence'],
  gateway: ['core', 'schema', 'events'],
  webhooks: ['core'],
  simulators: [],
  dashboard: ['schema', 'client'],
  cli: [
    'core',
    'schema',
    'connectors',
    'events',
    'evidence',
    'subgraphs',
    'gateway',
    'webhooks',
    'client',
    'dashboard',
  ],
  tests: [
    'core',
    'schema',
    'connectors',
    'events',
    'evidence',
    'subgraphs',
    'gateway',
    'webhooks',
    'client',
    'dashboard',
    'simulators',
  ],
  scripts: [],
};

const files = sourceFiles(['.ts', '.mjs', '.js']);

describe('the import table', () => {
  it('names every top-level folder that holds code', () => {
    const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
    expect([...folders].filter((folder) => MAY_IMPORT[folder ?? ''] === undefined)).toEqual([]);
  });

  it('is kept by every file', () => {
    const broken = files.flatMap((file) => {
      const from = file.split('/')[0] ?? '';
      return importsOf(file)
        .map((specifier) => ({ specifier, to: folderOf(specifier, file) }))
        .filter(({ to }) => to !== undefined && to !== from && !(MAY_IMPORT[from] ?? []).includes(to))
        .map(({ specifier }) => `${file} imports ${specifier}`);
    });
    expect(broken).toEqual([]);
  });

  it('finds imports at all', () => {
    expect(importsOf('cli/main.ts')).toContain('@weft/core/errors');
    expect(importsOf('cli/main.ts')).toContain('./up/up.ts');
  });

  it('keeps subgraphs from importing one another', () => {
    const names = readdirSync(join(ROOT, 'subgraphs'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const broken = files
      .filter((file) => /^subgraphs\/[^/]+\//.test(file))
      .flatMap((file) => {
        const own = file.split('/')[1];
        const others = names
          .map(({ name }) => name)
          .filter((name) => name !== own && name !== 'node_modules');
        return importsOf(file)
          .filter((specifier) =>
            others.some(
              (other) => specifier.startsWith(`../${other}/`) || specifier.includes(`/subgraphs/${other}/`),
            ),
          )
          .map((specifier) => `${file} imports ${specifier}`);
      });
    expect(broken).toEqual([]);
  });

  it('keeps graphql out of the protocol folders of connectors/', () => {
    const protocols = files.filter((file) => /^connectors\/(rest|soap|sql|message|mqtt|amqp)\//.test(file));
    expect(protocols.length).toBeGreaterThan(0);
    expect(protocols.filter((file) => importsOf(file).includes('graphql'))).toEqual([]);
  });

  it('imports files, never folders', () => {
    const broken = files
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        importsOf(file)
          .filter((to) => to.startsWith('.') && !/\.(ts|mjs|js|json)$/.test(to))
          .map((to) => `${file}: ${to}`),
      );
    expect(broken).toEqual([]);
  });
});

describe('a wrapped system', () => {
  const wrapped = readdirSync(join(ROOT, 'subgraphs'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `subgraphs/${entry.name}`)
    .filter((folder) =>
      sourceFiles(['.graphql'], join(ROOT, folder)).some((file) => read(file).includes('@source(')),
    );

  it('is the hotline, the grid platform or that of a department', () => {
    expect(wrapped.sort()).toEqual([
      'subgraphs/grid',
      'subgraphs/hotline',
      'subgraphs/human-resources',
      'subgraphs/market-supervision',
      'subgraphs/police',
      'subgraphs/urban-management',
    ]);
  });

  it.each(wrapped)('%s is described without a line of code', (folder) => {
    expect(sourceFiles(['.ts', '.js', '.mjs', '.cjs', '.tsx'], join(ROOT, folder))).toEqual([]);
  });
});
