// `weft plan FILE` says who plans an operation and shows the plan; the API schema that it is checked against is the library's.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSchemas } from '@weft/gateway/plan/api-schema';
import { lexicographicSortSchema, parse, printSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const TIMEOUT_MS = 20_000;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-plan-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function plan(text: string, ...options: readonly string[]): Promise<string> {
  const file = join(folder, 'operation.graphql');
  writeFileSync(file, text);
  const args = [join(ROOT, 'cli/main.ts'), 'plan', file, ...options];
  return (await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS })).stdout;
}

const INCIDENTS = '{ incidents(first: 3) { edges { node { title hotlineOrder { __typename } } } } }';

describe('weft plan', () => {
  it('names the planner that is asked first, and the systems in their order', async () => {
    const text = await plan(INCIDENTS);
    expect(text).toMatch(/^planner: hive\n/);
    expect(text.indexOf('ask incidents')).toBeGreaterThan(0);
    expect(text.indexOf('ask hotline for incidents.edges[].node')).toBeGreaterThan(
      text.indexOf('ask incidents'),
    );
  });

  it('plans with the one that is asked for', async () => {
    expect(await plan(INCIDENTS, '--planner', 'apollo')).toMatch(/^planner: apollo\n/);
  });

  it('shows what comes later', async () => {
    const text = await plan(
      '{ incidents(first: 3) { edges { node { title ... @defer(label: "slow") { hotlineOrder { __typename } } } } } }',
    );
    expect(text).toContain("later 'slow' at incidents.edges.node");
    expect(text.indexOf('ask hotline')).toBeGreaterThan(text.indexOf('later'));
  });

  it('shows what each event of a subscription asks', async () => {
    const text = await plan('subscription { incidentChanged { cursor incident { title } } }');
    expect(text).toContain('on each event\n  ask events');
    expect(text).toContain('ask incidents for incidentChanged.incident');
  });

  it('chooses among several operations, and says when nothing is to be fetched', async () => {
    const text = await plan(`query A ${INCIDENTS} query B { __typename }`, '--operation', 'B');
    expect(text).toBe('planner: none: nothing is to be fetched\n');
  });

  it.each([
    [[], 'has several operations: give --operation with one of A, B'],
    [['--operation', 'C'], 'has no operation C: give --operation with one of A, B'],
  ])('says which there are when %j names none of them', async (options, reason) => {
    await expect(plan(`query A ${INCIDENTS} query B { __typename }`, ...options)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(reason),
    });
  });

  it('says that an operation without a name is not to be named', async () => {
    await expect(plan(INCIDENTS, '--operation', 'A')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('its operation has no name: leave --operation out'),
    });
  });

  it('says in a line what is wrong with the operation', async () => {
    await expect(plan('{ nothing }')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Cannot query field "nothing"'),
    });
  });
});

describe('the schema that clients see', () => {
  it("equals that of the library, and the whole one too, for this project's graph", () => {
    const sdl = readFileSync(join(ROOT, 'schema/supergraph.graphql'), 'utf8');
    const fromGateway = createRequire(join(ROOT, 'gateway/package.json'));
    const library = fromGateway('@apollo/federation-internals');
    const supportedFeatures = library.ROUTER_SUPPORTED_SUPERGRAPH_FEATURES;
    const supergraph = library.Supergraph.build(sdl, { supportedFeatures });
    const ours = buildSchemas(parse(sdl, { noLocation: true }));
    const text = (schema: unknown) => printSchema(lexicographicSortSchema(schema as typeof ours.apiSchema));
    expect(text(ours.apiSchema)).toBe(text(supergraph.apiSchema().toGraphQLJSSchema()));
    expect(text(ours.fullSchema)).toBe(text(supergraph.schema.toGraphQLJSSchema()));
  });
});
