// Laws of what is not asked because the schema says it.
import { buildSchema, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { fetchStep, parseFetch } from '../plan/fetch-text.ts';
import type { FetchStep, Rewrite, Step } from '../plan/planner.ts';
import { leaveOutTypenames } from './known-types.ts';

const schema = buildSchema(`
  interface Named { id: ID! name: String maker: Maker }
  type Shirt implements Named { id: ID! name: String maker: Maker twin: Shirt tags: [[Tag!]] }
  type Hat implements Named { id: ID! name: String maker: Maker sold: Shop }
  type Maker { id: ID! best: Named shirts: [Shirt!]! }
  type Shop { id: ID! }
  type Tag { text: String }
  union Thing = Shirt | Hat
  type Query { shirts: [Shirt!]! named: Named thing: Thing }
`);

function root(text: string, outputRewrites: readonly Rewrite[] = []): FetchStep {
  return fetchStep({
    system: 's',
    document: parseFetch(text),
    path: [],
    requires: undefined,
    inputRewrites: [],
    outputRewrites,
    contextRewrites: [],
  });
}

function entities(path: string, text: string): FetchStep {
  return fetchStep({
    system: 's',
    document: parseFetch(
      `query ($representations: [_Any!]!) { _entities(representations: $representations) { ${text} } }`,
    ),
    path: path.split('.'),
    requires: [],
    inputRewrites: [],
    outputRewrites: [],
    contextRewrites: [],
  });
}

const compact = (text: string) => print(parseFetch(text)).replaceAll(/\s+/g, ' ');

function leaveOut(...steps: readonly FetchStep[]) {
  const plan = leaveOutTypenames(schema, { primary: undefined, steps: { kind: 'sequence', steps } });
  const { steps: left } = plan.steps as Step & { readonly kind: 'sequence' };
  return {
    texts: left.map((step) => compact((step as FetchStep).operation)),
    types: plan.types,
    steps: left,
  };
}

describe('what the schema says', () => {
  it('is not asked of objects of one type, in lists, in lists of lists, below other objects and in fragments', () => {
    const { texts, types } = leaveOut(
      root(`{ shirts { __typename id maker { __typename ...m } tags { __typename text } ...s } }
        fragment m on Maker { __typename id shirts { ... on Shirt { __typename id } } }
        fragment s on Shirt { __typename name twin { ...t } }
        fragment t on Shirt { __typename id }`),
    );
    expect(texts).toEqual([
      compact(`{ shirts { id maker { ...m } tags { text } ...s } }
        fragment m on Maker { id shirts { ... on Shirt { id } } }
        fragment s on Shirt { name twin { ...t } }
        fragment t on Shirt { id }`),
    ]);
    expect(types.at(['shirts', '@', 'maker', 'shirts', '@'])).toBe('Shirt');
    expect(types.at(['shirts', '@', '... on Shirt', 'tags', '@', '@'])).toBe('Tag');
    expect(types.at(['shirts', '@', 'name'])).toBeUndefined();
    expect(types.at(['nowhere'])).toBeUndefined();
  });

  it('is not asked of entities that are known to be of one type', () => {
    const { texts } = leaveOut(
      root('{ shirts { __typename id } named { __typename id } }'),
      entities('shirts.@', '... on Shirt { __typename twin { __typename id } }'),
      entities('named', '... on Shirt { __typename twin { __typename id } }'),
    );
    expect(texts[0]).toBe(compact('{ shirts { id } named { __typename id } }'));
    expect(texts[1]).toContain('... on Shirt { twin { id } }');
    expect(texts[2]).toContain('... on Shirt { __typename twin { id } }');
  });

  it('is asked of what may be of several types, and of what is fetched there', () => {
    const text = `{ named { __typename id ... on Hat { __typename sold { id } } }
      thing { __typename ... on Shirt { __typename id } } }`;
    const { texts, types } = leaveOut(root(text));
    expect(texts).toEqual([compact(text)]);
    expect(types.at(['named'])).toBeUndefined();
    expect(types.at(['named', '... on Hat', 'sold'])).toBe('Shop');
  });

  it('is asked where one name stands for fields of two types, whichever fetch brings them', () => {
    const first = '{ thing { __typename ... on Shirt { x: maker { __typename id } } } }';
    const { texts, types } = leaveOut(
      root(first),
      entities('thing', '... on Hat { x: sold { __typename id } }'),
    );
    expect(texts[0]).toBe(compact(first));
    expect(texts[1]).toContain('x: sold { __typename id }');
    expect(types.at(['thing', 'x'])).toBeUndefined();
  });

  it('is asked where nothing else is, or not always', () => {
    const text = `query ($yes: Boolean!) { shirts { __typename maker { __typename id @include(if: $yes) }
      twin { __typename ... @skip(if: $yes) { id } } } }`;
    const { texts } = leaveOut(root(text));
    expect(texts).toEqual([
      compact(`query ($yes: Boolean!) { shirts { maker { __typename id @include(if: $yes) }
      twin { __typename ... @skip(if: $yes) { id } } } }`),
    ]);
  });

  it('takes along a variable that nothing else uses, and leaves names of the client alone', () => {
    const { texts, steps } = leaveOut(
      root('query ($yes: Boolean!) { shirts { id type: __typename ... @include(if: $yes) { __typename } } }'),
    );
    expect(texts).toEqual([compact('{ shirts { id type: __typename } }')]);
    expect((steps[0] as FetchStep).variableNames).toEqual([]);
  });

  it('is asked in a plan that renames what comes', () => {
    const text = '{ shirts { __typename x: maker { __typename id } } }';
    const { texts, types } = leaveOut(
      root(text, [{ kind: 'rename', path: ['shirts', '... on Shirt', 'x'], to: 'y' }]),
    );
    expect(texts).toEqual([compact(text)]);
    expect(types.at(['shirts'])).toBeUndefined();
  });

  it('is asked in a plan of fragments that spread into more than can be gone through', () => {
    const bodies = Array.from(
      { length: 20 },
      (_, at) =>
        `fragment f${at} on Shirt { __typename a: twin { ...f${at + 1} } b: twin { ...f${at + 1} } }`,
    );
    const text = `{ shirts { ...f0 } } ${bodies.join(' ')} fragment f20 on Shirt { __typename id }`;
    const { texts, types } = leaveOut(root(text));
    expect(texts).toEqual([compact(text)]);
    expect(types.at(['shirts'])).toBeUndefined();
  });
});
