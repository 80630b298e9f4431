// Reads what a subgraph sends over graphql-transport-ws: only what the protocol has, in the shape that it has.

/** https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md, from server to client. */
export type ServerMessage =
  | { readonly type: 'connection_ack' }
  | { readonly type: 'ping'; readonly payload: unknown }
  | { readonly type: 'pong' }
  | { readonly type: 'next'; readonly id: string; readonly payload: unknown }
  | { readonly type: 'error'; readonly id: string; readonly errors: readonly unknown[] }
  | { readonly type: 'complete'; readonly id: string };

/** Undefined for what is no message of the protocol. */
export function readServerMessage(text: string): ServerMessage | undefined {
  const message = parse(text);
  if (message === undefined) return undefined;
  const { type, payload } = message;
  switch (type) {
    case 'connection_ack':
    case 'pong':
      return { type };
    case 'ping':
      return { type, payload };
    case 'next':
    case 'error':
    case 'complete':
      return typeof message.id === 'string' ? readOfOperation(type, message.id, payload) : undefined;
    default:
      return undefined;
  }
}

function readOfOperation(
  type: 'next' | 'error' | 'complete',
  id: string,
  payload: unknown,
): ServerMessage | undefined {
  switch (type) {
    case 'next':
      return { type, id, payload };
    case 'error':
      // A list is asked for; servers are met that send one error alone.
      return { type, id, errors: Array.isArray(payload) ? payload : [payload] };
    case 'complete':
      return { type, id };
    default:
      return type satisfies never;
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    // Undefined says it: the text itself must go no further.
    return undefined;
  }
}
