import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CODE_METHODS } from './codes.ts';
import { compileMapping, type MappingScope } from './compile.ts';
import { MAPPING_CHARS_MAX } from './lexer.ts';
import { MAPPING_RESULT_CHARS_MAX, METHODS } from './methods.ts';
import { MAPPING_DEPTH_MAX, MAPPING_STEPS_MAX } from './parser.ts';

const DOCS = readFileSync(new URL('../../docs/mapping.md', import.meta.url), 'utf8');

interface Example {
  /** Code tables that the example names: code to value. */
  readonly codes?: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  readonly scope: MappingScope;
  readonly result: unknown;
}

const examples = [...DOCS.matchAll(/```mapping\n([\s\S]*?)```\n```json\n([\s\S]*?)```/g)].map(
  ([, text = '', json = '']) => ({ text: text.trim(), example: JSON.parse(json) as Example }),
);

describe('docs/mapping.md', () => {
  test('has an example for each place of a mapping', () => {
    expect(examples.length).toBeGreaterThanOrEqual(8);
    expect([...DOCS.matchAll(/```mapping/g)]).toHaveLength(examples.length);
  });

  test.each(examples)('shows what this yields: $text', ({ text, example }) => {
    const codes = new Map(
      Object.entries(example.codes ?? {}).map(([name, table]) => [
        name,
        { pairs: Object.entries(table), raw: undefined },
      ]),
    );
    expect(compileMapping(text, { codes }).evaluate(example.scope)).toEqual(example.result);
  });

  test('has a row for every method, and for no other', () => {
    const rows = [...DOCS.matchAll(/^\| `->(\w+)/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(['match', ...CODE_METHODS, ...METHODS.keys()].sort());
  });

  test('tells the limits', () => {
    const shown = [MAPPING_CHARS_MAX, MAPPING_DEPTH_MAX, MAPPING_STEPS_MAX, MAPPING_RESULT_CHARS_MAX];
    for (const limit of shown) expect(DOCS).toContain(limit.toLocaleString('en-US'));
  });
});
