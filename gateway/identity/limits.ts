// Every bound of identity, by name.

export interface IdentityLimits {
  /** Bytes of a token; a longer one is refused before it is looked at. */
  readonly tokenBytesMax: number;
  /** Characters of an API key. */
  readonly apiKeyCharsMax: number;
  /** API keys in the file. */
  readonly apiKeysMax: number;
  /** Verified tokens that are remembered; then the oldest is forgotten and verified anew when it comes again. */
  readonly verifiedTokensMax: number;
  /** Different tokens that are being verified at once; the next is told RATE_LIMITED. */
  readonly verificationsMax: number;
  /** Bytes of the issuer's key set. */
  readonly jwksBytesMax: number;
  /** Keys of it. */
  readonly jwksKeysMax: number;
  /** For the issuer to answer. */
  readonly jwksTimeoutMs: number;
  /** A key set older than this is asked for again, while tokens are still verified with it. */
  readonly jwksMaxAgeMs: number;
  /** How long after it was read a key set serves when the issuer does not answer. */
  readonly jwksStaleMsMax: number;
  /** Between two questions to the issuer, however many tokens name keys that nobody knows. */
  readonly jwksCooldownMs: number;
}

export const IDENTITY_LIMITS: IdentityLimits = Object.freeze({
  tokenBytesMax: 8_192,
  apiKeyCharsMax: 256,
  apiKeysMax: 1_000,
  verifiedTokensMax: 10_000,
  verificationsMax: 1_000,
  jwksBytesMax: 256_000,
  jwksKeysMax: 100,
  jwksTimeoutMs: 5_000,
  jwksMaxAgeMs: 600_000,
  jwksStaleMsMax: 3_600_000,
  jwksCooldownMs: 30_000,
});
