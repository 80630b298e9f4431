// Watches the calls of one system's sources, for its developer: what was asked, how long it took, what came of it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { HubError } from '@weft/core/errors';
import type { MappingScope } from '@weft/schema/mapping/compile';

export interface ObservedCall {
  /** Grows by one a call. */
  readonly id: number;
  /** RFC 3339, when it was sent. */
  readonly at: string;
  readonly source: string;
  readonly protocol: string;
  /** In the words of the protocol: `GET /orders`, a SOAP operation, a table. */
  readonly operation: string;
  /** What it was asked with: the name of each argument, and of keys how many. */
  readonly keys: string;
  /** The values of these, when the developer asked to see them. */
  readonly values: string | undefined;
  readonly ms: number;
  /** The HTTP status; undefined where the protocol has none, or nothing answered. */
  readonly status: number | undefined;
  /** Of the answer's body; undefined likewise. */
  readonly bytes: number | undefined;
  /** Of a failure. */
  readonly code: string | undefined;
}

export interface CallWatch {
  /** Runs a call and notes it, whatever becomes of it. */
  watch<T>(call: WatchedCall, run: () => Promise<T>): Promise<T>;
  /** The latest calls, oldest first. */
  latest(): readonly ObservedCall[];
  /** Told of every call when it ends. Returns how to stop. */
  onCall(listener: (call: ObservedCall) => void): () => void;
}

export interface WatchedCall {
  readonly source: string;
  readonly protocol: string;
  readonly operation: string;
  readonly scope: MappingScope;
}

/** Calls that are remembered. */
export const CALLS_MAX = 200;
const VALUES_LENGTH_MAX = 500;

/** What the wire saw of one call. */
interface Wire {
  status?: number;
  bytes?: number;
}

const wires = new AsyncLocalStorage<Wire>();

/** Called where an answer is read from the wire; does nothing unless somebody watches. */
export function noteAnswer(status: number, bytes: number): void {
  const wire = wires.getStore();
  if (wire === undefined) return;
  wire.status = status;
  wire.bytes = bytes;
}

/** @param showsValues whether values of arguments are kept: they may be personal */
export function createCallWatch(showsValues: boolean): CallWatch {
  const calls: ObservedCall[] = [];
  const listeners = new Set<(call: ObservedCall) => void>();
  let count = 0;
  return {
    async watch(call, run) {
      const wire: Wire = {};
      const at = new Date();
      const startedMs = performance.now();
      let code: string | undefined;
      try {
        return await wires.run(wire, run);
      } catch (thrown) {
        code = HubError.from(thrown).code;
        throw thrown;
      } finally {
        count += 1;
        const { source, protocol, operation, scope } = call;
        const observed: ObservedCall = {
          id: count,
          at: at.toISOString(),
          source,
          protocol,
          operation,
          keys: keysOf(scope),
          values: showsValues ? valuesOf(scope) : undefined,
          ms: Math.round(performance.now() - startedMs),
          status: wire.status,
          bytes: wire.bytes,
          code,
        };
        calls.push(observed);
        if (calls.length > CALLS_MAX) calls.shift();
        for (const listener of listeners) listener(observed);
      }
    },
    latest: () => [...calls],
    onCall(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function keysOf({ batch, args }: MappingScope): string {
  const keys = Object.entries(batch ?? {}).map(([name, values]) =>
    Array.isArray(values) ? `${name} × ${values.length}` : name,
  );
  return [...keys, ...Object.keys(args ?? {})].join(', ');
}

function valuesOf({ batch, args }: MappingScope): string {
  return JSON.stringify({ ...batch, ...args }).slice(0, VALUES_LENGTH_MAX);
}
