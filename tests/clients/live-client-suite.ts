// What every client library has to get from a gateway: events in order with their entities' fields, an end, and a place to come back to.
import { inspect } from 'node:util';
import { NOTHING_SHOWN } from '@weft/gateway/observe/settings';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LampChanged, type Lamps, type LampsGateway, startLamps } from '../support/lamps.ts';
import { waitFor } from '../support/wait.ts';
import { openStreet, range } from './lamp-street.ts';

export interface Sink {
  next(data: LampChanged | null | undefined): void;
  fail(thrown: unknown): void;
  complete(): void;
}

/** A client library behind what all of them can do. */
export interface LiveClient {
  /** Of `LAMP_CHANGED`. @returns how to unsubscribe */
  subscribe(variables: Readonly<Record<string, unknown>>, sink: Sink): () => void;
  close(): unknown;
}

/** Gateways are started, which takes a machine that has much to do its time. */
const SLOW_MS_MAX = 120_000;

/** @param connect a client of this gateway, made as its documentation shows */
export function describeClient(name: string, connect: (gateway: LampsGateway) => LiveClient): void {
  vi.setConfig({ testTimeout: SLOW_MS_MAX, hookTimeout: SLOW_MS_MAX });

  describe(`a live field through ${name}`, () => {
    let lamps: Lamps;
    let gateway: LampsGateway;
    let client: LiveClient;
    beforeAll(async () => {
      lamps = await startLamps();
      gateway = await lamps.gateway({ config: { observe: { ...NOTHING_SHOWN, metrics: 'main' } } });
      client = connect(gateway);
    });
    afterAll(async () => {
      await client?.close();
      await lamps?.close();
    });

    it('comes in order, with the fields that other systems have, and resumes by its cursor', async () => {
      const street = openStreet(lamps);
      const problems: unknown[] = [];
      const sink: Sink = {
        next: (data) => street.take(data?.lampChanged),
        fail: (thrown) => problems.push(thrown),
        complete: () => undefined,
      };
      const first = client.subscribe({ street: street.name }, sink);
      await street.untilLive();
      await street.change(...range(1, 5));
      await street.until(5);
      expect(street.seen.at(-1)).toMatchObject({
        gap: null,
        lamp: { id: `${street.name}-5`, colour: `colour ${street.name}-5` },
      });
      first();
      await street.change(6, 7);
      const second = client.subscribe({ street: street.name, after: street.cursor() }, sink);
      await street.until(7);
      await street.change(8);
      await street.until(8);
      second();
      expect(street.ids()).toEqual(range(1, 8).map(String));
      expect(problems).toEqual([]);
    });

    it('is let go of at the gateway when the client unsubscribes', async () => {
      const street = openStreet(lamps);
      const unsubscribe = client.subscribe(
        { street: street.name },
        { next: (data) => street.take(data?.lampChanged), fail: () => undefined, complete: () => undefined },
      );
      await street.untilLive();
      unsubscribe();
      await waitFor('nobody to listen', async () => {
        const metrics = await (await fetch(new URL('/metrics', gateway.graphql))).text();
        return /^weft_subscriptions 0$/m.test(metrics);
      });
    });

    it('tells the client of an error', async () => {
      const told = Promise.withResolvers<unknown>();
      client.subscribe(
        { street: 'any', after: 'garbage' },
        { next: told.resolve, fail: told.resolve, complete: () => told.resolve(undefined) },
      );
      // Of a refusal over HTTP some libraries tell the status alone.
      expect(inspect(await told.promise, { depth: 10 })).toMatch(/INVALID_CURSOR|\b400\b/);
    });
  });
}
