import { HubError } from '@weft/core/errors';
import { CODES_MAX, compileMapping, compileTemplate, MappingError } from '@weft/schema/mapping/compile';
import { toDateTime } from '@weft/schema/mapping/date-time';
import { METHODS } from '@weft/schema/mapping/methods';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

const RUNS = Number(process.env.WEFT_FUZZ_RUNS ?? 400);
/** One evaluation of a mapping that the compiler takes, on small data, however it is nested. */
const EVALUATE_MS_MAX = 1_000;
const CODES = new Map([['t', { pairs: [['1', 'A'] as const, ['2', null] as const], raw: undefined }]]);
const NAMES = ['a', 'b', 'id', '名', '__proto__', 'constructor', 'prototype', 'toString', 'length', "x'y"];

const name = fc.constantFrom(...NAMES);
const quoted = (text: string) =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\t', '\\t')}'`;
const printedName = name.map((text) => (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(text) ? text : quoted(text)));
const literal = fc.oneof(
  fc.string({ maxLength: 8 }).map(quoted),
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.constantFrom('true', 'false', 'null', '1.5'),
);

/** Text of mappings that follow the grammar, methods with any number of arguments. */
const grammatical = fc.letrec<{ value: string; entries: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(literal, name, fc.constantFrom('$', '@', '$args', '$this', '$batch', '$env')),
    fc.tuple(tie('value'), printedName).map(([of, member]) => `${of}.${member}`),
    fc
      .tuple(
        tie('value'),
        fc.constantFrom('match', 'code', 'uncode', ...METHODS.keys()),
        fc.array(tie('value'), { maxLength: 3 }),
      )
      .map(([of, method, args]) => `${of}->${method}${args.length === 0 ? '' : `(${args.join(', ')})`}`),
    fc
      .tuple(tie('value'), literal, tie('value'))
      .map(([of, known, result]) => `${of}->match([${known}, ${result}])`),
    fc.tuple(tie('value'), tie('entries')).map(([of, entries]) => `${of} { ${entries} }`),
    tie('entries').map((entries) => `{ ${entries} }`),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  ),
  entries: fc
    .uniqueArray(fc.tuple(printedName, tie('value')), {
      minLength: 1,
      maxLength: 4,
      selector: ([key]) => key,
    })
    .map((entries) => entries.map(([key, value]) => `${key}: ${value}`).join(' ')),
}));

const data = fc.anything({
  key: name,
  maxDepth: 3,
  withBigInt: true,
  withDate: true,
  withNullPrototype: true,
});
const scope = fc.record({
  $: data,
  args: fc.dictionary(name, data, { maxKeys: 4 }),
  this: fc.dictionary(name, data, { maxKeys: 4 }),
  batch: fc.constant({ id: ['1', '2'] }),
  env: fc.constant({ a: 'x' }),
});

/** The compiled mapping; undefined when the text is refused, and then by the mapping's own error with a place in the text. */
function compiled(text: string, compile = (given: string) => compileMapping(given, { codes: CODES })) {
  try {
    return compile(text);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(MappingError);
    const { offset } = thrown as MappingError;
    expect(offset).toBeGreaterThanOrEqual(0);
    expect(offset).toBeLessThanOrEqual(text.length);
    return undefined;
  }
}

const untouched = JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort());

describe('any mapping', () => {
  afterEach(() => {
    expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort())).toBe(untouched);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  it('is compiled or refused with a place, whatever the text', () => {
    const alphabet = fc.constantFrom(...`$@.:,()[]{}->'\\ ab1名\n"`, '->match', '$args', "'x'", '__proto__');
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.array(alphabet, { maxLength: 30 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        compiled(text);
        compiled(text, compileTemplate);
      }),
      { numRuns: RUNS * 5 },
    );
  });

  it('yields plain data on any data, in bounded time, and throws nothing but LIMIT_EXCEEDED', () => {
    let evaluated = 0;
    fc.assert(
      fc.property(fc.oneof(grammatical.value, grammatical.entries), scope, (text, given) => {
        const mapping = compiled(text);
        if (mapping === undefined) return;
        evaluated += 1;
        const startedAt = performance.now();
        try {
          const result = mapping.evaluate(given as Parameters<typeof mapping.evaluate>[0]);
          expect(result).not.toBeUndefined();
          expect(typeof result).not.toBe('function');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(HubError);
          expect((thrown as HubError).code).toBe('LIMIT_EXCEEDED');
        }
        expect(performance.now() - startedAt).toBeLessThan(EVALUATE_MS_MAX);
      }),
      { numRuns: RUNS * 5 },
    );
    // A generator whose texts are all refused would prove nothing.
    expect(evaluated).toBeGreaterThan(RUNS);
  });

  it('gives no way to a prototype', () => {
    fc.assert(
      fc.property(fc.array(printedName, { minLength: 1, maxLength: 5 }), (path) => {
        const secret = { inherited: 'seen' };
        const given = Object.assign(Object.create({ ...secret, a: secret, b: secret, id: secret }), {
          own: 1,
        });
        const result = compiled(`$.${path.join('.')}`)?.evaluate({ $: given, args: given });
        expect(result).toBeNull();
      }),
      { numRuns: RUNS },
    );
  });

  it('reads a time as it is commonly written as it reads it with a fraction of nothing, in every zone', () => {
    const pad = (width: number) => (value: number) => String(value).padStart(width, '0');
    const two = fc.integer({ min: 0, max: 61 }).map(pad(2));
    const text = fc
      .tuple(
        fc.integer({ min: 0, max: 9_999 }).map(pad(4)),
        two,
        two,
        fc.constantFrom(' ', 'T'),
        two,
        two,
        two,
      )
      .map(([year, month, day, between, hour, minute, second]) => {
        const date = `${year}-${pad(2)(Number(month) % 14)}-${pad(2)(Number(day) % 33)}`;
        return `${date}${between}${pad(2)(Number(hour) % 26)}:${minute}:${second}`;
      });
    const zone = fc.constantFrom(
      'Asia/Shanghai',
      'Asia/Kathmandu',
      'America/New_York',
      'UTC',
      'Australia/Lord_Howe',
    );
    fc.assert(
      fc.property(text, zone, (plain, timezone) => {
        expect(toDateTime(plain, timezone)).toBe(toDateTime(`${plain}.000`, timezone));
      }),
      { numRuns: RUNS },
    );
  });

  it('reads back by a code table what it wrote, for every table', () => {
    const table = fc
      .uniqueArray(
        fc.tuple(fc.string({ minLength: 1, maxLength: 6 }), fc.string({ minLength: 1, maxLength: 6 })),
        {
          minLength: 1,
          maxLength: 20,
          comparator: (one, other) => one[0] === other[0] || one[1] === other[1],
        },
      )
      .filter((pairs) => pairs.length <= CODES_MAX);
    fc.assert(
      fc.property(table, (pairs) => {
        const codes = new Map([['t', { pairs, raw: undefined }]]);
        const read = compileMapping("$->code('t')", { codes });
        const write = compileMapping("$->uncode('t')", { codes });
        for (const [code, value] of pairs) {
          expect(read.evaluate({ $: code })).toBe(value);
          expect(write.evaluate({ $: value })).toBe(code);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
