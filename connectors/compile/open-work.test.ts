import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkFolder } from './check.ts';
import { compileSystem } from './compile.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-open-work-'));
const file = join(folder, 'city.graphql');
afterAll(() => rmSync(folder, { recursive: true }));

const KEPT = '@freshness(maxAge: "10s", staleIfError: "1h", scope: SHARED)';
const CALL = '@connect(source: "city", http: { GET: "/count" }, select: "open: $.n")';

interface Field {
  readonly name?: string;
  readonly args?: string;
  readonly returns?: string;
  readonly kept?: string;
  readonly call?: string;
}

function field({
  name = 'counted',
  args = '(division: ID)',
  returns = 'Counted',
  kept = KEPT,
  call = CALL,
}: Field): string {
  return `${name}${args}: ${returns} @openWork ${kept} ${call}`;
}

function sdlOf(fields: readonly Field[], counted = 'open: Int', type = 'Query'): string {
  return `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "city", rest: { baseUrl: "{$env.CITY}" }, readOnly: false)
type Query { other: Counted ${CALL} }
extend type ${type} { ${fields.map(field).join('\n')} }
type Counted { ${counted} }`;
}

function issuesOf(sdl: string) {
  writeFileSync(file, sdl);
  return checkFolder(folder).issues.map(({ code, problem, mend }) => `${code} ${problem} — ${mend}`);
}

describe('@openWork', () => {
  test('becomes a plan, and stays out of the stored SDL', () => {
    writeFileSync(file, sdlOf([{}]));
    const { plan } = compileSystem(folder);
    expect(plan.openWork).toEqual({ field: 'Query.counted', byDivision: true });
    expect(plan.storedSdl).not.toContain('@openWork');
  });

  test('is asked for everything where it takes no division, and is not there where nobody wrote it', () => {
    writeFileSync(file, sdlOf([{ args: '' }]));
    expect(compileSystem(folder).plan.openWork).toEqual({ field: 'Query.counted', byDivision: false });
    writeFileSync(file, sdlOf([{}]).replace('@openWork', ''));
    expect(compileSystem(folder).plan.openWork).toBeUndefined();
  });

  test.each<[string, string, RegExp]>([
    ['a count that is no Int', sdlOf([{}], 'open: String'), /^OPEN_WORK_SHAPE Counted does not say how much/],
    ['another name', sdlOf([{}], 'count: Int'), /^OPEN_WORK_SHAPE Counted does not say how much/],
    ['a list', sdlOf([{ returns: '[Counted!]' }]), /^OPEN_WORK_SHAPE Counted does not say how much/],
    [
      'an argument that nobody gives',
      sdlOf([{ args: '(area: ID!)' }]),
      /^OPEN_WORK_SHAPE 'area' is not what it/,
    ],
    [
      'a division that must be given',
      sdlOf([{ args: '(division: ID!)' }]),
      /^OPEN_WORK_SHAPE 'division' is not/,
    ],
    [
      'nothing kept',
      sdlOf([{ kept: '' }]),
      /^OPEN_WORK_SHAPE every look at an overview would ask .* — add @/,
    ],
    [
      'kept for each user',
      sdlOf([{ kept: '@freshness(maxAge: "10s")' }]),
      /^OPEN_WORK_SHAPE every look at an overview/,
    ],
    [
      'two fields',
      sdlOf([{}, { name: 'again' }]),
      /^WRONG_TOGETHER 'Query.counted' has @openWork already — keep one/,
    ],
    [
      'a mutation',
      sdlOf([{ kept: '' }], 'open: Int', 'Mutation').replace('extend type Mutation', 'type Mutation'),
      /^MISPLACED Mutation.counted asks nothing/,
    ],
  ])('refuses %s', (_what, sdl, told) => {
    expect(issuesOf(sdl)).toContainEqual(expect.stringMatching(told));
  });
});
