// Cuts a template, `/orders/{$args.id}`, into its text and its placeholders.
import { MAPPING_CHARS_MAX, MappingError } from './lexer.ts';
import { MAPPING_ROOTS } from './parser.ts';

/** What would be read, if it stood in braces. */
const BARE_PATH = new RegExp(`^\\$(?:${MAPPING_ROOTS.join('|')})\\.[\\w.]*\\w`);

/** Text as it stands, or the text of a mapping that stood between braces, with its offset in the template. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'placeholder'; readonly text: string; readonly offset: number };

/**
 * The pieces of a template, in order.
 * @throws MappingError at a brace without its other half, at a path that nobody put into braces, and when the template is too long
 */
export function readPieces(text: string): readonly Piece[] {
  if (text.length > MAPPING_CHARS_MAX) {
    throw new MappingError(
      `a template has at most ${MAPPING_CHARS_MAX} characters, this one ${text.length}`,
      0,
    );
  }
  const pieces: Piece[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if ((character === '{' || character === '}') && text.charAt(at + 1) === character) {
      literal += character;
      at += 2;
    } else if (character === '}') {
      throw new MappingError("this '}' closes nothing: write '}}' for a brace", at);
    } else if (character === '{') {
      if (literal !== '') pieces.push({ kind: 'text', text: literal });
      literal = '';
      const end = endOfPlaceholder(text, at);
      pieces.push({ kind: 'placeholder', text: text.slice(at + 1, end), offset: at + 1 });
      at = end + 1;
    } else {
      const bare = character === '$' ? BARE_PATH.exec(text.slice(at))?.[0] : undefined;
      if (bare !== undefined)
        throw new MappingError(`'${bare}' is plain text without braces: write {${bare}}`, at);
      literal += character;
      at += 1;
    }
  }
  if (literal !== '') pieces.push({ kind: 'text', text: literal });
  return pieces;
}

/** The brace that closes the placeholder: braces in quotes do not count, and a placeholder holds no object. */
function endOfPlaceholder(text: string, start: number): number {
  let quoted = false;
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quoted && character === '\\') at += 1;
    else if (character === "'") quoted = !quoted;
    else if (character === '}' && !quoted) return at;
  }
  throw new MappingError("this '{' is never closed: write '{{' for a brace", start);
}
