// A listener that keeps what it is told, and waits for it with a deadline.
import type { HubError } from '@weft/core/errors';
import type { PrimaryResult } from '@weft/gateway/engine';
import type { UpstreamRequest } from '@weft/gateway/upstream/channel';
import type { UpstreamListener } from '@weft/gateway/upstream/subscriptions';

export type Told =
  | { readonly kind: 'result'; readonly result: PrimaryResult }
  | { readonly kind: 'gap'; readonly reason: string }
  | { readonly kind: 'end'; readonly error: HubError | undefined };

export interface Recorder extends UpstreamListener {
  readonly all: Told[];
  /** The next that was not taken yet. */
  next(timeoutMs?: number): Promise<Told>;
  /** Data of the next, which must be a result without errors. */
  nextData(timeoutMs?: number): Promise<unknown>;
  nextGap(timeoutMs?: number): Promise<string>;
  nextEnd(timeoutMs?: number): Promise<HubError | undefined>;
}

const TOLD_MS_MAX = 10_000;

export function createRecorder(): Recorder {
  const all: Told[] = [];
  let taken = 0;
  let wake: () => void = () => undefined;
  const tell = (told: Told) => {
    all.push(told);
    wake();
  };
  const next = async (timeoutMs = TOLD_MS_MAX): Promise<Told> => {
    const deadline = performance.now() + timeoutMs;
    while (all.length <= taken) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`waited ${timeoutMs} ms in vain, after ${JSON.stringify(all)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    taken += 1;
    return all[taken - 1] as Told;
  };
  return {
    all,
    next,
    async nextData(timeoutMs) {
      const told = await next(timeoutMs);
      if (told.kind !== 'result' || told.result.errors.length > 0) throw unexpected('data', told);
      return told.result.data;
    },
    async nextGap(timeoutMs) {
      const told = await next(timeoutMs);
      if (told.kind !== 'gap') throw unexpected('a gap', told);
      return told.reason;
    },
    async nextEnd(timeoutMs) {
      const told = await next(timeoutMs);
      if (told.kind !== 'end') throw unexpected('the end', told);
      return told.error;
    },
    onResult: (result) => tell({ kind: 'result', result }),
    onGap: (reason) => tell({ kind: 'gap', reason }),
    onEnd: (error) => tell({ kind: 'end', error }),
  };
}

function unexpected(what: string, told: Told): Error {
  return new Error(`expected ${what}, got ${JSON.stringify(told)}`);
}

/** A request of the anonymous for `subscription { changed { id n } }`, but for what is given. */
export function requestTo(url: string, given: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    system: 'traffic',
    url,
    protocol: 'graphql-transport-ws',
    document: 'subscription { changed { id n } }',
    operationName: undefined,
    variables: {},
    authority: { roles: [], scopes: [] },
    headers: [],
    ...given,
  };
}
