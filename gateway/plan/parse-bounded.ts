// Parses a document whose size was bounded first, before anything walks it.
import { HubError } from '@weft/core/errors';
import { type DocumentNode, Lexer, type OperationDefinitionNode, parse, Source, TokenKind } from 'graphql';
import type { EngineLimits } from '../limits.ts';
import { checkDocumentLimits, type Extent } from './document-limits.ts';

export interface BoundedDocument {
  readonly document: DocumentNode;
  /** Of each operation, fragments expanded. */
  readonly extents: ReadonlyMap<OperationDefinitionNode, Extent>;
}

/**
 * Bytes first, then tokens and brackets, then what the tree holds: each bounds what the next one costs.
 * @throws HubError LIMIT_EXCEEDED naming the limit, or GraphQLError when it is not GraphQL
 */
export function parseBounded(query: string, limits: EngineLimits): BoundedDocument {
  const bytes = Buffer.byteLength(query);
  if (bytes > limits.documentBytesMax) throw tooBig('documentBytesMax', 'bytes', limits.documentBytesMax);
  checkTokens(query, limits);
  const document = parse(new Source(query, 'GraphQL request'));
  return { document, extents: checkDocumentLimits(document, limits) };
}

function tooBig(limit: keyof EngineLimits, what: string, max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `The document has more than ${max} ${what}.`, {
    details: { limit, max },
  });
}

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** Before parsing, which recurses: the lexer alone counts tokens, directives and open brackets. */
function checkTokens(query: string, limits: EngineLimits): void {
  const { documentTokensMax, documentBracketsMax, directivesMax } = limits;
  const lexer = new Lexer(new Source(query, 'GraphQL request'));
  let open = 0;
  let directives = 0;
  let tokens = 0;
  let kind: TokenKind;
  do {
    ({ kind } = lexer.advance());
    tokens += 1;
    // The lexer passes over comments; they hang before the token that follows them.
    for (let before = lexer.token.prev; before?.kind === TokenKind.COMMENT; before = before.prev) tokens += 1;
    if (tokens > documentTokensMax + 1) throw tooBig('documentTokensMax', 'tokens', documentTokensMax);
    if (OPENING.has(kind)) open += 1;
    if (CLOSING.has(kind)) open -= 1;
    if (kind === TokenKind.AT) directives += 1;
    if (open > documentBracketsMax)
      throw tooBig('documentBracketsMax', 'brackets open at once', documentBracketsMax);
    if (directives > directivesMax) throw tooBig('directivesMax', 'directives', directivesMax);
  } while (kind !== TokenKind.EOF);
}
