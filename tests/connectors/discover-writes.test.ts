import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { checkFolder } from '@weft/connectors/compile/check';
import { type ContractAddress, type Discovery, discover } from '@weft/connectors/discover/discover';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CONTRACTS = join(import.meta.dirname, 'contracts');
const PUBLIC = readdirSync(CONTRACTS).filter((name) => name !== 'SOURCES.md');

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-discover-writes-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function draft(contract: ContractAddress): Promise<Discovery> {
  count += 1;
  return discover({ contract, out: join(folder, `system-${count}`) });
}

function draftLamps(): Promise<Discovery> {
  count += 1;
  const file = join(folder, `lamps-${count}.json`);
  writeFileSync(file, JSON.stringify(LAMPS));
  return draft({ kind: 'openapi', file });
}

function sdlFile({ folder: made }: Discovery): string {
  return join(made, `${basename(made)}.graphql`);
}

function sdlOf(found: Discovery): string {
  return readFileSync(sdlFile(found), 'utf8');
}

/** Takes in all that the draft has as comments, as its remark says. */
function takeInWrites(sdl: string): string {
  return sdl
    .replace(/^# type Mutation \{\n(?:#.*\n)*/m, (block) => block.replaceAll(/^# ?/gm, ''))
    .replace(/^( {4})title: /m, '$1readOnly: false\n$1title: ');
}

describe('what a draft has of writes, as comments', () => {
  it.each(PUBLIC)('%s passes the check when all of it is taken in', async (name) => {
    const found = await draft({
      kind: name.endsWith('.wsdl') ? 'wsdl' : 'openapi',
      file: join(CONTRACTS, name),
    });
    const sdl = takeInWrites(sdlOf(found));
    writeFileSync(sdlFile(found), sdl);
    expect(checkFolder(found.folder)).toEqual({ ok: true, issues: [] });
    expect(/^type Mutation \{/m.test(sdl)).toBe(found.counts.commented > 0);
  });

  it('answers what the contract says, by the key that the read has', async () => {
    const found = await draftLamps();
    const sdl = takeInWrites(sdlOf(found));
    writeFileSync(sdlFile(found), sdl);
    expect(checkFolder(found.folder)).toEqual({ ok: true, issues: [] });
    expect(sdl).toContain('lamp(lampNo: ID!): Lamp @connect(');
    expect(sdl).toContain('  switchLamp(lampNo: ID!, level: Int!): Result\n');
    expect(sdl).toMatch(/switchLamp[^}]*\}[^}]*\}"?\n[^)]*select: """\n {6}code\n {6}msg\n/);
    expect(sdl).toContain('type Result {\n  code: String\n  msg: String\n}');
    expect(sdl).toContain("  # check: if the answer's code, msg say that the call failed, add failWhen\n");
    // One whose answer the contract does not say.
    expect(sdl).toContain('  removeLamp(lampNo: ID!): RemoveLampAnswer\n');
    expect(sdl).toContain('select: "done: true"');
    expect(sdl).toContain('type RemoveLampAnswer {\n  done: Boolean\n}');
  });

  it('say where the source is opened for them, and what sees a write through', async () => {
    const sdl = sdlOf(await draftLamps());
    expect(sdl).toContain('`readOnly: false` on @source, beside `title`');
    expect(sdl).toContain('docs/connectors.md#writes');
  });
});

const code = { type: 'string' };
const byNo = { name: 'lampNo', in: 'path', required: true, schema: { type: 'string' } };
const answers = (schema: object) => ({ 200: { content: { 'application/json': { schema } } } });
const takes = (properties: object, required: readonly string[]) => ({
  content: { 'application/json': { schema: { type: 'object', required, properties } } },
});
const Lamp = {
  type: 'object',
  properties: {
    lampNo: { type: 'string' },
    name: { type: 'string' },
  },
};

const LAMPS = {
  openapi: '3.0.0',
  info: { title: 'Lamps' },
  paths: {
    '/lamps/{lampNo}': {
      parameters: [byNo],
      get: {
        operationId: 'getLamp',
        responses: answers({
          type: 'object',
          properties: { code, msg: code, data: { $ref: '#/components/schemas/Lamp' } },
        }),
      },
      delete: { operationId: 'removeLamp', responses: { 204: { description: 'gone' } } },
    },
    '/lamps/{lampNo}/level': {
      parameters: [byNo],
      post: {
        operationId: 'switchLamp',
        requestBody: takes({ level: { type: 'integer' } }, ['level']),
        responses: answers({ $ref: '#/components/schemas/Result' }),
      },
    },
  },
  components: { schemas: { Lamp, Result: { type: 'object', properties: { code, msg: code } } } },
};
