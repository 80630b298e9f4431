// Refuses what a page of another site can have a browser send without asking first (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
import type { IncomingHttpHeaders } from 'node:http';
import { isJsonRequest } from './media-type.ts';
import { HttpRefusal } from './refusal.ts';
import type { HttpSettings } from './settings.ts';

type Settings = Pick<HttpSettings, 'csrf' | 'corsOrigins'>;

/** A form on another site can send POST and GET without asking, but no such header: any of them makes the browser ask. */
const CSRF_HEADERS = ['x-weft-csrf', 'apollo-require-preflight', 'x-apollo-operation-name'] as const;

/**
 * JSON in UTF-8, or whatever stands beside a header that a form cannot send: neither leaves another site's page unasked.
 * Not a matter of settings, since GraphQL over HTTP takes no other type.
 * @throws HttpRefusal 415, also for a content coding: what is inflated has no size that could be bounded before it is read
 */
export function requirePostType(headers: IncomingHttpHeaders): void {
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity')
    // https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16
    throw new HttpRefusal(415, 'Send the request without a content coding.', {
      'accept-encoding': 'identity',
    });
  if (!isJsonRequest(headers['content-type']) && !hasCsrfHeader(headers))
    throw new HttpRefusal(415, 'Send the request as application/json in UTF-8.');
}

/**
 * A GET has to have a header, or a content type, that a browser asks for first, when the protection is on. `EventSource` can
 * send none: it may begin a stream for a page of this very origin, which no other page can say of itself
 * (https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header), or of an allowed one.
 * @throws HttpRefusal 415 for a type that is not JSON, which some browsers send unasked (GHSA-9q82-xgwf-vj6h), else 400
 */
export function requireGetHeaders(headers: IncomingHttpHeaders, settings: Settings): void {
  if (headers['content-type'] !== undefined) {
    if (isJsonRequest(headers['content-type'])) return;
    throw new HttpRefusal(415, 'A GET has no body: leave Content-Type out, or send application/json.');
  }
  if (!settings.csrf || hasCsrfHeader(headers) || isWelcomeEventSource(headers, settings)) return;
  throw new HttpRefusal(400, `Send a GET with one of the headers ${CSRF_HEADERS.join(', ')}, or use POST.`);
}

/** What EventSource sends: https://html.spec.whatwg.org/multipage/server-sent-events.html#the-eventsource-interface */
function isWelcomeEventSource(headers: IncomingHttpHeaders, { corsOrigins }: Settings): boolean {
  if (headers.accept !== 'text/event-stream') return false;
  const { origin } = headers;
  return headers['sec-fetch-site'] === 'same-origin' || (origin !== undefined && corsOrigins.has(origin));
}

function hasCsrfHeader(headers: IncomingHttpHeaders): boolean {
  return CSRF_HEADERS.some((name) => headers[name] !== undefined);
}
