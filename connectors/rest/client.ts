// Calls a REST/JSON source over a pool of its own.

import type { Secrets } from '@weft/core/secrets';
import type { MappingScope } from '@weft/schema/mapping/compile';
import { authHeaders } from '../http/auth.ts';
import { exchange, type HttpRequest } from '../http/exchange.ts';
import { httpAddress, openPool } from '../http/pool.ts';
import type { HttpCall, RestSource } from '../plan.ts';
import type { CallOptions, SourceClient } from '../source-client.ts';
import { decodeJsonAnswer } from './decode.ts';

/**
 * Opens a REST source: a bounded pool of keep-alive connections, none made yet.
 * @throws OperatorError when the base URL or a secret is missing
 */
export function openRest(
  system: string,
  source: RestSource,
  scope: MappingScope,
  secrets: Secrets,
): SourceClient<HttpCall> {
  const base = httpAddress(system, source, scope);
  const auth = authHeaders(source.auth, secrets);
  const pool = openPool(source, base);
  const call = async (plan: HttpCall, callScope: MappingScope, options: CallOptions) => {
    const context = { system, source: source.name, operation: operationOf(plan) };
    const request = buildRequest(base, plan, callScope, {
      ...auth,
      'x-correlation-id': options.correlationId,
    });
    const limits = { signal: options.signal, responseBytesMax: source.guard.responseBytesMax };
    const answer = await exchange(pool, request, limits, context);
    return decodeJsonAnswer(answer, source.encoding, context);
  };
  return { call, close: () => pool.destroy() };
}

/** `GET /orders`, with placeholders as they stand in the SDL: no values, they may be personal. */
export function operationOf(plan: HttpCall): string {
  return `${plan.method} ${plan.path.text}`;
}

/** The request on the wire: every query value is encoded, a null one is left out. */
export function buildRequest(
  base: URL,
  plan: HttpCall,
  scope: MappingScope,
  headers: Readonly<Record<string, string>>,
): HttpRequest {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asObject(plan.query?.evaluate(scope)))) {
    if (value === null || value === undefined) continue;
    query.append(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const path = `${base.pathname.replace(/\/$/, '')}${String(plan.path.evaluate(scope) ?? '')}`;
  const text = query.size === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
  const body = plan.body === undefined ? undefined : JSON.stringify(plan.body.evaluate(scope));
  const contentType = body === undefined ? {} : { 'content-type': 'application/json' };
  return {
    method: plan.method,
    path: text === '' ? '/' : text,
    headers: { accept: 'application/json', ...contentType, ...headers },
    body,
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
