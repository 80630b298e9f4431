// What an operator may set of the HTTP door.
import { OperatorError } from '@weft/core/errors';

export interface HttpSettings {
  /** Whether a GET is refused that another site's page can have a browser send unasked. */
  readonly csrf: boolean;
  /** Origins whose pages may ask and read the answers. */
  readonly corsOrigins: ReadonlySet<string>;
  /** Whether answers are compressed for clients that take it. */
  readonly compression: boolean;
  /** Whether a body may be a list of requests. */
  readonly batching: boolean;
}

export const HTTP_SETTINGS: HttpSettings = Object.freeze({
  csrf: true,
  corsOrigins: new Set<string>(),
  compression: true,
  batching: false,
});

/**
 * Origins with commas between them, each as a browser writes it in `Origin`.
 * @throws OperatorError naming the one that no browser would send
 */
export function readOrigins(list: string | undefined): ReadonlySet<string> {
  const given = (list ?? '').split(',').map((origin) => origin.trim());
  const origins = given.filter((origin) => origin !== '');
  for (const origin of origins) {
    const isExact =
      /^https?:\/\/[^*]+$/.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin;
    if (!isExact)
      throw new OperatorError(`WEFT_CORS_ORIGINS: expected origins like https://app.example, got ${origin}`, {
        exitCode: 2,
      });
  }
  return new Set(origins);
}
