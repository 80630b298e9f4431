// The registry as the source of graphs: asked at events and in turn, believed by signature, its last good graph on the disk.
import { deadlineSignal, delay } from '@weft/core/deadline';
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import { createOutageLog } from '@weft/core/outage-log';
import { type LoadedSupergraph, loadedFrom } from '../load-supergraph.ts';
import type { FirstGraph, GraphSource } from '../reload/graph-source.ts';
import type { ReloadOutcome } from '../reload/reloader.ts';
import { createBackOff } from '../upstream/back-off.ts';
import { createDiskCopy, type DiskCopy, type WholeSupergraph } from './disk-copy.ts';
import { REGISTRY_LIMITS, type RegistryLimits } from './limits.ts';
import type { RegistryClient } from './registry-client.ts';
import type { RegistrySettings } from './settings.ts';
import { readPayload, type SignedSupergraph, verifySignature } from './signed-supergraph.ts';

export interface RegistrySource extends GraphSource {
  /** What is served, as it was signed; undefined while that is one of the files. */
  readonly graph: WholeSupergraph | undefined;
  /** There may be another graph: asks now rather than in its turn. */
  poke(): void;
}

export interface RegistrySourceOptions {
  readonly settings: RegistrySettings;
  readonly client: RegistryClient;
  readonly logger: Logger;
  readonly limits?: Partial<RegistryLimits> | undefined;
  /** Tried last at the start; undefined: none are set. */
  readonly files: FirstGraph | undefined;
}

export function createRegistrySource(options: RegistrySourceOptions): RegistrySource {
  return new Source(options);
}

type Standing = Pick<SignedSupergraph, 'publication' | 'hash'>;

interface Refused {
  readonly hash: string;
  readonly atMs: number;
}

class Source implements RegistrySource {
  readonly firsts: readonly FirstGraph[];
  readonly #options: RegistrySourceOptions;
  readonly #limits: RegistryLimits;
  readonly #copy: DiskCopy | undefined;
  readonly #closing = new AbortController();
  readonly #startedAt = new Date();
  /** What is served, when it is the registry's. */
  #served: Standing | undefined;
  #graph: WholeSupergraph | undefined;
  /** What came and could not be served. */
  #refused: Refused | undefined;
  /** Whether the last that was loaded was refused, for whatever reason. */
  #isRefusing = false;
  /** When it last answered, and what it said held. */
  #answeredAt: Date | undefined;
  /** The same, once what it said has been looked at: until then what is served may be an older one. */
  #reachedAt: Date | undefined;
  /** What the loop was told, for the reload that it causes. */
  #asked: Answered | undefined;
  #wake: (() => void) | undefined;
  #isPoked = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: RegistrySourceOptions) {
    this.#options = options;
    this.#limits = { ...REGISTRY_LIMITS, ...options.limits };
    const { cacheFolder, variant, url } = options.settings;
    const { answerBytesMax, startTimeoutMs } = this.#limits;
    if (cacheFolder !== undefined) this.#copy = createDiskCopy(cacheFolder, variant, answerBytesMax);
    this.firsts = [
      ...(this.#copy === undefined ? [] : [{ place: this.#copy.file, load: () => this.#fromDisk() }]),
      { place: url, load: () => this.#ask(startTimeoutMs) },
      ...(options.files === undefined ? [] : [options.files]),
    ];
  }

  get graph(): WholeSupergraph | undefined {
    return this.#graph;
  }

  get publication(): number | undefined {
    return this.#served?.publication;
  }

  async load(): Promise<LoadedSupergraph | undefined> {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked === undefined) return this.#ask(this.#limits.requestTimeoutMs);
    if ('error' in asked) throw asked.error;
    return asked.kind === 'graph' ? asked.loaded : undefined;
  }

  begin(reload: () => Promise<ReloadOutcome>): void {
    this.#loop = this.#run(reload);
  }

  async concluded(loaded: LoadedSupergraph | undefined, outcome: ReloadOutcome): Promise<void> {
    this.#isRefusing = outcome.kind === 'refused';
    this.#reachedAt = this.#answeredAt;
    const signed = loaded?.registered;
    if (signed === undefined) return;
    if (outcome.kind === 'refused') {
      this.#refused = { hash: signed.hash, atMs: performance.now() };
      return;
    }
    this.#refused = undefined;
    this.#served = { publication: signed.publication, hash: signed.hash };
    this.#graph = signed;
    await this.#keep(signed);
  }

  staleness(): string | undefined {
    const since = this.#reachedAt ?? this.#startedAt;
    const isUnreached = Date.now() - since.getTime() >= this.#limits.staleAfterMs;
    if (this.#reachedAt !== undefined && !isUnreached) return undefined;
    const from =
      this.#served === undefined
        ? 'from the files of the settings'
        : `publication ${this.#served.publication}`;
    return `graph: stale since ${since.toISOString()}: the registry does not answer (${from})`;
  }

  poke(): void {
    this.#isPoked = true;
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake?.();
    await this.#loop;
  }

  /** One question at a time; what comes of it decides when the next one is due. */
  async #run(reload: () => Promise<ReloadOutcome>): Promise<void> {
    const { signal } = this.#closing;
    const { pollMs } = this.#limits;
    const outage = createOutageLog(this.#options.logger);
    const backOff = createBackOff({ ...this.#limits, stableMs: 0 });
    // A graph of the registry itself is as new as can be; any other is to be confirmed at once.
    let waitMs = this.#reachedAt === undefined || this.#served === undefined ? 0 : pollMs;
    for (;;) {
      await this.#pause(waitMs);
      if (signal.aborted) return;
      const answered = await this.#askSafely();
      if (signal.aborted) return;
      if (answered.kind === 'away') {
        outage.failed({ reason: answered.error.message }, 'the registry gives no graph: it is asked again');
        waitMs = backOff.nextDelayMs();
        continue;
      }
      outage.over();
      backOff.established();
      waitMs = pollMs;
      if (!this.#isNews(answered)) continue;
      this.#asked = answered;
      await reload();
    }
  }

  /** Whether it changes anything, be it only what `/health/ready` tells. */
  #isNews(answered: Answered): boolean {
    if (answered.kind === 'graph') return true;
    if (answered.kind === 'same') return this.#isRefusing && this.#refused === undefined;
    return !this.#isRefusing;
  }

  async #askSafely(): Promise<Answered> {
    try {
      const loaded = await this.#ask(this.#limits.requestTimeoutMs);
      return loaded === undefined ? { kind: 'same' } : { kind: 'graph', loaded };
    } catch (thrown) {
      if (thrown instanceof NotBelieved) return { kind: 'refused', error: thrown };
      if (thrown instanceof OperatorError) return { kind: 'away', error: thrown };
      this.#options.logger.error({ err: thrown }, 'the registry could not be asked');
      return { kind: 'away', error: new OperatorError('internal error: see the log', { cause: thrown }) };
    }
  }

  /** Resolves early when it is poked or closed. */
  async #pause(waitMs: number): Promise<void> {
    if (this.#isPoked || waitMs === 0) {
      this.#isPoked = false;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await Promise.race([promise, delay(waitMs, this.#closing.signal, true).catch(() => undefined)]);
    this.#wake = undefined;
    this.#isPoked = false;
  }

  /** Undefined when it is what is served, or what was refused a short while ago. */
  async #ask(timeoutMs: number): Promise<LoadedSupergraph | undefined> {
    const { client, settings } = this.#options;
    if (this.#refused !== undefined && performance.now() - this.#refused.atMs > this.#limits.refusedRetryMs)
      this.#refused = undefined;
    const have = this.#refused?.hash ?? this.#served?.hash;
    const signal = deadlineSignal(timeoutMs, this.#closing.signal);
    const signed = await client.supergraph(settings.variant, have, signal);
    const loaded = believing(() => this.#read(signed, have));
    this.#answeredAt = new Date();
    if (loaded === undefined) this.#reachedAt = this.#answeredAt;
    if (loaded === undefined && signed.hash === this.#served?.hash) await this.#moveTo(signed);
    return loaded;
  }

  #read(signed: SignedSupergraph, have: string | undefined): LoadedSupergraph | undefined {
    const { publicKeys, variant } = this.#options.settings;
    verifySignature(signed, variant, publicKeys);
    const { publication, hash, payload } = signed;
    const served = this.#served;
    if (served !== undefined && publication < served.publication)
      throw new OperatorError(`publication ${publication} is below ${served.publication}, which is served`);
    if (served !== undefined && publication === served.publication && hash !== served.hash)
      throw new OperatorError(
        `publication ${publication} is another graph than the one that is served by that number`,
      );
    if (payload === null) {
      if (hash === have) return undefined;
      throw new OperatorError(`publication ${publication} comes without its graph`);
    }
    return loadedFrom(readPayload(payload, hash), this.#options.settings.url, { ...signed, payload });
  }

  async #fromDisk(): Promise<LoadedSupergraph | undefined> {
    const { publicKeys, variant } = this.#options.settings;
    const signed = await this.#copy?.read();
    if (signed === undefined) return undefined;
    verifySignature(signed, variant, publicKeys);
    return loadedFrom(readPayload(signed.payload, signed.hash), this.#copy?.file ?? '', signed);
  }

  /** The same graph under a later number: an earlier one must not come after it. */
  async #moveTo(signed: SignedSupergraph): Promise<void> {
    if (this.#served === undefined || signed.publication === this.#served.publication) return;
    this.#served = { publication: signed.publication, hash: signed.hash };
    if (this.#graph === undefined) return;
    this.#graph = { ...signed, payload: this.#graph.payload };
    await this.#keep(this.#graph);
  }

  async #keep(signed: WholeSupergraph): Promise<void> {
    try {
      await this.#copy?.write(signed);
    } catch (thrown) {
      const { logger } = this.#options;
      logger.error(
        { err: thrown, file: this.#copy?.file },
        'the graph is not kept on the disk: a start without the registry would not have it',
      );
    }
  }
}

type Answered =
  | { readonly kind: 'same' }
  | { readonly kind: 'graph'; readonly loaded: LoadedSupergraph }
  | { readonly kind: 'refused' | 'away'; readonly error: OperatorError };

/** The registry has answered, and what it says does not hold. */
class NotBelieved extends OperatorError {}

function believing<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    throw new NotBelieved(`the graph of the registry: ${thrown.message}`, { cause: thrown });
  }
}
