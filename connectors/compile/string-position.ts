// Finds where a character of a GraphQL string's value stands in the source, through escapes and block indentation.

const QUOTES = '"""';
const LINE_END = /\r\n|[\n\r]/g;

/**
 * @param raw the string as it stands in the source, quotes included
 * @param offset into the string's value, in UTF-16 units
 * @returns offset into `raw`
 */
export function locateInString(raw: string, offset: number): number {
  return raw.startsWith(QUOTES) ? locateInBlock(raw, offset) : locateInLine(raw, offset);
}

/** Spec: https://spec.graphql.org/October2021/#sec-String-Value. One escape is one character, but `\u{…}` may be two units. */
function locateInLine(raw: string, offset: number): number {
  let at = 1;
  for (let seen = 0; seen < offset && at < raw.length - 1; seen += 1) {
    const pattern = /\\(?:u\{([0-9a-fA-F]+)\}|u[0-9a-fA-F]{4}|.)/y;
    pattern.lastIndex = at;
    const found = pattern.exec(raw);
    at += found === null ? 1 : found[0].length;
    if (found?.[1] !== undefined && Number.parseInt(found[1], 16) > 0xffff) seen += 1;
  }
  return at;
}

interface RawLine {
  /** Offset of its first character in the raw string. */
  readonly start: number;
  readonly text: string;
}

/** Spec: BlockStringValue(): the common indent is removed from all lines but the first, blank lines at both ends fall away. */
function locateInBlock(raw: string, offset: number): number {
  const lines = splitLines(raw.slice(QUOTES.length, -QUOTES.length), QUOTES.length);
  const indent = commonIndent(lines);
  const first = lines.findIndex((line) => line.text.trim() !== '');
  let left = offset;
  for (const [index, line] of lines.entries()) {
    if (index < first) continue;
    const removed = index === 0 ? 0 : Math.min(indent, line.text.length);
    const kept = line.text.slice(removed);
    const value = kept.replaceAll('\\"""', QUOTES);
    if (left <= value.length) return line.start + removed + rawLength(kept, left);
    left -= value.length + 1;
  }
  return raw.length - QUOTES.length;
}

function splitLines(body: string, start: number): readonly RawLine[] {
  const lines: RawLine[] = [];
  let from = 0;
  for (const end of body.matchAll(LINE_END)) {
    lines.push({ start: start + from, text: body.slice(from, end.index) });
    from = end.index + end[0].length;
  }
  lines.push({ start: start + from, text: body.slice(from) });
  return lines;
}

function commonIndent(lines: readonly RawLine[]): number {
  const indents = lines.slice(1).flatMap(({ text }) => {
    const indent = /^[ \t]*/.exec(text)?.[0].length ?? 0;
    return indent === text.length ? [] : [indent];
  });
  return indents.length === 0 ? 0 : Math.min(...indents);
}

/** Raw characters that make the first `count` of the value: an escaped triple quote has one more. */
function rawLength(kept: string, count: number): number {
  let at = 0;
  for (let seen = 0; seen < count; seen += 1) {
    if (kept.startsWith('\\"""', at)) {
      at += 1;
    }
    at += 1;
  }
  return at;
}
