// Looks whether live subgraphs still serve what the registry's graph was composed of. Not at the start, and nothing waits for it.
import type { AddressGuard } from '@weft/core/address-guard';
import { delay } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { Agent } from 'undici';
import { guardAddress } from '../fetch/guarded-address.ts';
import { createSubgraphSigner, REQUEST_TYPE } from '../fetch/signing.ts';
import { isInternal } from '../fetch/subgraph-client.ts';
import type { WholeSupergraph } from './disk-copy.ts';
import type { RegistryClient } from './registry-client.ts';
import { type ComposedOf, differencesOf, readComposedOf } from './sdl-difference.ts';
import { readPayload } from './signed-supergraph.ts';

export interface DriftLimits {
  /** From one look at all systems to the next: what differs is found within two of them. */
  readonly lookMs: number;
  /** One question to one system. */
  readonly requestTimeoutMs: number;
  /** Systems that are asked at once. */
  readonly concurrencyMax: number;
  /** Of one SDL, as it comes. */
  readonly sdlBytesMax: number;
}

export const DRIFT_LIMITS: DriftLimits = Object.freeze({
  lookMs: 20_000,
  requestTimeoutMs: 5_000,
  concurrencyMax: 4,
  sdlBytesMax: 2_000_000,
});

export interface DriftWatch {
  /** Systems whose live SDL differs, and in what. */
  readonly differing: ReadonlyMap<string, readonly string[]>;
  begin(): void;
  close(): Promise<void>;
}

export interface DriftOptions {
  /** As the registry signed it, of the graph that is served; undefined: nothing to compare with. */
  graph(): WholeSupergraph | undefined;
  readonly client: Pick<RegistryClient, 'ask'>;
  readonly subgraphKeys: readonly SubgraphKey[] | undefined;
  readonly addressGuard: AddressGuard;
  readonly logger: Logger;
  readonly limits?: Partial<DriftLimits> | undefined;
}

const SDL_QUERY = JSON.stringify({ query: '{ _service { sdl } }' });
const MUTATION = `mutation GatewayDrift($system: ID!, $differences: [String!]!, $at: DateTime!) {
  recordDrift(system: $system, differences: $differences, at: $at)
}`;

interface Looked {
  readonly hash: string;
  readonly composed: ComposedOf;
  readonly urls: Readonly<Record<string, string>>;
}

export function createDriftWatch(options: DriftOptions): DriftWatch {
  const { logger } = options;
  const limits = { ...DRIFT_LIMITS, ...options.limits };
  const closing = new AbortController();
  const differing = new Map<string, readonly string[]>();
  /** What the registry has not heard of: it is told again after the next look. */
  const untold = new Set<string>();
  let looked: Looked | undefined;
  let running: Promise<void> = Promise.resolve();

  async function lookAtAll(): Promise<void> {
    const signed = options.graph();
    if (signed === undefined) return;
    if (looked?.hash !== signed.hash) looked = readGraph(signed);
    const { urls, composed } = looked;
    const pending = Object.entries(urls).filter(([, url]) => !isInternal(url));
    for (const name of differing.keys()) if (urls[name] === undefined) differing.delete(name);
    const worker = async () => {
      for (let next = pending.shift(); next !== undefined; next = pending.shift())
        await look(composed, ...next);
    };
    await Promise.all(Array.from({ length: limits.concurrencyMax }, worker));
  }

  async function look(composed: ComposedOf, name: string, url: string): Promise<void> {
    const sdl = await askSdl(options, limits, closing.signal, name, url);
    // One that does not answer, or not with SDL, is another matter: its calls say so.
    if (sdl === undefined || closing.signal.aborted) return;
    const differences = compare(composed, name, sdl);
    const before = differing.get(name) ?? [];
    const isNews = differences.join('\n') !== before.join('\n');
    if (isNews) note(name, differences);
    if (!isNews && !untold.has(name)) return;
    if (await tellRegistry(options, limits, name, differences)) untold.delete(name);
    else untold.add(name);
  }

  function note(name: string, differences: readonly string[]): void {
    if (differences.length === 0) {
      differing.delete(name);
      logger.info({ system: name }, 'a subgraph serves what is registered again');
    } else {
      differing.set(name, differences);
      logger.warn({ system: name, differences }, 'a subgraph serves another schema than is registered');
    }
  }

  async function run(): Promise<void> {
    for (;;) {
      await delay(limits.lookMs, closing.signal, true).catch(() => undefined);
      if (closing.signal.aborted) return;
      await lookAtAll().catch((err: unknown) => logger.error({ err }, 'subgraphs could not be looked at'));
    }
  }
  return {
    differing,
    begin() {
      running = run();
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

/** Whether it has taken it. */
async function tellRegistry(
  { client, logger }: DriftOptions,
  { requestTimeoutMs }: DriftLimits,
  system: string,
  differences: readonly string[],
): Promise<boolean> {
  const variables = { system, differences, at: new Date().toISOString() };
  try {
    await client.ask(MUTATION, variables, AbortSignal.timeout(requestTimeoutMs));
    return true;
  } catch (err) {
    logger.debug({ err, system }, 'the registry was not told of a difference: metrics and log say it');
    return false;
  }
}

function readGraph({ payload, hash }: WholeSupergraph): Looked {
  const { supergraphSdl, subgraphUrls } = readPayload(payload, hash);
  return { hash, composed: readComposedOf(supergraphSdl), urls: subgraphUrls };
}

function compare(composed: ComposedOf, name: string, sdl: string): readonly string[] {
  try {
    return differencesOf(composed, name, sdl);
  } catch {
    return ['what it serves is no SDL'];
  }
}

/** Undefined when it does not answer with an SDL. On a connection of its own: its queries, breaker and budget are not touched. */
async function askSdl(
  { subgraphKeys, addressGuard }: DriftOptions,
  limits: DriftLimits,
  closing: AbortSignal,
  name: string,
  address: string,
): Promise<string | undefined> {
  const { lookup, refusal } = guardAddress(addressGuard, name, address);
  if (refusal !== undefined) return undefined;
  const url = new URL(address);
  const body = Buffer.from(SDL_QUERY);
  const signer = createSubgraphSigner(name, url, subgraphKeys);
  const headers = ['content-type', REQUEST_TYPE, 'accept', 'application/json'];
  const signed = signer === undefined ? headers : headers.concat(signer.sign(body, undefined));
  const signal = AbortSignal.any([closing, AbortSignal.timeout(limits.requestTimeoutMs)]);
  const agent = new Agent({ connect: { ...(lookup && { lookup }) }, maxResponseSize: limits.sdlBytesMax });
  try {
    const path = `${url.pathname}${url.search}`;
    const request = { origin: url.origin, path, method: 'POST' as const, headers: signed, body, signal };
    const response = await agent.request(request);
    const answer = (await response.body.json()) as {
      readonly data?: { readonly _service?: { readonly sdl?: unknown } };
    };
    const sdl = answer.data?._service?.sdl;
    return typeof sdl === 'string' ? sdl : undefined;
  } catch {
    // Down, slow, refused by the guard, or no JSON: as told above.
    return undefined;
  } finally {
    await agent.destroy();
  }
}
