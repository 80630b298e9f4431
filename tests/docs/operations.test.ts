// The page for operators names every setting of the gateway as it is, and its keys are keys that the gateway takes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GATEWAY_SETTINGS, readGatewayConfig } from '@weft/gateway/config';
import { describe, expect, it } from 'vitest';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');

describe('docs/operations.md', () => {
  it('names every setting of the gateway with its default, its unit or range, and no other', () => {
    const section = /^## Settings of the gateway$([\s\S]*?)^## /m.exec(page)?.[1] ?? '';
    const rows = [...section.matchAll(/^\| `([A-Z_]+)` \| (.*?) ?\| (.+?) \| (.*)\|$/gm)];
    const told = Object.fromEntries(rows.map(([, name, given]) => [name, given]));
    const actual = Object.entries(GATEWAY_SETTINGS).map(([name, schema]) => {
      const { data } = schema.safeParse(undefined);
      return [name, data === undefined ? '' : String(data)];
    });
    expect(told).toEqual(Object.fromEntries(actual));
  });

  it('shows keys that the gateway takes', () => {
    const keys = /^```json$([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'weft-operations-'));
    const [keysFile, graph] = [join(folder, 'keys.json'), join(folder, 'supergraph.graphql')];
    writeFileSync(keysFile, keys);
    writeFileSync(graph, '');
    const config = readGatewayConfig({ WEFT_KEYS_FILE: keysFile, WEFT_SUPERGRAPH_FILE: graph });
    expect(config).toMatchObject(JSON.parse(keys));
    rmSync(folder, { recursive: true });
  });
});
