// One upstream subscription and all who listen to it: decoded once, and told when it may have missed something.
import { HubError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { PrimaryResult } from '../engine.ts';
import { decodeErrors, decodeResult, type UpstreamError } from '../fetch/answer.ts';
import type { EngineLimits } from '../limits.ts';
import type { OpenChannel, UpstreamRequest } from './channel.ts';
import type { UpstreamLimits } from './limits.ts';
import type { UpstreamGap, UpstreamListener } from './subscriptions.ts';

export interface SharedSubscription {
  /** Who listens. */
  readonly listeners: number;
  /** @throws HubError LIMIT_EXCEEDED when it cannot be opened for its first listener */
  join(listener: UpstreamListener): () => void;
  /** Ends it now, and tells nobody. */
  close(): void;
}

export interface SharedOptions {
  readonly request: UpstreamRequest;
  readonly open: OpenChannel;
  readonly limits: Pick<UpstreamLimits, 'lingerMs'>;
  readonly engineLimits: EngineLimits;
  /** Whether messages of errors without a code of ours are logged and not told. */
  readonly hidesUncoded: boolean;
  readonly logger: Logger;
  /** Called once, when it is not to be joined any more. */
  onOver(): void;
}

export function createSharedSubscription(options: SharedOptions): SharedSubscription {
  return new Shared(options);
}

class Shared implements SharedSubscription {
  readonly #options: SharedOptions;
  readonly #listeners = new Set<UpstreamListener>();
  /** Ends it upstream; undefined before it was opened. */
  #leave: (() => void) | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  /** Listeners were told, and not yet that it is back. */
  #isLost = false;
  #isOver = false;

  constructor(options: SharedOptions) {
    this.#options = options;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  join(listener: UpstreamListener): () => void {
    clearTimeout(this.#lingerTimer);
    this.#open();
    // Another object for each: one listener may join twice.
    const own: UpstreamListener = {
      onResult: (result) => listener.onResult(result),
      onGap: (reason) => listener.onGap(reason),
      onEnd: (error) => listener.onEnd(error),
    };
    this.#listeners.add(own);
    // Who comes while it is lost must not believe that nothing happens.
    if (this.#isLost)
      setImmediate(() => {
        if (this.#isLost && this.#listeners.has(own)) own.onGap('UPSTREAM_LOST');
      });
    return () => this.#part(own);
  }

  close(): void {
    this.#listeners.clear();
    this.#end();
  }

  #open(): void {
    if (this.#leave !== undefined) return;
    const { request, open } = this.#options;
    try {
      this.#leave = open(request, {
        onEstablished: () => this.#established(),
        onResult: (payload) => this.#tell(this.#decode(payload)),
        onLost: (error) => this.#lost(error),
        onErrors: (errors) => this.#over(this.#errorFrom(errors)),
        onEnd: (error) => this.#over(error),
      });
    } catch (thrown) {
      this.#isOver = true;
      this.#options.onOver();
      throw thrown;
    }
  }

  #part(listener: UpstreamListener): void {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0 || this.#isOver) return;
    this.#lingerTimer = setTimeout(() => this.#end(), this.#options.limits.lingerMs);
    this.#lingerTimer.unref();
  }

  #established(): void {
    if (!this.#isLost) return;
    this.#isLost = false;
    const { system } = this.#options.request;
    this.#options.logger.info({ system }, 'a subscription of a subgraph is open again');
    this.#notify('UPSTREAM_RECONNECTED');
  }

  #lost(error: HubError): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const { system, code, cause, message } = error;
    const entry = { system, code, cause: cause === undefined ? undefined : String(cause) };
    this.#options.logger.warn(entry, `a subscription of a subgraph is lost and opened again: ${message}`);
    this.#notify('UPSTREAM_LOST');
  }

  #notify(reason: UpstreamGap): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener.onGap(reason);
  }

  #tell(result: PrimaryResult): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener.onResult(result);
  }

  /** A payload that cannot be used is an error in its place: the subscription goes on. */
  #decode(payload: unknown): PrimaryResult {
    const { request, engineLimits, hidesUncoded } = this.#options;
    try {
      return decodeResult(request.system, payload, engineLimits, hidesUncoded);
    } catch (thrown) {
      return { data: null, errors: [{ error: HubError.from(thrown, { system: request.system }) }] };
    }
  }

  #errorFrom(errors: readonly unknown[]): HubError {
    const { request, engineLimits, hidesUncoded, logger } = this.#options;
    const { system } = request;
    const [first]: readonly UpstreamError[] = decodeErrors(system, errors, engineLimits, hidesUncoded);
    if (first?.error.cause !== undefined)
      logger.warn({ system, cause: String(first.error.cause) }, 'a subgraph said what no client should read');
    return first?.error ?? new HubError('UPSTREAM_INVALID', `${system} ended the subscription`, { system });
  }

  #over(error: HubError | undefined): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    // What ended by itself is not left any more.
    this.#leave = () => undefined;
    this.#end();
    for (const listener of listeners) listener.onEnd(error);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#lingerTimer);
    this.#leave?.();
    this.#options.onOver();
  }
}
