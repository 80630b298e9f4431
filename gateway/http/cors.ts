// Lets pages of other origins ask, by an allow-list of exact origins (https://fetch.spec.whatwg.org/#http-cors-protocol).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Seconds for which a browser need not ask again. */
const PREFLIGHT_SECONDS_MAX = 600;

/** Names of headers that a page wants to send: a list that it may make long. */
const REQUEST_HEADERS = /^[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}$/;

/**
 * Marks the answers on `paths` that may be read by the page that asked. No credentials are allowed: what identifies a
 * client is a header that it sets itself.
 * @param origins compared whole, so that neither `null` nor a name that only ends like one of them gets through
 */
export function registerCors(
  app: FastifyInstance,
  paths: readonly string[],
  origins: ReadonlySet<string>,
): void {
  if (origins.size === 0) return;
  app.addHook('onRequest', (request, reply, done) => {
    if (paths.includes(request.routeOptions.url ?? '')) {
      reply.header('vary', 'origin');
      const origin = allowedOrigin(request, origins);
      if (origin !== undefined) reply.header('access-control-allow-origin', origin);
    }
    done();
  });
}

/** The answer to a preflight of a page that may ask; undefined for any other request with OPTIONS. */
export function answerPreflight(
  request: FastifyRequest,
  reply: FastifyReply,
  origins: ReadonlySet<string>,
): FastifyReply | undefined {
  const isPreflight = request.headers['access-control-request-method'] !== undefined;
  if (!isPreflight || allowedOrigin(request, origins) === undefined) return undefined;
  const wanted = request.headers['access-control-request-headers'];
  if (typeof wanted === 'string' && REQUEST_HEADERS.test(wanted))
    reply.header('access-control-allow-headers', wanted);
  return reply
    .code(204)
    .header('vary', 'origin, access-control-request-headers')
    .header('access-control-allow-methods', 'GET, POST')
    .header('access-control-max-age', String(PREFLIGHT_SECONDS_MAX))
    .send();
}

function allowedOrigin({ headers }: FastifyRequest, origins: ReadonlySet<string>): string | undefined {
  return headers.origin !== undefined && origins.has(headers.origin) ? headers.origin : undefined;
}
