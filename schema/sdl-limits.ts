// Bounds of an SDL that comes from others, kept before it is parsed: GraphQL's parser calls itself once a nesting.
import { HubError } from '@weft/core/errors';
import { GraphQLError, Lexer, Source, TokenKind } from 'graphql';

export interface SdlLimits {
  /** In UTF-8. */
  readonly bytesMax: number;
  readonly tokensMax: number;
  /** Brackets of any kind that are open at once. */
  readonly depthMax: number;
}

export const SDL_LIMITS: SdlLimits = Object.freeze({ bytesMax: 900_000, tokensMax: 200_000, depthMax: 50 });

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** @throws HubError SDL_TOO_LARGE naming the limit, or BAD_USER_INPUT for what is no GraphQL or nested too deep */
export function requireBoundedSdl(sdl: string, limits: SdlLimits = SDL_LIMITS): void {
  const bytes = Buffer.byteLength(sdl);
  if (bytes > limits.bytesMax) throw tooLarge('SDL_BYTES_MAX', limits.bytesMax, bytes);
  const lexer = new Lexer(new Source(sdl));
  let [tokens, depth] = [0, 0];
  for (;;) {
    const { kind, line } = advance(lexer);
    if (kind === TokenKind.EOF) return;
    tokens += 1;
    if (OPENING.has(kind)) depth += 1;
    if (CLOSING.has(kind)) depth -= 1;
    if (tokens > limits.tokensMax) throw tooLarge('SDL_TOKENS_MAX', limits.tokensMax, tokens);
    if (depth > limits.depthMax)
      throw new HubError('BAD_USER_INPUT', `sdl: line ${line} is nested deeper than ${limits.depthMax}`, {
        details: { argument: 'sdl', limit: 'SDL_DEPTH_MAX' },
      });
  }
}

function advance(lexer: Lexer) {
  try {
    return lexer.advance();
  } catch (cause) {
    if (!(cause instanceof GraphQLError)) throw cause;
    const line = cause.locations?.[0]?.line;
    throw new HubError('BAD_USER_INPUT', `sdl: ${cause.message} (line ${line})`, {
      details: { argument: 'sdl' },
      cause,
    });
  }
}

function tooLarge(limit: string, max: number, got: number): HubError {
  return new HubError('SDL_TOO_LARGE', `sdl: ${limit} is ${max}, got ${got}`, {
    details: { argument: 'sdl', limit, max, got },
  });
}
