// Laws of what the explorer shows beside an answer.
import { describe, expect, it } from 'vitest';
import { lookInside } from './public/explorer/fetcher.js';
import { pathText, rowsOf } from './public/explorer/rows.js';

const timing = (system: string, ...paths: string[][]) => ({
  system,
  paths,
  startMs: 0,
  durationMs: 1,
  shared: false,
  errors: 0,
});
const fetchNode = (system: string, path: string[]) =>
  ({
    kind: 'fetch',
    system,
    path,
    operation: 'query',
    isEntities: path.length > 0,
    selection: '{ a }',
  }) as const;

describe('rowsOf', () => {
  it('gives each fetch of the plan its timings, and one that answers two places to both', () => {
    const both = timing('police', ['a', '@'], ['b']);
    const tree = {
      kind: 'sequence' as const,
      nodes: [
        fetchNode('orders', []),
        { kind: 'parallel' as const, nodes: [fetchNode('police', ['a', '@']), fetchNode('police', ['b'])] },
      ],
    };
    const rows = rowsOf(tree, [timing('orders', []), both]);
    expect(rows.map((row) => [row.depth, row.kind === 'group' ? row.label : row.system])).toEqual([
      [0, '依次'],
      [1, 'orders'],
      [1, '同时'],
      [2, 'police'],
      [2, 'police'],
    ]);
    expect(rows.flatMap((row) => (row.kind === 'fetch' ? [row.timings.length] : []))).toEqual([1, 1, 1]);
  });

  it('loses no fetch that the plan does not tell of, and shows one that was not sent', () => {
    const rows = rowsOf(fetchNode('orders', []), [timing('police', ['x'])]);
    expect(rows).toMatchObject([
      { system: 'orders', timings: [] },
      { system: 'police', path: ['x'], timings: [{ system: 'police' }] },
    ]);
  });

  it('writes a path as a person reads it', () => {
    expect([pathText([]), pathText(['orders', '@', 'unit'])]).toEqual(['根', 'orders[].unit']);
  });
});

describe('lookInside', () => {
  const weft = { plan: { text: 'plan' }, timings: { fetches: [] } };

  function watched(outcome: unknown) {
    const shown: unknown[] = [];
    const asked: unknown[] = [];
    const panel = { begin: () => undefined, show: (seen: unknown) => void shown.push(seen) };
    const fetcher = lookInside((_request, options) => {
      asked.push(options?.headers);
      return outcome;
    }, panel);
    return { shown, asked, fetcher };
  }

  it('asks to look inside, and leaves in the answer what is not its own', async () => {
    const result = { data: { a: 1 }, extensions: { other: 1, weft: { ...weft, gap: 2 } } };
    const { shown, asked, fetcher } = watched(Promise.resolve(result));
    expect(await fetcher({ query: '{ a }' }, { headers: { b: 'c' } })).toEqual({
      data: { a: 1 },
      extensions: { other: 1, weft: { gap: 2 } },
    });
    expect(shown).toEqual([weft]);
    expect(asked).toEqual([{ b: 'c', 'x-weft-inspect': 'plan, timings' }]);
  });

  it('asks nothing more when GraphiQL asks for the schema', () => {
    const { asked, shown, fetcher } = watched({});
    fetcher({ query: '{ __schema { x } }', operationName: 'IntrospectionQuery' });
    expect([asked, shown]).toEqual([[undefined], []]);
  });

  it('takes it from the last part of an answer in parts, single or in a list', async () => {
    async function* parts() {
      yield { data: {}, hasNext: true };
      yield [
        { incremental: [], hasNext: true },
        { hasNext: false, extensions: { weft } },
      ];
    }
    const { shown, fetcher } = watched(parts());
    const seen: unknown[] = [];
    for await (const part of fetcher({ query: '{ a }' }) as AsyncIterable<unknown>) seen.push(part);
    expect(seen).toEqual([
      { data: {}, hasNext: true },
      [{ incremental: [], hasNext: true }, { hasNext: false }],
    ]);
    expect(shown.at(-1)).toEqual(weft);
  });
});
