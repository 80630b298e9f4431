// Calls a REST source, JSON or XML, over a channel of its own.

import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { openChannel } from '../http/channel.ts';
import type { HttpRequest } from '../http/exchange.ts';
import type { HttpCall, RestSource } from '../plan.ts';
import type { CallOptions, SourceClient } from '../source-client.ts';
import { unsendable } from '../upstream-error.ts';
import { decodeJsonAnswer, decodeXmlAnswer } from './decode.ts';
import { encodeBody } from './encode.ts';

/**
 * Opens a REST source: a bounded pool of keep-alive connections, none made yet.
 * @throws OperatorError when the base URL, a secret or a certificate is missing
 */
export function openRest(
  system: string,
  source: RestSource,
  scope: MappingScope,
  secrets: Secrets,
): SourceClient<HttpCall> {
  const channel = openChannel(system, source, scope, secrets);
  const decode = source.format === 'XML' ? decodeXmlAnswer : decodeJsonAnswer;
  const call = async (plan: HttpCall, callScope: MappingScope, options: CallOptions) => {
    const context = { system, source: source.name, operation: operationOf(plan) };
    const request = buildRequest(channel.address, source, plan, callScope);
    const answer = await channel.send(request, options, context);
    return decode(answer, source.encoding, context);
  };
  return { call, close: channel.close };
}

/** `GET /orders`, with placeholders as they stand in the SDL: no values, they may be personal. */
export function operationOf(plan: HttpCall): string {
  return `${plan.method} ${plan.path.text}`;
}

/**
 * The request on the wire, without credentials: every query value is encoded, a null one is left out.
 * @throws HubError BAD_USER_INPUT when a value would make the path another one, or the body cannot hold it
 */
export function buildRequest(
  base: URL,
  source: Pick<RestSource, 'format' | 'encoding'>,
  plan: HttpCall,
  scope: MappingScope,
): HttpRequest {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asObject(plan.query?.evaluate(scope)))) {
    if (value === null || value === undefined) continue;
    query.append(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const below = pathOf(plan, scope);
  const path = `${base.pathname.replace(/\/$/, '')}${below}`;
  const text = query.size === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
  const body = plan.body === undefined ? undefined : encodeBody(plan.body.evaluate(scope), source);
  return {
    method: plan.method,
    path: text === '' ? '/' : text,
    headers: { accept: `application/${source.format.toLowerCase()}`, ...body?.headers },
    body: body?.bytes,
  };
}

/**
 * The path below the base URL. A value that is absent, empty or made of dots would make it another path: percent-encoding
 * leaves dots alone, and RFC 3986 section 5.2.4 lets a server walk up by them.
 */
function pathOf({ path }: HttpCall, scope: MappingScope): string {
  const below = path.evaluate(scope);
  if (typeof below !== 'string') {
    throw unsendable('expected a value for every part of the path, got null');
  }
  if (/(?:^|\/)\.{1,2}(?:[/?#]|$)/.test(below)) {
    throw unsendable('expected a value that can stand in a path, not "." or ".."');
  }
  const isEmptied = (part: RegExp) => part.test(below) && !part.test(path.text.replace(/'$/, ''));
  if (isEmptied(/\/$/) || isEmptied(/\/[/?#]/)) {
    throw unsendable('expected a value for every part of the path, got an empty one');
  }
  return below;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
