// Which pages may open a WebSocket: a browser asks nobody before it does, and says only where the page is from.
import type { IncomingHttpHeaders } from 'node:http';
import { HTTP_SETTINGS, type HttpSettings } from '../http/settings.ts';

/**
 * Pages of the host that was asked, and of the allowed origins; what is no browser sends no `Origin`. Everybody, when the
 * protection against other sites' pages is off (https://owasp.org/www-community/attacks/csrf, of WebSockets).
 */
export function originGuard(
  settings: HttpSettings = HTTP_SETTINGS,
): (headers: IncomingHttpHeaders) => boolean {
  const { csrf, corsOrigins } = settings;
  return ({ origin, host }) =>
    !csrf ||
    origin === undefined ||
    corsOrigins.has(origin) ||
    origin === `http://${host}` ||
    origin === `https://${host}`;
}
