// Turns the syntax tree of a mapping into one JavaScript function, so that the engine sees each object's shape.
import { CODE_METHODS } from './codes.ts';
import { MappingError } from './lexer.ts';
import { readPairs } from './match.ts';
import { METHODS } from './methods.ts';
import type { Entry, Node } from './parser.ts';
import type { MappingScope } from './scope.ts';
import { readOwn, toText } from './values.ts';

/** A whole mapping at run time. Never yields undefined. */
export type Evaluate = (scope: MappingScope) => unknown;

/**
 * The text of the mapping reaches the code as JSON strings and nothing else. In it `s` is the scope, `i` the input `$`, `h` what was
 * read of `$` beforehand, `o` what bare names are fields of, `p` whether `o` is a plain object, `c` what `@` is. The outermost object
 * is no nested one and stays, even when every entry is null.
 * @throws MappingError for methods that do not exist, or take other arguments
 */
export function generateEvaluate(node: Node): Evaluate {
  const program = new Program();
  const result = node.kind === 'object' ? program.object(node.entries, 'p') : program.expression(node, 'p');
  const code = `"use strict";
${program.declarations.join('\n')}
return function evaluate(s) {
  const i = s.$ ?? null, o = i, c = i, p = isPlain(o), h = ${program.readings()};
  return ${result};
};`;
  const factory = new Function('k', 'none', 'isPlain', 'readOwn', 'toText', code) as (
    ...given: unknown[]
  ) => Evaluate;
  return factory(program.constants, NO_ARGUMENTS, isPlain, readOwn, toText);
}

/** Of every call of a method that takes none: a list of its own for each would be garbage. */
const NO_ARGUMENTS: readonly unknown[] = Object.freeze([]);

/** An object that inherits from `Object.prototype` or nothing: what it has beside those names is its own. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Names that a plain object inherits, which must be looked for as its own. */
function isInherited(name: string): boolean {
  return name in Object.prototype;
}

/** What is known of `o` where code stands: it is plain, it is not, or `p` tells. */
type Plain = 'true' | 'false' | 'p';

/** One function declared for each step that branches: each has its own place in the code, and so sees few shapes. */
class Program {
  readonly declarations: string[] = [];
  /** What the code cannot hold as text: methods, tables. */
  readonly constants: unknown[] = [];
  /** A node that stands in two versions of an object is declared once. */
  readonly #declared = new Map<Node, string>();
  /** Paths from `$`, read once however many rows use them. */
  readonly #readings = new Map<string, string>();
  #count = 0;

  readings(): string {
    return this.#readings.size === 0 ? 'null' : `[${[...this.#readings.values()].join(', ')}]`;
  }

  expression(node: Node, plain: Plain): string {
    switch (node.kind) {
      case 'literal':
        return JSON.stringify(node.value);
      case 'input':
        return 'i';
      case 'current':
        return 'c';
      case 'root':
        return `(s.${node.root} ?? null)`;
      case 'name':
        return readName(node.name, plain);
      case 'member':
        return pathOf(node) === undefined
          ? `${this.#reader(node)}(${this.expression(node.of, plain)})`
          : this.#reading(node);
      case 'call':
        return this.#call(node, plain);
      case 'select':
        return `${this.#selection(node)}(s, i, h, ${this.expression(node.of, plain)})`;
      case 'object':
        return `${this.#nestedObject(node)}(s, i, h, o, ${plain}, c)`;
      case 'list':
        return `[${node.items.map((item) => this.expression(item, plain)).join(', ')}]`;
      default:
        return node satisfies never;
    }
  }

  object(entries: readonly Entry[], plain: Plain): string {
    const properties = entries.map(({ name, value }) => `${text(name)}: ${this.expression(value, plain)}`);
    return `{ ${properties.join(', ')} }`;
  }

  #reading(node: Extract<Node, { kind: 'member' }>): string {
    const path = pathOf(node) ?? '';
    if (!this.#readings.has(path)) {
      const of = node.of.kind === 'member' ? this.#pathCode(node.of) : 'i';
      this.#readings.set(path, `${this.#reader(node)}(${of})`);
    }
    return `h[${[...this.#readings.keys()].indexOf(path)}]`;
  }

  #pathCode(node: Extract<Node, { kind: 'member' }>): string {
    return `${this.#reader(node)}(${node.of.kind === 'member' ? this.#pathCode(node.of) : 'i'})`;
  }

  #reader(node: Extract<Node, { kind: 'member' }>): string {
    return this.#declare(node, 'v', () => {
      const own = `readOwn(v, ${text(node.name)})`;
      return `return ${isInherited(node.name) ? own : `isPlain(v) ? (v[${text(node.name)}] ?? null) : ${own}`};`;
    });
  }

  #selection(node: Extract<Node, { kind: 'select' }>): string {
    return this.#declare(node, 's, i, h, v', () => {
      const build = `b${this.#count++}`;
      this.declarations.push(`function ${build}(s, i, h, o) {
  const c = o;
  return isPlain(o) ? ${this.object(node.entries, 'true')} : ${this.object(node.entries, 'false')};
}`);
      const one = (value: string) =>
        `typeof ${value} === 'object' && ${value} !== null ? ${build}(s, i, h, ${value}) : null`;
      return `if (!Array.isArray(v)) return ${one('v')};
  const n = v.length, list = new Array(n);
  for (let at = 0; at < n; at++) { const e = v[at]; list[at] = ${one('e')}; }
  return list;`;
    });
  }

  /** An object in braces refers to something: when all it says of it is null, there is nothing. */
  #nestedObject(node: Extract<Node, { kind: 'object' }>): string {
    return this.#declare(node, 's, i, h, o, p, c', () => {
      const values = node.entries.map(
        ({ value }, index) => `const e${index} = ${this.expression(value, 'p')};`,
      );
      const properties = node.entries.map(({ name }, index) => `${text(name)}: e${index}`);
      const isNothing = node.entries.map((_, index) => `e${index} === null`).join(' && ');
      return `${values.join(' ')}\n  return ${isNothing} ? null : { ${properties.join(', ')} };`;
    });
  }

  #call(node: Extract<Node, { kind: 'call' }>, plain: Plain): string {
    const value = this.expression(node.of, plain);
    const step = this.#declare(node, 's, i, h, o, p, c', () =>
      node.method === 'match' ? this.#matchBody(node) : this.#methodBody(node),
    );
    return `${step}(s, i, h, o, ${plain}, ${value})`;
  }

  /** In the arguments `@` is the value that the method is called on. */
  #methodBody(node: Extract<Node, { kind: 'call' }>): string {
    const method = METHODS.get(node.method);
    if (method === undefined) {
      const known = ['match', ...CODE_METHODS, ...METHODS.keys()].sort().join(', ');
      throw new MappingError(
        `unknown method '${node.method}': known are ${known}`,
        node.offset,
        'UNKNOWN_METHOD',
      );
    }
    checkArguments(node, method.argsMin, method.argsMax);
    const apply = this.#constant(method.apply);
    const args = node.args.map((arg) => this.expression(arg, 'p'));
    return `return ${apply}(c, ${args.length === 0 ? 'none' : `[${args.join(', ')}]`}, s);`;
  }

  #matchBody(node: Extract<Node, { kind: 'call' }>): string {
    const { known, otherwise } = readPairs(node);
    const places = this.#constant(new Map([...known.keys()].map((value, index) => [value, index])));
    const cases = [...known.values()].map(
      (result, index) => `case ${index}: return ${this.expression(result, 'p')};`,
    );
    const unknown =
      otherwise === undefined
        ? "if (c !== null && c !== '') s.onUnknownValue?.(c);\n  return null;"
        : `return ${this.expression(otherwise, 'p')};`;
    return `const t = typeof c === 'string' ? c : toText(c);
  switch (t === null ? undefined : ${places}.get(t)) { ${cases.join(' ')} }
  ${unknown}`;
  }

  #constant(value: unknown): string {
    this.constants.push(value);
    const name = `k${this.constants.length - 1}`;
    this.declarations.push(`const ${name} = k[${this.constants.length - 1}];`);
    return name;
  }

  #declare(node: Node, parameters: string, body: () => string): string {
    const known = this.#declared.get(node);
    if (known !== undefined) return known;
    const name = `f${this.#count++}`;
    this.#declared.set(node, name);
    this.declarations.push(`function ${name}(${parameters}) { ${body()} }`);
    return name;
  }
}

function readName(name: string, plain: Plain): string {
  const [own, direct] = [`readOwn(o, ${text(name)})`, `(o[${text(name)}] ?? null)`];
  if (plain === 'false' || isInherited(name)) return own;
  return plain === 'true' ? direct : `(p ? ${direct} : ${own})`;
}

/** The path of members from `$`, as one text; undefined for whatever else. */
function pathOf(node: Node): string | undefined {
  if (node.kind === 'input') return '';
  if (node.kind !== 'member') return undefined;
  const of = pathOf(node.of);
  return of === undefined ? undefined : `${of}.${text(node.name)}`;
}

function text(name: string): string {
  return JSON.stringify(name);
}

function checkArguments(node: Extract<Node, { kind: 'call' }>, argsMin: number, argsMax: number): void {
  const count = node.args.length;
  if (count < argsMin || count > argsMax) {
    const expected = argsMin === argsMax ? `${argsMin}` : `${argsMin} to ${argsMax}`;
    throw new MappingError(
      `'${node.method}' takes ${expected} argument${expected === '1' ? '' : 's'}, got ${count}`,
      node.offset,
    );
  }
  const [only] = node.args;
  if ((node.method === 'eq' || node.method === 'under') && only?.kind === 'literal' && only.value === null) {
    // A null argument means that no filter was asked for: written out it would be true for everything.
    throw new MappingError(
      `'${node.method}(null)' is always true; ask for null with \`->ne(null)->not\``,
      only.offset,
    );
  }
}
