// Parses a document whose size was bounded first, before anything walks it.
import { HubError } from '@weft/core/errors';
import { type DocumentNode, Lexer, parse, Source, TokenKind } from 'graphql';
import type { EngineLimits } from '../limits.ts';
import { checkDocumentLimits } from './document-limits.ts';

/** @throws HubError LIMIT_EXCEEDED naming the limit, or GraphQLError when it is not GraphQL */
export function parseBounded(query: string, limits: EngineLimits): DocumentNode {
  const bytes = Buffer.byteLength(query);
  if (bytes > limits.documentBytesMax) throw tooBig('documentBytesMax', 'bytes', limits.documentBytesMax);
  checkTokens(query, limits);
  const document = parse(new Source(query, 'GraphQL request'));
  checkDocumentLimits(document, limits);
  return document;
}

function tooBig(limit: keyof EngineLimits, what: string, max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `The document has more than ${max} ${what}.`, {
    details: { limit, max },
  });
}

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** Before parsing, which recurses: the lexer alone counts tokens and open brackets. */
function checkTokens(query: string, limits: EngineLimits): void {
  const lexer = new Lexer(new Source(query, 'GraphQL request'));
  let open = 0;
  for (let tokens = 0; lexer.advance().kind !== TokenKind.EOF; tokens += 1) {
    if (tokens >= limits.documentTokensMax)
      throw tooBig('documentTokensMax', 'tokens', limits.documentTokensMax);
    if (OPENING.has(lexer.token.kind)) open += 1;
    if (CLOSING.has(lexer.token.kind)) open -= 1;
    if (open > limits.documentBracketsMax) {
      throw tooBig('documentBracketsMax', 'brackets open at once', limits.documentBracketsMax);
    }
  }
}
