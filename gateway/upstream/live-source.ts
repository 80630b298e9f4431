// A subgraph's own subscription as the source of a group of subscribers (ADR 15).

import { HubError } from '@weft/core/errors';
import type { OperationContext, PreparedOperation, UpstreamField } from '../engine.ts';
import { createHeaderPicker } from '../fetch/forwarded-headers.ts';
import type { StopSignal } from '../stop-signal.ts';
import type { LiveSource, LiveSources, SourceListener } from '../subscribe/live-source.ts';
import type { UpstreamRequest } from './channel.ts';
import type { UpstreamSubscriptions } from './subscriptions.ts';

/**
 * @param forwardedHeaders names of client headers that are sent on to every subgraph
 * @throws OperatorError naming a header that may not be forwarded
 */
export function createUpstreamSources(
  subscriptions: UpstreamSubscriptions,
  forwardedHeaders: readonly string[] = [],
): LiveSources {
  const pickHeaders = createHeaderPicker(forwardedHeaders);
  return {
    async open(operation: PreparedOperation, variables, context: OperationContext) {
      const field = operation.upstream;
      if (field === undefined)
        throw new HubError('BAD_USER_INPUT', 'expected a subscription to a field that a system serves live');
      const request = requestOf(field, variables, context, pickHeaders(context.headers));
      return createSource(subscriptions, request, context.signal);
    },
  };
}

function requestOf(
  field: UpstreamField,
  variables: Readonly<Record<string, unknown>>,
  { principal: { roles, scopes } }: OperationContext,
  headers: UpstreamRequest['headers'],
): UpstreamRequest {
  const { system, url, protocol, isGuarded, document, operationName } = field;
  const authority = { roles, scopes };
  const own = field.variablesOf(variables);
  return { system, url, protocol, isGuarded, document, operationName, variables: own, authority, headers };
}

function createSource(
  subscriptions: UpstreamSubscriptions,
  request: UpstreamRequest,
  signal: StopSignal,
): LiveSource {
  let leave: (() => void) | undefined;
  let isReleased = false;
  const release = () => {
    isReleased = true;
    signal.removeEventListener('abort', release);
    leave?.();
  };
  return {
    listen(listener: SourceListener) {
      if (isReleased || signal.aborted) return;
      signal.addEventListener('abort', release, { once: true });
      try {
        leave = subscriptions.subscribe(request, {
          onResult: (result) => listener.onEntry({ kind: 'result', result }),
          onGap: (reason) =>
            listener.onEntry({ kind: 'lost', reason, isOngoing: reason === 'UPSTREAM_LOST' }),
          onEnd: (error) => {
            signal.removeEventListener('abort', release);
            listener.onEnd(error);
          },
        });
      } catch (thrown) {
        signal.removeEventListener('abort', release);
        listener.onEnd(HubError.from(thrown));
      }
    },
    release,
  };
}
