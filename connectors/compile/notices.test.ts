import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkFolder } from './check.ts';
import { compileSystem } from './compile.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-notices-'));
const file = join(folder, 'calls.graphql');
afterAll(() => rmSync(folder, { recursive: true }));

const HEAD = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "calls", rest: { baseUrl: "{$env.CALLS}" }, readOnly: false)
type Query { replied(no: ID!): Found @connect(source: "calls", http: { GET: "/replies", query: "no: $args.no" }, select: "upstreamRef: $.no") }
type Found { upstreamRef: String }
`;

interface Field {
  readonly name?: string;
  readonly args?: string;
  readonly notify?: string;
  readonly write?: string;
}

function sdlOf(...fields: readonly Field[]): string {
  const each = fields.map(
    ({
      name = 'reply',
      args = 'requestId: ID!, number: ID!, text: String!',
      notify = 'on: "ACCEPTED, CLOSED", number: "call"',
      write = ', write: { idempotencyKey: "$args.requestId", subject: "$args.number", reconcile: "Query.replied" }',
    }) => `${name}(${args}): CommandReceipt @notify(${notify})
      @connect(source: "calls", http: { POST: "/replies", body: "no: $args.requestId" }, select: "upstreamRef: $.no"${write})`,
  );
  return `${HEAD}type Mutation { ${each.join('\n')} }`;
}

function issuesOf(sdl: string) {
  writeFileSync(file, sdl);
  return checkFolder(folder).issues.map(({ code, problem, mend }) => `${code} ${problem} — ${mend}`);
}

describe('@notify', () => {
  test('becomes a plan, and stays out of the stored SDL', () => {
    writeFileSync(file, sdlOf({}));
    const { plan } = compileSystem(folder);
    expect(plan.notices).toEqual([
      {
        on: new Set(['ACCEPTED', 'CLOSED']),
        numberKind: 'call',
        field: 'reply',
        arguments: ['requestId', 'number', 'text'],
      },
    ]);
    expect(plan.storedSdl).not.toContain('@notify');
    expect(plan.servedSdl).not.toContain('@notify');
  });

  test('takes two fields for the steps that each is for', () => {
    const closed = { name: 'replyToo', notify: 'on: "CLOSED", number: "call"' };
    expect(issuesOf(sdlOf({ notify: 'on: "ACCEPTED", number: "call"' }, closed))).toEqual([]);
  });

  test.each<[string, readonly Field[], RegExp]>([
    ['no write', [{ write: '' }], /^MISPLACED Mutation.reply is no write, and @notify needs one/],
    [
      'a step of which nobody is told',
      [{ notify: 'on: "ACCEPTED, SIGNED", number: "call"' }],
      /^BAD_VALUE nobody is told of the step 'SIGNED' — write some of ACCEPTED, REJECTED/,
    ],
    [
      'a kind of number that is too long',
      [{ notify: `on: "CLOSED", number: "${'n'.repeat(65)}"` }],
      /^BAD_VALUE it is too long for a kind of number/,
    ],
    [
      'an argument that nobody gives',
      [{ args: 'requestId: ID!, number: ID!, telephone: String!' }],
      /^NOTIFY_SHAPE a notice has no 'telephone' — make it nullable/,
    ],
    [
      'what can be null',
      [{ args: 'requestId: ID!, number: ID!, result: String!' }],
      /^NOTIFY_SHAPE 'result' of a notice can be null/,
    ],
    [
      'another client number',
      [
        {
          args: 'requestId: ID!, number: ID!',
          write: ', write: { idempotencyKey: "$args.number", reconcile: "Query.replied" }',
        },
      ],
      /^NOTIFY_SHAPE the client number of a notice is not '\$args.number'/,
    ],
    [
      'two for one step',
      [{}, { name: 'replyToo', notify: 'on: "CLOSED", number: "call"' }],
      /^WRONG_TOGETHER 'reply' has @notify for the number call and one of these steps/,
    ],
  ])('refuses %s', (_, fields, expected) => {
    expect(issuesOf(sdlOf(...fields))).toContainEqual(expect.stringMatching(expected));
  });
});
