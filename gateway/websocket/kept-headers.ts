// Of an upgrade's headers those that operations need: the rest would be kept for as long as the socket lives.
import { TELL_HEADER } from '@weft/core/telling';
import type { ClientHeaders } from '../fetch/forwarded-headers.ts';
import { INSPECT_HEADER } from '../observe/inspect.ts';

const NONE: ClientHeaders = Object.freeze({});

/** @param forwardedHeaders names of those that go on to subgraphs, in any case */
export function createKeepHeaders(
  forwardedHeaders: readonly string[],
): (headers: ClientHeaders) => ClientHeaders {
  const names = [INSPECT_HEADER, TELL_HEADER, ...forwardedHeaders.map((name) => name.toLowerCase())];
  return (headers) => {
    let kept: Record<string, string | readonly string[]> | undefined;
    for (const name of names) {
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
      if (value === undefined) continue;
      kept ??= {};
      kept[name] = value;
    }
    return kept ?? NONE;
  };
}
