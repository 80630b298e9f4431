// A graph of two subgraphs with live fields, over an event log in memory: what live subscriptions are proven on.
import { createLogger } from '@weft/core/logger';
import type { CloudEvent } from '@weft/events/envelope';
import type { OperationContext, PreparedOperation } from '@weft/gateway/engine';
import { createEngine, type GatewayEngine } from '@weft/gateway/execute/create-engine';
import { ANONYMOUS } from '@weft/gateway/identity/principal';
import { createEventStreams, type EventStreams } from '@weft/gateway/subscribe/event-streams';
import type { FanOutLimits } from '@weft/gateway/subscribe/limits';
import type { LiveSink, LiveSubscription } from '@weft/gateway/subscribe/sink';
import { compose } from '@weft/schema/compose';
import { splitEventStreams } from '@weft/schema/event-streams';
import { makeEvent } from '../events/event-log-suite.ts';
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';
import { createMemoryLog, type MemoryLog } from './memory-log.ts';

const FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const LAMPS = `${FEDERATION}extend schema @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { lamps(street: ID, first: Int = 20, after: String): LampConnection street(id: ID): Street }
type LampConnection { nodes: [Lamp!] pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Subscription {
  lampChanged(street: ID, kind: ID, from: StreamStart = LIVE, after: Cursor): LampChanged!
    @eventStream(topic: "lamp", message: "{ lamp { id } n }", where: "$.street->eq($args.street)", snapshot: "lamps(street: $args.street)")
  lampMeasured(intervalMs: Int = 1000, after: Cursor): LampMeasured!
    @eventStream(topic: "measure", message: "{ lamp { id } n }", coalesce: true)
  streetChanged(street: ID, intervalMs: Int, from: StreamStart = LIVE, after: Cursor): StreetChanged!
    @eventStream(topic: "lamp", message: "{ street { id } }", brings: "street: { id: $args.street->default('*') }", where: "$.street->eq($args.street)",
      snapshot: "street(id: $args.street)", coalesce: true, everyMs: 150)
}
type StreetChanged implements Resumable { cursor: Cursor! gap: Gap street: Street }
type Street @key(fields: "id") { id: ID! looks: Int }
type LampChanged implements Resumable { cursor: Cursor! gap: Gap lamp: Lamp n: Int }
type LampMeasured implements Resumable { cursor: Cursor! gap: Gap lamp: Lamp n: Int }
type Lamp @key(fields: "id") { id: ID! colour: String }
`;
const POWER = `${FEDERATION}type Query { power: Int } type Lamp @key(fields: "id") { id: ID! watts: Int }`;

export interface Message {
  readonly cursor: string;
  readonly n: number | null;
  readonly lamp: {
    readonly id: string;
    readonly colour?: string | null;
    readonly watts?: number | null;
  } | null;
  readonly street?: { readonly id: string; readonly looks: number } | null;
  readonly gap: { readonly from: string; readonly to: string; readonly reason: string } | null;
}

interface Result {
  readonly data: Readonly<Record<string, Message>> | null;
  readonly errors?: readonly {
    readonly path: readonly unknown[];
    readonly extensions: { readonly code: string };
  }[];
  readonly extensions?: { readonly weft?: { readonly gap?: Readonly<Record<string, string>> } };
}

/** A transport that keeps what it is given. */
export interface TestSink extends LiveSink {
  readonly texts: string[];
  /** How many results were written together each time. */
  readonly writes: number[];
  /** Calls back behind the next write. */
  onceWritten(callback: () => void): void;
  readonly results: Result[];
  readonly messages: Message[];
  /** Undefined while it has not ended. */
  ended: { readonly code: string | undefined; readonly details: object | undefined } | undefined;
  bufferedBytes: number;
  readonly subscription: LiveSubscription;
}

export interface LiveGraph {
  readonly memory: MemoryLog;
  readonly streams: EventStreams;
  readonly engine: GatewayEngine;
  readonly lamps: SubgraphServer;
  readonly power: SubgraphServer;
  /** Ids of lamps that there are, for the list. */
  readonly listed: string[];
  subscribe(query: string, variables?: object, context?: Partial<OperationContext>): Promise<TestSink>;
  append(topic: string, ...events: readonly CloudEvent[]): void;
  close(): Promise<void>;
}

export const LIVE =
  'subscription ($street: ID, $after: Cursor) { lampChanged(street: $street, after: $after) { cursor n gap { from to reason } lamp { id colour watts } } }';

export function lampEvent(n: number, data: Record<string, string | null> = {}, id = `${n}`): CloudEvent {
  return { ...makeEvent(`e${n}`, { street: 's', lamp: { id }, n, ...data }), subject: `Lamp:${id}` };
}

export async function startLiveGraph(
  limits: Partial<FanOutLimits> = {},
  forwardedHeaders: readonly string[] = [],
): Promise<LiveGraph> {
  const listed: string[] = [];
  const lamps = await startSubgraph('lamps', LAMPS, lampResolvers(listed), splitEventStreams(LAMPS).served);
  const power = await startSubgraph('power', POWER, {
    Lamp: { __resolveReference: ({ id }: { id: string }) => ({ id, watts: Number(id) || 0 }) },
  });
  const composed = compose([
    { name: 'lamps', url: lamps.url, sdl: LAMPS },
    { name: 'power', url: power.url, sdl: POWER },
  ]);
  if (composed.supergraphSdl === undefined) throw new Error(JSON.stringify(composed.errors));
  const logger = createLogger('test', 'silent');
  const engine = createEngine({ supergraphSdl: composed.supergraphSdl, logger, forwardedHeaders });
  const memory = createMemoryLog();
  const keyRing = [{ id: 'k1', secret: 's'.repeat(32) }] as const;
  const queries = () => engine;
  const streams = createEventStreams({
    log: memory.log,
    engine,
    queries,
    keyRing,
    logger,
    limits,
    forwardedHeaders,
  });
  return {
    memory,
    streams,
    engine,
    lamps,
    power,
    listed,
    append: memory.append,
    async subscribe(query, variables = {}, context = {}) {
      const principal = context.principal ?? ANONYMOUS;
      const prepared = await engine.prepare(query, undefined, principal);
      if ('errors' in prepared) throw prepared.errors[0];
      return openSink(streams, prepared, variables, {
        signal: new AbortController().signal,
        traceId: '0'.repeat(32),
        ...context,
        principal,
      });
    },
    async close() {
      await engine.close();
      await Promise.all([lamps.close(), power.close()]);
    },
  };
}

function lampResolvers(listed: readonly string[]) {
  let looks = 0;
  return {
    Query: {
      lamps(_root: unknown, { first, after }: { first: number; after: string | null }) {
        const start = after === null || after === undefined ? 0 : Number(after);
        const nodes = listed.slice(start, start + first).map((id) => ({ id }));
        const end = start + nodes.length;
        return { nodes, pageInfo: { hasNextPage: end < listed.length, endCursor: String(end) } };
      },
      street: (_root: unknown, { id }: { id?: string | null }) => ({ id: id ?? '*' }),
    },
    Street: {
      __resolveReference({ id }: { id: string }) {
        looks += 1;
        return { id, looks };
      },
    },
    Lamp: {
      __resolveReference({ id }: { id: string }) {
        // Thrown at once, it takes the answer for all entities with it.
        if (id === 'worse') throw new Error(`no lamp ${id}`);
        if (id === 'bad') return Promise.reject(new Error(`no lamp ${id}`));
        return { id, colour: `colour ${id}` };
      },
    },
  };
}

function openSink(
  streams: EventStreams,
  prepared: PreparedOperation,
  variables: object,
  context: OperationContext,
): TestSink {
  let onWritten: (() => void) | undefined;
  const sink: Omit<TestSink, 'subscription'> & { subscription: LiveSubscription | undefined } = {
    texts: [],
    writes: [],
    onceWritten(callback) {
      onWritten = callback;
    },
    results: [],
    messages: [],
    ended: undefined,
    bufferedBytes: 0,
    subscription: undefined,
    next(payloads) {
      sink.writes.push(payloads.length);
      for (const payload of payloads) {
        const text = payload.json(sink.subscription?.cursorMark ?? 'called before open returned');
        const result = JSON.parse(text) as Result;
        sink.texts.push(text);
        sink.results.push(result);
        const [message] = Object.values(result.data ?? {});
        if (message !== undefined) sink.messages.push(message);
      }
      const callback = onWritten;
      onWritten = undefined;
      callback?.();
    },
    end(error) {
      sink.ended = { code: error?.code, details: error?.details };
    },
  };
  sink.subscription = streams.open(prepared, variables as Record<string, unknown>, context, sink);
  return sink as TestSink;
}
