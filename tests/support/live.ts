// A subscriber for a test: collects what arrives, and knows when the subscription is live.
import type { GraphQLAnswer, Hub } from './hub.ts';
import { callHotline } from './simulated.ts';
import { waitFor } from './wait.ts';

export interface Arrival<Data> {
  readonly answer: GraphQLAnswer<Data>;
  readonly atMs: number;
}

export interface Subscriber<Data> {
  readonly arrivals: readonly Arrival<Data>[];
  /** The first arrival that fits, waiting for it. */
  arrival(what: string, fits: (data: Data) => boolean, msMax?: number): Promise<Arrival<Data>>;
  end(): Promise<void>;
}

/** Subscribes and collects. The protocol has no acknowledgement: use `untilLive` before what must not be missed. */
export function subscribe<Data>(
  hub: Hub,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Subscriber<Data> {
  return collect(hub.subscribe<Data>(query, variables));
}

/** Collects what a subscription brings, whoever has begun it. */
export function collect<Data>(events: AsyncIterableIterator<GraphQLAnswer<Data>>): Subscriber<Data> {
  const arrivals: Arrival<Data>[] = [];
  let failure: unknown;
  const collecting = (async () => {
    for await (const answer of events) arrivals.push({ answer, atMs: performance.now() });
  })().catch((thrown) => {
    failure = thrown;
  });
  return {
    arrivals,
    arrival: (what, fits, msMax) =>
      waitFor(
        what,
        () => {
          if (failure !== undefined) throw new Error(`the subscription failed: ${JSON.stringify(failure)}`);
          return arrivals.find(
            ({ answer }) => answer.data !== undefined && answer.data !== null && fits(answer.data),
          );
        },
        msMax,
      ),
    async end() {
      await events.return?.();
      await collecting;
    },
  };
}

/** Makes orders in a community until the first one arrives. */
export async function untilLive(hub: Hub, subscriber: Subscriber<unknown>, areaCode: string): Promise<void> {
  const prefix = `warm-up-${performance.now()}`;
  for (let n = 0; subscriber.arrivals.length === 0; n++) {
    if (n === 100) throw new Error('the subscription brought nothing after 100 orders');
    await callHotline(hub, { externalRef: `${prefix}-${n}`, subject: '预热', areaCode });
    await waitFor('the first event', () => subscriber.arrivals.length > 0, 200).catch(() => undefined);
  }
}
