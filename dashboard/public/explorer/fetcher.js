// Asks as GraphiQL does, asks to look inside besides, and keeps what was seen from the answer that GraphiQL shows.

/**
 * @typedef {import('./inside-types.js').Weft} Weft
 * @typedef {{ query: string, operationName?: string | null }} Request
 * @typedef {{ headers?: Record<string, string> }} Options
 * @typedef {Record<string, unknown> & { extensions?: Record<string, unknown> }} Result
 * @typedef {(request: Request, options?: Options) => unknown} Fetcher
 */

/** What the explorer asks on its own account has no plan that anybody wants to see. */
const OWN_QUESTION = 'IntrospectionQuery';

/**
 * @param {Fetcher} fetcher of GraphiQL
 * @param {{ begin(): void, show(weft: Weft | undefined): void }} panel
 * @returns {Fetcher}
 */
export function lookInside(fetcher, panel) {
  return (request, options) => {
    if (request.operationName === OWN_QUESTION) return fetcher(request, options);
    panel.begin();
    const headers = { ...options?.headers, 'x-weft-inspect': 'plan, timings' };
    return watchOutcome(fetcher(request, { ...options, headers }), panel);
  };
}

/** @param {unknown} outcome @param {{ show(weft: Weft | undefined): void }} panel @returns {unknown} */
function watchOutcome(outcome, panel) {
  if (outcome instanceof Promise) return outcome.then((value) => watchOutcome(value, panel));
  if (isIterable(outcome)) return watchParts(outcome, panel);
  const { shown, weft } = takeOut(/** @type {Result} */ (outcome));
  panel.show(weft);
  return shown;
}

/**
 * Parts come alone or, where several came at once, in a list; what was seen comes with the last of them.
 * @param {AsyncIterable<unknown>} parts @param {{ show(weft: Weft | undefined): void }} panel
 */
async function* watchParts(parts, panel) {
  /** @type {Weft | undefined} */
  let seen;
  try {
    for await (const part of parts) {
      const all = Array.isArray(part) ? part : [part];
      const shown = all.map((each) => {
        const taken = takeOut(each);
        seen = taken.weft ?? seen;
        return taken.shown;
      });
      if (seen !== undefined) panel.show(seen);
      yield Array.isArray(part) ? shown : shown[0];
    }
  } finally {
    panel.show(seen);
  }
}

/** @param {Result} result @returns {{ shown: Result, weft: Weft | undefined }} */
function takeOut(result) {
  const weft = /** @type {Record<string, unknown> | undefined} */ (result?.extensions?.weft);
  if (weft?.timings === undefined && weft?.plan === undefined) return { shown: result, weft: undefined };
  const { plan, timings, ...restOfWeft } = weft;
  const { weft: _taken, ...restOfExtensions } = result.extensions ?? {};
  const extensions = {
    ...restOfExtensions,
    ...(Object.keys(restOfWeft).length > 0 ? { weft: restOfWeft } : {}),
  };
  const { extensions: _all, ...rest } = result;
  const shown = Object.keys(extensions).length > 0 ? { ...rest, extensions } : rest;
  return { shown, weft: /** @type {Weft} */ ({ plan, timings }) };
}

/** @param {unknown} value @returns {value is AsyncIterable<unknown>} */
function isIterable(value) {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
