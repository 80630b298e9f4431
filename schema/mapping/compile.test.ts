import { describe, expect, test } from 'vitest';
import { compileMapping, compileTemplate, MappingError, type MappingScope, shapeOf } from './compile.ts';
import { MAPPING_CHARS_MAX } from './lexer.ts';
import { MAPPING_DEPTH_MAX, MAPPING_STEPS_MAX } from './parser.ts';

function evaluate(text: string, scope: MappingScope = {}): unknown {
  return compileMapping(text).evaluate(scope);
}

function errorOf(text: string): MappingError {
  try {
    compileMapping(text);
  } catch (thrown) {
    if (thrown instanceof MappingError) return thrown;
    throw thrown;
  }
  return expect.unreachable(`expected a MappingError for ${text}`);
}

describe('paths', () => {
  test('read the input, the arguments, the parent, the batch and the environment', () => {
    const scope = {
      $: { a: { b: 1 } },
      args: { x: 2 },
      this: { y: 3 },
      batch: { id: [4, 5] },
      env: { Z: 'six' },
    };
    expect(evaluate('[$.a.b, $args.x, $this.y, $batch.id, $env.Z]', scope)).toEqual([1, 2, 3, [4, 5], 'six']);
  });

  test('that lead nowhere are null, at every step', () => {
    expect(evaluate('[$, $.a, $.a.b.c, $args.x, $env, $this.x.y]')).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  test('see own properties only', () => {
    const $ = JSON.parse('{"__proto__": {"polluted": 1}, "list": [1]}');
    const text =
      "[$.constructor, $.__proto__, $.__proto__.polluted, $.list.length, $.toString, $->get('__proto__')]";
    const found = evaluate(text, { $ });
    expect(found).toEqual([null, null, null, 1, null, null]);
  });

  test('take quoted names after a dot, and before a method', () => {
    const $ = { 'PM2.5': '35.1', 站点编号: 'S1' };
    expect(evaluate("a: $.'PM2.5' b: 'PM2.5'->number c: 站点编号", { $ })).toEqual({
      a: '35.1',
      b: 35.1,
      c: 'S1',
    });
  });
});

describe('entries', () => {
  test('without braces make an object of the input', () => {
    expect(
      evaluate("id kind cents: amount->mul(100) channel: 'PUSH'", { $: { id: 1, amount: '12.35' } }),
    ).toEqual({
      id: 1,
      kind: null,
      cents: 1235,
      channel: 'PUSH',
    });
  });

  test('a lone name makes an object too', () => {
    expect(evaluate('id', { $: { id: 7 } })).toEqual({ id: 7 });
  });

  test('map each element of a list, and a single object alone', () => {
    expect(evaluate('$.rows { id: no }', { $: { rows: [{ no: 1 }, null, 'text', { no: 2 }] } })).toEqual([
      { id: 1 },
      null,
      null,
      { id: 2 },
    ]);
    expect(evaluate('$.rows { id: no }', { $: { rows: { no: 1 } } })).toEqual({ id: 1 });
    expect(evaluate('$.rows { id: no }', { $: {} })).toBeNull();
  });

  test('bare names and nested braces are relative to the element, $ is the input everywhere', () => {
    const $ = { area: 'A', rows: [{ no: 1, by: { id: 9 } }] };
    expect(evaluate('$.rows { id: no worker: { id: by.id } inner: by { id } area: $.area }', { $ })).toEqual([
      { id: 1, worker: { id: 9 }, inner: { id: 9 }, area: 'A' },
    ]);
  });

  test('a nested object of nulls alone is null, the outermost one stays', () => {
    expect(evaluate('worker: { id: wgybh name: xm } grid: { code: wg }', { $: { wg: 'G' } })).toEqual({
      worker: null,
      grid: { code: 'G' },
    });
    expect(evaluate('{ id: x }')).toEqual({ id: null });
  });
});

describe('match', () => {
  const text = "state->match(['10','OPEN'],[20,'CLOSED'])";

  test('finds a code whether it comes as text or number', () => {
    expect([evaluate(text, { $: { state: 10 } }), evaluate(text, { $: { state: '20' } })]).toEqual([
      'OPEN',
      'CLOSED',
    ]);
  });

  test('tells of an unknown value, and yields null', () => {
    const told: unknown[] = [];
    const onUnknownValue = (value: unknown) => told.push(value);
    expect(evaluate(text, { $: { state: '99' }, onUnknownValue })).toBeNull();
    expect(evaluate(text, { $: {}, onUnknownValue })).toBeNull();
    expect(told).toEqual(['99']);
  });

  test('takes its default for what is unknown and for null', () => {
    const withDefault = "state->match(['1','A'],[@,@->default('none')])";
    expect(evaluate(withDefault, { $: { state: 'x' } })).toBe('x');
    expect(evaluate(withDefault, { $: {} })).toBe('none');
  });

  test.each([
    'x->match()',
    "x->match('a')",
    "x->match(['a'])",
    "x->match([b,'c'])",
    "x->match([@,1],['a',2])",
    "x->match(['a',1],['a',2])",
  ])('refuses %s', (wrong) => {
    expect(errorOf(wrong).offset).toBeGreaterThanOrEqual(3);
  });
});

describe('filters', () => {
  test('eq and under without an argument are true: no filter was asked', () => {
    expect(evaluate('[$.a->eq($args.x), $.a->under($args.x), $.b->eq($args.x)]', { $: { a: 1 } })).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('eq compares as text, ne is strict about null', () => {
    const $ = { code: '1', list: ['1'] };
    expect(
      evaluate("[$.code->eq(1), $.code->eq('2'), $.list->eq('1'), $.x->ne('0000'), $.x->ne(null)->not]", {
        $,
      }),
    ).toEqual([true, false, false, true, true]);
  });

  test.each([
    ['320508001001', '320508', true],
    ['320508001001', '320508000000', true],
    ['320508001001', '320508001', true],
    ['320508001001', '320500', true],
    ['320508001001', '320000', true],
    ['320508001001', '320509', false],
    ['320508', '320508001', false],
    [null, '320508', false],
  ])('%s under %s is %s', (value, division, expected) => {
    expect(evaluate('$.d->under($args.division)', { $: { d: value }, args: { division } })).toBe(expected);
  });

  test('and, or and not know true alone', () => {
    expect(evaluate("[true->and(true, 1->eq(1)), true->and('yes'), false->or(true), 'x'->not]")).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  test('gt and lt order numbers by value and texts by code unit, and null not at all', () => {
    expect(evaluate("[9->lt('10'), $.b->gt('B'), $.x->gt(1), $.x->lt(1)]", { $: { b: 'b' } })).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('methods', () => {
  const $ = {
    list: ['a', null, 'b'],
    rows: [
      { k: 'x', n: 1 },
      { k: 'y', n: 2 },
    ],
    text: '  Ab ',
    empty: '',
  };

  test.each<[string, unknown]>([
    ["$.list->join(',')", 'a,b'],
    ["$.text->trim->split('')", ['A', 'b']],
    ["$.empty->split(',')", []],
    ["$.none->split(',')", null],
    ['$.list->first', 'a'],
    ['$.list->last', 'b'],
    ['$.text->list', ['  Ab ']],
    ['$.none->list', []],
    ['[$.list->size, $.text->size, $.none->size]', [3, 5, 0]],
    ["$.rows->find('k','y').n", 2],
    ["$.rows->find('k', $args.none).n", null],
    ["$.rows->first->get('k')", 'x'],
    ["$.text->get('length')->default(0)", 0],
    ["$.list->first->concat('-', 1, $.none)", 'a-1'],
    ['$.none->concat($.none)', null],
    ['[$.list->slice(1, 3), $.text->slice(2, 4), $.text->slice(-2)]', [[null, 'b'], 'Ab', 'b ']],
    ["[$.text->number, '1e3'.x, $.rows->number]", [null, null, null]],
    ['[1.5->int, $.text->int, -3->int]', [null, null, -3]],
    ['[$.text->trim->lower, $.text->trim->upper, 12->string]', ['ab', 'AB', '12']],
    ['[3->mul(0.1), 1->div(0), 0.1->add(0.2), $.text->add(1)]', [0.3, null, 0.3, null]],
    ["[$.none->default('d'), $.empty->default('d')]", ['d', '']],
  ])('%s', (text, expected) => {
    expect(evaluate(text, { $ })).toEqual(expected);
  });
});

describe('dateTime', () => {
  const asText = (value: unknown, timezone?: string): unknown =>
    evaluate('$.t->dateTime', timezone === undefined ? { $: { t: value } } : { $: { t: value }, timezone });

  test.each<[unknown, string]>([
    ['2026-11-22 08:00:00', '2026-11-22T08:00:00+08:00'],
    ['2026-11-22T08:00:00.120', '2026-11-22T08:00:00.120+08:00'],
    ['2026/1/2 8:00', '2026-01-02T08:00:00+08:00'],
    ['20261122080000', '2026-11-22T08:00:00+08:00'],
    [20261122080000, '2026-11-22T08:00:00+08:00'],
    ['2026-11-22T00:00:00Z', '2026-11-22T08:00:00+08:00'],
    ['2026-11-22T00:00:00-0130', '2026-11-22T09:30:00+08:00'],
    ['2026-11-22 00:00:00.123456+00', '2026-11-22T08:00:00.123+08:00'],
    ['2026-11-22 08:00:00+08', '2026-11-22T08:00:00+08:00'],
    ['2026-11-22 00:00:00-08', '2026-11-22T16:00:00+08:00'],
    [new Date('2026-11-22T00:00:00Z'), '2026-11-22T08:00:00+08:00'],
  ])('%s is %s in Shanghai', (value, expected) => {
    expect(asText(value)).toBe(expected);
  });

  test('takes the offset that the zone has at that time', () => {
    expect(asText('2026-07-01 12:00:00', 'Europe/Berlin')).toBe('2026-07-01T12:00:00+02:00');
    expect(asText('2026-12-01 12:00:00', 'Europe/Berlin')).toBe('2026-12-01T12:00:00+01:00');
    expect(asText('2026-03-29 03:30:00', 'Europe/Berlin')).toBe('2026-03-29T03:30:00+02:00');
    // The quarter of an hour before a change of the clock, after it, and before it again.
    const around = ['01:59:59', '03:00:00', '01:50:00', '03:14:59'].map((time) =>
      String(asText(`2026-03-29 ${time}`, 'Europe/Berlin')).slice(11),
    );
    expect(around).toEqual(['01:59:59+01:00', '03:00:00+02:00', '01:50:00+01:00', '03:14:59+02:00']);
    // Not of whole quarters: what is known of one time is not taken for another of its quarter.
    const early = ['00:05:00', '00:14:00', '00:01:00'].map((time) =>
      asText(`1900-06-01 ${time}`, 'Asia/Shanghai'),
    );
    expect(new Set(early.map((text) => String(text).slice(-6)))).toEqual(new Set(['+08:05']));
    expect(asText('2026-12-01 12:00:00', 'America/St_Johns')).toBe('2026-12-01T12:00:00-03:30');
    expect(asText('2026-12-01 12:00:00', 'UTC')).toBe('2026-12-01T12:00:00+00:00');
  });

  test.each([
    '2026-02-30 00:00:00',
    '2026-13-01 00:00:00',
    '2026-01-01 24:00:00',
    '2026-01-01',
    'soon',
    5,
    [],
    new Date(Number.NaN),
  ])('%s is null, and told', (value) => {
    const told: unknown[] = [];
    expect(
      evaluate('$.t->dateTime', { $: { t: value }, onUnknownValue: (unknown) => told.push(unknown) }),
    ).toBeNull();
    expect(told).toEqual([value]);
  });
});

describe('mistakes', () => {
  test.each<[string, number, RegExp]>([
    ['$.a->foo', 5, /unknown method 'foo': known are add, and,/],
    ['$.a->eq', 5, /'eq' takes 1 argument, got 0/],
    ['$.a->slice(1,2,3)', 5, /'slice' takes 1 to 2 arguments, got 3/],
    ['$.a->eq(null)', 8, /always true/],
    ['$context.x', 0, /unknown variable '\$context'/],
    ['id: a id: b', 6, /'id' stands here twice/],
    ['id: ', 4, /expected a value, got the end/],
    ['$.a { }', 6, /expected at least one entry|expected the name/],
    ['$.a { id: b', 11, /expected '}'/],
    ['$.a { b.c }', 6, /give this entry a name/],
    ["'open", 0, /never closed/],
    ["'a\\q'", 2, /expected \\'/],
    ['__proto__: a', 0, /cannot be the name/],
    ['1abc: x', 0, /begins with a digit/],
    ['a: b ; c', 5, /unexpected character ";"/],
    ['$.a $.b', 4, /expected the end/],
    ['$.', 2, /expected a name after/],
    ['$.a->', 5, /expected the name of a method/],
    ['[1 2]', 3, /expected ',' or ']'/],
    ['', 0, /expected a value/],
  ])('%s is refused at %i', (text, offset, message) => {
    const error = errorOf(text);
    expect(error.message).toMatch(message);
    expect(error.offset).toBe(offset);
  });

  test('a root that is not there where the mapping stands is refused', () => {
    expect(() => compileMapping('$.a->eq($args.b)', { roots: ['env'] })).toThrow("'$args' is not known here");
    expect(compileMapping('$.a->eq($args.b)', { roots: ['args'] }).references).toEqual([
      { root: '$', name: 'a', offset: 0 },
      { root: 'args', name: 'b', offset: 8 },
    ]);
  });
});

describe('limits', () => {
  test('length, depth and steps are bounded', () => {
    expect(errorOf('a'.repeat(MAPPING_CHARS_MAX + 1)).message).toContain(String(MAPPING_CHARS_MAX));
    const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
    expect(evaluate(nested(MAPPING_DEPTH_MAX - 1))).toBeDefined();
    expect(errorOf(nested(MAPPING_DEPTH_MAX)).message).toContain(`${MAPPING_DEPTH_MAX} levels`);
    expect(errorOf(`$${'.a'.repeat(MAPPING_STEPS_MAX + 1)}`).message).toContain(`${MAPPING_STEPS_MAX} steps`);
  });

  test('text that doubles itself ends in LIMIT_EXCEEDED', () => {
    const doubling = compileMapping(`$.a${'->concat(@)'.repeat(40)}`);
    expect(() => doubling.evaluate({ $: { a: 'x' } })).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });
});

describe('shapeOf', () => {
  test('knows fields, lists and the values of a match', () => {
    const shape = shapeOf(
      compileMapping(
        "$.rows->list { id: no s: x->match(['1','A'],['2','B']) w: { id: y } t: z->split(',') }",
      ),
    );
    expect(shape).toMatchObject({ kind: 'object', list: true });
    const fields = shape.kind === 'object' ? Object.fromEntries(shape.fields) : {};
    expect(fields).toMatchObject({
      id: { kind: 'unknown', list: undefined },
      s: { kind: 'value', list: false, values: ['A', 'B'] },
      w: { kind: 'object', list: false },
      t: { kind: 'value', list: true },
    });
    expect(fields.s).toHaveProperty('offset', 22);
  });

  test('knows what first and last do to a list', () => {
    expect(shapeOf(compileMapping('$.rows->list { id }->first'))).toMatchObject({
      kind: 'object',
      list: false,
    });
    expect(shapeOf(compileMapping('$.rows { id }'))).toMatchObject({ kind: 'object', list: undefined });
    expect(shapeOf(compileMapping('id: x'))).toMatchObject({ kind: 'object', list: false });
  });
});

describe('compileTemplate', () => {
  test('fills placeholders through the escape, and leaves the text around them', () => {
    const template = compileTemplate('/orders/{$args.id}/{$args.part}?x=ü', { escape: encodeURIComponent });
    expect(template.evaluate({ args: { id: 'a/b', part: 2 } })).toBe('/orders/a%2Fb/2?x=ü');
  });

  test('is null when a placeholder is', () => {
    expect(compileTemplate('/orders/{$args.id}').evaluate({ args: {} })).toBeNull();
    expect(compileTemplate('/orders/{$args.id}').evaluate({ args: { id: ['1'] } })).toBeNull();
  });

  test('takes doubled braces as braces, and braces in quotes as text', () => {
    expect(compileTemplate("{{{$args.id->default('}')}}}").evaluate({ args: {} })).toBe('{}}');
  });

  test.each<[string, number]>([
    ['/a/{$args.x', 3],
    ['/a/}', 3],
    ['/a/{$args.x->nope}', 13],
    ['/a/{id}', 4],
    ['/a/$args.id', 3],
  ])('%s is refused at %i', (text, offset) => {
    expect(() => compileTemplate(text)).toThrow(expect.objectContaining({ name: 'MappingError', offset }));
  });
});
