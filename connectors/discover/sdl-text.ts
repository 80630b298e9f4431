// Writes the pieces of an SDL file: descriptions, comments, strings.

const DESCRIPTION_LENGTH_MAX = 600;
const COMMENT_LENGTH_MAX = 400;

/** A description above a type, field, argument or value; nothing for an empty one. Ends with a line break. */
export function descriptionText(text: string | undefined, indent: string): string {
  const clean = plainText(text, DESCRIPTION_LENGTH_MAX);
  return clean === '' ? '' : `${indent}"""\n${indent}${clean.replaceAll('"""', "'''")}\n${indent}"""\n`;
}

/** Comment lines, one for each text. */
export function commentText(texts: readonly (string | undefined)[], indent: string): string {
  return texts
    .map((text) => plainText(text, COMMENT_LENGTH_MAX))
    .filter((text) => text !== '')
    .map((text) => `${indent}# ${text}\n`)
    .join('');
}

/** One line, without what an editor would stumble over; markup of HTML is dropped. */
export function plainText(text: string | undefined, lengthMax: number): string {
  const clean = (text ?? '')
    .replaceAll(/<\/?[A-Za-z][^<>]{0,200}>/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll(/[\\]/g, '/')
    .trim()
    // A quotation mark at the end would run into the closing ones.
    .replace(/"+$/, '');
  return clean.length > lengthMax ? `${clean.slice(0, lengthMax - 1)}…` : clean;
}

/** A GraphQL string of one line. */
export function stringText(text: string): string {
  return JSON.stringify(text);
}

/** A mapping as a string: in one line when it is short, else as a block. */
export function mappingString(text: string, indent: string): string {
  const oneLine = !text.includes('\n') && text.length <= 100;
  if (oneLine) return stringText(text);
  const lines = text.split('\n').map((line) => `${indent}${line}`);
  return `"""\n${lines.join('\n')}\n${indent}"""`;
}
