// Laws of what the hub registers of its own when it starts: once, and never over what others did meanwhile.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { createMigratedDatabase } from '../support/owned-subgraphs.ts';
import { ADMIN, codeOf, HUB_URL, PUBLISH, publisher, publishing, startRegistry } from './signed-registry.ts';

const noPostgres = await whyNoPostgres();

describe.skipIf(noPostgres !== undefined)('the seed', () => {
  let folder: string;
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weft-seed-'));
    database = await createMigratedDatabase();
  }, 60_000);
  afterEach(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  function store(systems: Readonly<Record<string, string>>, url = HUB_URL): string {
    const subgraphs = Object.entries(systems).map(([name, sdl]) => {
      writeFileSync(join(folder, `${name}.graphql`), sdl);
      return { name, url, sdlFile: `${name}.graphql` };
    });
    const file = join(folder, 'subgraphs.json');
    writeFileSync(file, JSON.stringify({ subgraphs }));
    return file;
  }

  it('gives a system to the department that the manifest names, which then publishes it where it is', async () => {
    const file = join(folder, 'subgraphs.json');
    const entry = (name: string, more = {}) => {
      writeFileSync(join(folder, `${name}.graphql`), `type Query { ${name}: Int }`);
      return { name, url: `http://localhost:9200/${name}/graphql`, sdlFile: `${name}.graphql`, ...more };
    };
    writeFileSync(file, JSON.stringify({ subgraphs: [entry('own'), entry('police', { owner: 'police' })] }));
    const registry = await startRegistry({ database, seedFile: file });
    try {
      const { rows } = await database.client.query(
        'SELECT name, owner FROM registry.registration ORDER BY name',
      );
      expect(rows).toEqual([
        { name: 'own', owner: 'hub' },
        { name: 'police', owner: 'police' },
      ]);
      const publish = (asker: Parameters<typeof registry.as>[0], system: string, at: string) =>
        registry.as(asker, PUBLISH, {
          input: {
            versions: [
              {
                system,
                sdl: `type Query { ${system}: Int more: Int }`,
                url: `http://localhost:9200/${at}/graphql`,
              },
            ],
          },
        });
      expect(codeOf(await publish(publisher('water'), 'police', 'police'))).toBe('FORBIDDEN');
      expect(codeOf(await publish(publisher('police'), 'own', 'own'))).toBe('FORBIDDEN');
      expect(codeOf(await publish(publisher('police'), 'police', 'own'))).toBe('INVALID_URL');
      expect((await publish(publisher('police'), 'police', 'police')).errors).toBeUndefined();
    } finally {
      await registry.close();
    }
  }, 60_000);

  /** What the history has after a start, and what the graph is then. */
  async function startWith(
    systems: Readonly<Record<string, string>>,
    work: (registry: Awaited<ReturnType<typeof startRegistry>>) => Promise<void> = async () => undefined,
  ) {
    const registry = await startRegistry({ database, seedFile: store(systems) });
    try {
      await work(registry);
      const { supergraph } = await registry.data<{ supergraph: { publication: number; payload: string } }>(
        undefined,
        '{ supergraph { publication payload } }',
      );
      return supergraph;
    } finally {
      await registry.close();
    }
  }

  it('is one publication at the first start, and none while nothing changes', async () => {
    const first = await startWith({ one: 'type Query { one: Int }', two: 'type Query { two: Int }' });
    expect(first.publication).toBe(1);
    expect(first.payload).toContain('two: Int');
    expect(await startWith({ one: 'type Query { one: Int }', two: 'type Query { two: Int }' })).toEqual(
      first,
    );
  }, 90_000);

  it('follows the checkout, and leaves alone what departments published and what was rolled back', async () => {
    await startWith({ one: 'type Query { one: Int }', two: 'type Query { two: Int }' }, async (registry) => {
      await registry.data(publisher('x'), PUBLISH, publishing('theirs', 'type Query { theirs: Int }'));
      // A hub's own name is nobody else's.
      const taken = await registry.as(publisher('x'), PUBLISH, publishing('one', 'type Query { one: Int }'));
      expect(codeOf(taken)).toBe('FORBIDDEN');
    });
    const changed = await startWith({ one: 'type Query { one: Int more: Int }' });
    expect(changed.payload).toContain('more: Int');
    expect(changed.payload).toContain('theirs: Int');
    expect(changed.payload).not.toContain('two: Int');
    const rolledBack = await startWith({ one: 'type Query { one: Int more: Int }' }, async (registry) => {
      await registry.data(ADMIN, 'mutation { rollback(reason: "wrong") { changed } }');
    });
    expect(rolledBack.payload).not.toContain('more: Int');
    const again = await startWith({ one: 'type Query { one: Int more: Int }' });
    expect(again).toEqual(rolledBack);
  }, 90_000);

  it('that does not fit what departments published leaves the graph as it is, and is tried at the next start', async () => {
    await startWith({ one: 'type Query { one: Int }' }, async (registry) => {
      await registry.data(publisher('x'), PUBLISH, publishing('theirs', 'type Query { theirs: Int }'));
    });
    const clash = { one: 'type Query { one: Int theirs: String }' };
    const kept = await startWith(clash, async (registry) => {
      const { registryAudit } = await registry.data<{ registryAudit: unknown[] }>(
        ADMIN,
        '{ registryAudit(first: 1) { by action outcome } }',
      );
      expect(registryAudit).toEqual([{ by: 'weft up', action: 'seed', outcome: 'COMPOSITION_FAILED' }]);
      await registry.data(ADMIN, 'mutation { removeSystem(name: "theirs", reason: "gone") { changed } }');
    });
    expect(kept.payload).not.toContain('theirs');
    expect((await startWith(clash)).payload).toContain('theirs: String');
  }, 90_000);
});
