import { parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { fetchStep, parseFetch } from './fetch-text.ts';
import { withKeptConditions } from './kept-conditions.ts';
import type { FetchStep, RequiredSelection, Step } from './planner.ts';

interface Fetched {
  readonly text: string;
  readonly path?: readonly string[];
  readonly requires?: readonly string[];
}

function step({ text, path = [], requires }: Fetched): FetchStep {
  const required = requires?.map(
    (name): RequiredSelection => ({ kind: 'field', name, sentAs: undefined, selections: undefined }),
  );
  return fetchStep({
    system: 'ash',
    document: parseFetch(text),
    path,
    requires: required,
    inputRewrites: [],
    outputRewrites: [],
    contextRewrites: [],
  });
}

/** What the fetches ask for when the client asked this. */
function kept(asked: string, ...steps: readonly Step[]): readonly string[] {
  const plan = { steps: { kind: 'sequence', steps } as const, primary: undefined };
  const mended = withKeptConditions(parse(asked, { noLocation: true }), plan);
  return textsOf(mended.steps);
}

function textsOf(given: Step | undefined): readonly string[] {
  if (given?.kind === 'fetch') return [print(parseFetch(given.operation)).replace(/\s+/g, ' ')];
  if (given?.kind === 'condition') return [...textsOf(given.whenTrue), ...textsOf(given.whenFalse)];
  return given?.kind === 'sequence' ? given.steps.flatMap(textsOf) : [];
}

describe('conditions that a planner has dropped', () => {
  it('are put back, with their variables, and left where they stand', () => {
    const asked =
      'query ($v: Boolean!, $w: Boolean!) { a { ... on B @include(if: $v) @skip(if: $w) { n o } p @skip(if: $v) } }';
    const fetched = step({
      text: 'query ($v: Boolean!) { a { __typename ... on B { n } p @skip(if: $v) } }',
    });
    expect(kept(asked, fetched)).toEqual([
      'query ($v: Boolean!, $w: Boolean!) { a { __typename ... on B { n @include(if: $v) @skip(if: $w) } p @skip(if: $v) } }',
    ]);
  });

  it('are not put on what another fetch requires, nor on what the planner asks for itself', () => {
    const asked = 'query ($v: Boolean!) { a { id @include(if: $v) n @include(if: $v) o @include(if: $v) } }';
    const first = step({ text: '{ a { __typename id n key } }' });
    const second = step({
      text: 'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on A { o } } }',
      path: ['a'],
      requires: ['__typename', 'id'],
    });
    expect(kept(asked, first, second)).toEqual([
      'query ($v: Boolean!) { a { __typename id n @include(if: $v) key } }',
      'query ($representations: [_Any!]!, $v: Boolean!) { _entities(representations: $representations) { ... on A { o @include(if: $v) } } }',
    ]);
  });

  it('are not repeated where the step is behind them, or the object is', () => {
    const asked = 'query ($v: Boolean!, $w: Boolean!) { a @include(if: $v) { n b @skip(if: $w) { m } } }';
    const fetched = step({ text: 'query ($w: Boolean!) { a { n b { m } } }' });
    const behind: Step = { kind: 'condition', variable: 'v', whenTrue: fetched, whenFalse: undefined };
    expect(kept(asked, behind)).toEqual(['query ($w: Boolean!) { a { n b @skip(if: $w) { m } } }']);
    expect(kept(asked, fetched)).toEqual([
      'query ($w: Boolean!, $v: Boolean!) { a @include(if: $v) { n b @skip(if: $w) { m } } }',
    ]);
  });

  it('hold for none of a field that is asked for in another place without them', () => {
    const asked = 'query ($v: Boolean!) { a { ... on B @include(if: $v) { n } ... on C { n m } } }';
    expect(kept(asked, step({ text: '{ a { ... on B { n } ... on C { n m } } }' }))).toEqual([
      '{ a { ... on B { n } ... on C { n m } } }',
    ]);
  });

  it('stay away where a field cannot bear all of them', () => {
    const asked =
      'query ($v: Boolean!, $w: Boolean!) { a { ... @include(if: $v) { ... @include(if: $w) { n } } m } }';
    expect(kept(asked, step({ text: '{ a { n m } }' }))).toEqual(['{ a { n m } }']);
  });
});
