// Parses the tokens of a mapping into its syntax tree.
import { MappingError, type Punctuator, type Token, tokenize } from './lexer.ts';

/** Nesting beyond this is refused, so that no mapping can exhaust the stack. */
export const MAPPING_DEPTH_MAX = 32;

/** Steps (`.name`, `->method`, `{…}`) of one path. */
export const MAPPING_STEPS_MAX = 64;

/** What `$name` may be. */
export const MAPPING_ROOTS = [
  'args',
  'this',
  'batch',
  'env',
  'topic',
  'message',
  'call',
  'principal',
] as const;
export type MappingRoot = (typeof MAPPING_ROOTS)[number];

export type Node =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null; readonly offset: number }
  /** `$`: what the mapping is applied to, wherever it is written. */
  | { readonly kind: 'input'; readonly offset: number }
  /** `@`: the value that a method is called on; outside a method's arguments the object at hand. */
  | { readonly kind: 'current'; readonly offset: number }
  | { readonly kind: 'root'; readonly root: MappingRoot; readonly offset: number }
  /** A bare name: a field of the object at hand. */
  | { readonly kind: 'name'; readonly name: string; readonly offset: number }
  | { readonly kind: 'member'; readonly of: Node; readonly name: string; readonly offset: number }
  | {
      readonly kind: 'call';
      readonly of: Node;
      readonly method: string;
      readonly args: readonly Node[];
      readonly offset: number;
    }
  | {
      readonly kind: 'select';
      readonly of: Node;
      readonly entries: readonly Entry[];
      readonly offset: number;
    }
  | { readonly kind: 'object'; readonly entries: readonly Entry[]; readonly offset: number }
  | { readonly kind: 'list'; readonly items: readonly Node[]; readonly offset: number };

export interface Entry {
  readonly name: string;
  readonly value: Node;
  readonly offset: number;
}

/**
 * The syntax tree of `text`; an entry list without braces becomes an object.
 * @throws MappingError where the text does not follow the grammar of docs/mapping.md
 */
export function parseMapping(text: string): Node {
  const parser = new Parser(tokenize(text));
  const node = parser.startsEntryList() ? parser.parseEntryList(undefined) : parser.parseValue();
  parser.expectEnd();
  return node;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** A name or quoted name with `:` behind it, or a bare name with another entry or nothing behind it. */
  startsEntryList(): boolean {
    const [first, second] = [this.#peek(0), this.#peek(1)];
    if (isPunctuator(second, ':')) return first.kind === 'name' || first.kind === 'quoted';
    if (first.kind !== 'name' || isKeyword(first.value)) return false;
    return (
      second.kind === 'name' || second.kind === 'quoted' || second.kind === 'end' || isPunctuator(second, ',')
    );
  }

  /** Entries up to `closing` (consumed), or to the end of the text. */
  parseEntryList(closing: '}' | undefined): Extract<Node, { kind: 'object' }> {
    const offset = this.#peek(0).offset;
    const entries: Entry[] = [];
    const names = new Set<string>();
    while (!this.#closes(closing)) {
      const entry = this.#parseEntry();
      if (names.has(entry.name)) throw new MappingError(`'${entry.name}' stands here twice`, entry.offset);
      names.add(entry.name);
      entries.push(entry);
      this.#take(',');
    }
    if (entries.length === 0)
      throw new MappingError('expected at least one entry, like `id: number`', offset);
    return { kind: 'object', entries, offset };
  }

  parseValue(): Node {
    this.#depth += 1;
    const { offset } = this.#peek(0);
    if (this.#depth > MAPPING_DEPTH_MAX)
      throw new MappingError(`nested deeper than ${MAPPING_DEPTH_MAX} levels`, offset);
    let node = this.#parsePrimary();
    let steps = 0;
    for (let next = this.#parseSuffix(node); next !== undefined; next = this.#parseSuffix(node)) {
      node = next;
      steps += 1;
      if (steps > MAPPING_STEPS_MAX)
        throw new MappingError(`a path has at most ${MAPPING_STEPS_MAX} steps`, offset);
    }
    this.#depth -= 1;
    return node;
  }

  expectEnd(): void {
    const token = this.#peek(0);
    if (token.kind !== 'end')
      throw new MappingError(`expected the end of the mapping, got ${describe(token)}`, token.offset);
  }

  #parseEntry(): Entry {
    const token = this.#next();
    if (token.kind !== 'name' && token.kind !== 'quoted') {
      throw new MappingError(`expected the name of an entry, got ${describe(token)}`, token.offset);
    }
    if (token.value === '__proto__')
      throw new MappingError(`'__proto__' cannot be the name of an entry`, token.offset);
    if (this.#take(':')) return { name: token.value, value: this.parseValue(), offset: token.offset };
    const next = this.#peek(0);
    if (isPunctuator(next, '.') || isPunctuator(next, '->') || isPunctuator(next, '{')) {
      throw new MappingError(`give this entry a name: \`${token.value}: ${token.value}…\``, token.offset);
    }
    return {
      name: token.value,
      value: { kind: 'name', name: token.value, offset: token.offset },
      offset: token.offset,
    };
  }

  #parsePrimary(): Node {
    const token = this.#next();
    const { offset } = token;
    switch (token.kind) {
      case 'number':
        return { kind: 'literal', value: token.value, offset };
      case 'name':
        return this.#nameOrKeyword(token.value, offset);
      case 'quoted':
        return this.#startsSuffix()
          ? { kind: 'name', name: token.value, offset }
          : { kind: 'literal', value: token.value, offset };
      case 'variable':
        return { kind: 'root', root: rootOf(token.value, offset), offset };
      case 'punctuator':
        return this.#parsePunctuated(token.value, offset);
      case 'end':
        throw new MappingError('expected a value, got the end of the mapping', offset);
      default:
        return token satisfies never;
    }
  }

  #nameOrKeyword(value: string, offset: number): Node {
    if (value === 'true' || value === 'false') return { kind: 'literal', value: value === 'true', offset };
    if (value === 'null') return { kind: 'literal', value: null, offset };
    return { kind: 'name', name: value, offset };
  }

  #parsePunctuated(value: Punctuator, offset: number): Node {
    if (value === '$') return { kind: 'input', offset };
    if (value === '@') return { kind: 'current', offset };
    if (value === '[') return { kind: 'list', items: this.#parseItems(']'), offset };
    if (value === '{') return this.parseEntryList('}');
    throw new MappingError(`expected a value, got '${value}'`, offset);
  }

  #parseSuffix(of: Node): Node | undefined {
    const { offset } = this.#peek(0);
    if (this.#take('.')) return { kind: 'member', of, name: this.#memberName(), offset };
    if (this.#take('->')) return this.#parseCall(of);
    if (of.kind !== 'object' && of.kind !== 'list' && this.#take('{')) {
      return { kind: 'select', of, entries: this.parseEntryList('}').entries, offset };
    }
    return undefined;
  }

  #parseCall(of: Node): Node {
    const token = this.#next();
    if (token.kind !== 'name')
      throw new MappingError(
        `expected the name of a method after '->', got ${describe(token)}`,
        token.offset,
      );
    const args = this.#take('(') ? this.#parseItems(')') : [];
    return { kind: 'call', of, method: token.value, args, offset: token.offset };
  }

  #parseItems(closing: ')' | ']'): readonly Node[] {
    const items: Node[] = [];
    while (!this.#take(closing)) {
      if (items.length > 0 && !this.#take(',')) {
        const token = this.#peek(0);
        throw new MappingError(`expected ',' or '${closing}', got ${describe(token)}`, token.offset);
      }
      items.push(this.parseValue());
    }
    return items;
  }

  #memberName(): string {
    const token = this.#next();
    if (token.kind === 'name' || token.kind === 'quoted') return token.value;
    throw new MappingError(`expected a name after '.', got ${describe(token)}`, token.offset);
  }

  #startsSuffix(): boolean {
    const token = this.#peek(0);
    return isPunctuator(token, '.') || isPunctuator(token, '->') || isPunctuator(token, '{');
  }

  #closes(closing: '}' | undefined): boolean {
    if (closing === undefined) return this.#peek(0).kind === 'end';
    if (this.#peek(0).kind === 'end')
      throw new MappingError(`expected '${closing}', got the end of the mapping`, this.#peek(0).offset);
    return this.#take(closing);
  }

  #take(value: Punctuator): boolean {
    if (!isPunctuator(this.#peek(0), value)) return false;
    this.#at += 1;
    return true;
  }

  #next(): Token {
    const token = this.#peek(0);
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  #peek(ahead: number): Token {
    return (
      this.#tokens[this.#at + ahead] ?? { kind: 'end', value: '', offset: this.#tokens.at(-1)?.offset ?? 0 }
    );
  }
}

function isPunctuator(token: Token, value: Punctuator): boolean {
  return token.kind === 'punctuator' && token.value === value;
}

function isKeyword(name: string): boolean {
  return name === 'true' || name === 'false' || name === 'null';
}

function rootOf(name: string, offset: number): MappingRoot {
  const root = MAPPING_ROOTS.find((known) => known === name);
  if (root === undefined) {
    throw new MappingError(
      `unknown variable '$${name}': expected ${MAPPING_ROOTS.map((known) => `$${known}`).join(', ')} or $`,
      offset,
    );
  }
  return root;
}

function describe(token: Token): string {
  if (token.kind === 'end') return 'the end of the mapping';
  if (token.kind === 'quoted') return `'${token.value}'`;
  return token.kind === 'variable' ? `'$${token.value}'` : `'${token.value}'`;
}
