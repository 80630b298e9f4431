// One pass over an XML text before any parser sees it: what it may not have, and how large its tree is.

export interface XmlExtent {
  /** A document type or an entity declaration stands somewhere outside of CDATA and comments. */
  readonly hasDocumentType: boolean;
  /** Every tag and section that begins also ends. */
  readonly isWhole: boolean;
  /** Elements within one another. */
  readonly depth: number;
  readonly elements: number;
}

/**
 * Linear in the text's length, whatever stands in it; says nothing about well-formedness. `>` in an attribute's quotes
 * does not end a tag, so that no tag can be hidden from the count.
 */
export function inspectXml(text: string): XmlExtent {
  let [at, depth, deepest, elements, hasDocumentType] = [0, 0, 0, 0, false];
  while (at !== -1) {
    const start = text.indexOf('<', at);
    if (start === -1) break;
    const skipped = endOfSection(text, start);
    if (skipped !== undefined) {
      at = skipped;
      continue;
    }
    if (/^<!(?:DOCTYPE|ENTITY)/i.test(text.slice(start, start + 9))) hasDocumentType = true;
    const end = endOfTag(text, start + 1);
    if (text[start + 1] === '/') depth -= 1;
    else {
      elements += 1;
      deepest = Math.max(deepest, depth + 1);
      if (end === -1 || text[end - 2] !== '/') depth += 1;
    }
    at = end;
  }
  return { hasDocumentType, isWhole: at !== -1, depth: deepest, elements };
}

const SECTIONS = [
  ['<![CDATA[', ']]>'],
  ['<!--', '-->'],
  ['<?', '?>'],
] as const;

/** Where a section without elements ends that begins at `start`: -1 when it never does; undefined when there is none. */
function endOfSection(text: string, start: number): number | undefined {
  for (const [open, close] of SECTIONS) {
    if (!text.startsWith(open, start)) continue;
    const end = text.indexOf(close, start + open.length);
    return end === -1 ? -1 : end + close.length;
  }
  return undefined;
}

const TAG_MARK = /["'>]/g;

/** The place behind a tag's `>`; -1 when it never ends. */
function endOfTag(text: string, from: number): number {
  let at = from;
  for (;;) {
    TAG_MARK.lastIndex = at;
    const found = TAG_MARK.exec(text);
    if (found === null) return -1;
    if (found[0] === '>') return found.index + 1;
    const close = text.indexOf(found[0], found.index + 1);
    if (close === -1) return -1;
    at = close + 1;
  }
}
