// Cuts the text of a mapping into tokens.
import { OperatorError } from '@weft/core/errors';

/** A mapping longer than this is refused at build time. */
export const MAPPING_CHARS_MAX = 20_000;

/** A mistake in the text of a mapping: an operator's, found before anything is served. */
export class MappingError extends OperatorError {
  /** Offset in UTF-16 units into the text of the mapping. */
  readonly offset: number;

  readonly reason: 'MALFORMED' | 'UNKNOWN_METHOD';

  constructor(message: string, offset: number, reason: 'MALFORMED' | 'UNKNOWN_METHOD' = 'MALFORMED') {
    super(message);
    this.name = 'MappingError';
    this.offset = offset;
    this.reason = reason;
  }
}

export type Punctuator = '.' | ':' | ',' | '(' | ')' | '[' | ']' | '{' | '}' | '->' | '$' | '@';

export type Token =
  | { readonly kind: 'name'; readonly value: string; readonly offset: number }
  /** Text in single quotes, unescaped. */
  | { readonly kind: 'quoted'; readonly value: string; readonly offset: number }
  | { readonly kind: 'number'; readonly value: number; readonly offset: number }
  /** `$args`: a dollar sign and a name without space. */
  | { readonly kind: 'variable'; readonly value: string; readonly offset: number }
  | { readonly kind: 'punctuator'; readonly value: Punctuator; readonly offset: number }
  | { readonly kind: 'end'; readonly value: ''; readonly offset: number };

const SPACE = /\s+/uy;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /-?\d+(?:\.\d+)?/y;
const VARIABLE = /\$([\p{L}_][\p{L}\p{N}_]*)/uy;
const PUNCTUATOR = /->|[.:,()[\]{}$@]/y;
const ESCAPES: Readonly<Record<string, string>> = { "'": "'", '\\': '\\', n: '\n', t: '\t' };

/**
 * All tokens of `text`, the last one of kind `end`.
 * @throws MappingError at a character that begins nothing, at an open quote, and when the text is too long
 */
export function tokenize(text: string): readonly Token[] {
  if (text.length > MAPPING_CHARS_MAX) {
    throw new MappingError(
      `a mapping has at most ${MAPPING_CHARS_MAX} characters, this one ${text.length}`,
      0,
    );
  }
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < text.length) {
    const space = matchAt(SPACE, text, offset);
    if (space !== undefined) {
      offset += space[0].length;
      continue;
    }
    const { token, end } = text[offset] === "'" ? readQuoted(text, offset) : readToken(text, offset);
    tokens.push(token);
    offset = end;
  }
  tokens.push({ kind: 'end', value: '', offset: text.length });
  return tokens;
}

interface Read {
  readonly token: Token;
  readonly end: number;
}

function readToken(text: string, offset: number): Read {
  const name = matchAt(NAME, text, offset);
  if (name !== undefined)
    return { token: { kind: 'name', value: name[0], offset }, end: offset + name[0].length };
  const number = matchAt(NUMBER, text, offset);
  if (number !== undefined) return readNumber(text, offset, number[0]);
  const variable = matchAt(VARIABLE, text, offset);
  if (variable !== undefined) {
    return {
      token: { kind: 'variable', value: variable[1] ?? '', offset },
      end: offset + variable[0].length,
    };
  }
  const punctuator = matchAt(PUNCTUATOR, text, offset);
  if (punctuator !== undefined) {
    const value = punctuator[0] as Punctuator;
    return { token: { kind: 'punctuator', value, offset }, end: offset + value.length };
  }
  throw new MappingError(
    `unexpected character ${JSON.stringify(String.fromCodePoint(text.codePointAt(offset) ?? 0))}`,
    offset,
  );
}

function readNumber(text: string, offset: number, digits: string): Read {
  const end = offset + digits.length;
  if (matchAt(NAME, text, end) !== undefined) {
    throw new MappingError('a name that begins with a digit stands in single quotes', offset);
  }
  return { token: { kind: 'number', value: Number(digits), offset }, end };
}

function readQuoted(text: string, offset: number): Read {
  let value = '';
  for (let at = offset + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "'") return { token: { kind: 'quoted', value, offset }, end: at + 1 };
    if (character !== '\\') {
      value += character;
      continue;
    }
    at += 1;
    const escaped = ESCAPES[text.charAt(at)];
    if (escaped === undefined) throw new MappingError("expected \\', \\\\, \\n or \\t", at - 1);
    value += escaped;
  }
  throw new MappingError('this quote is never closed', offset);
}

function matchAt(pattern: RegExp, text: string, offset: number): RegExpExecArray | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text) ?? undefined;
}
