// Asks subgraphs over HTTP: bounded, cancelled with its operation, shielded by breaker and budget, a HubError for whatever goes wrong.
import type { AddressGuard } from '@weft/core/address-guard';
import { invariant } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { ENGINE_LIMITS, type EngineLimits } from '../limits.ts';
import type { EngineMeter, EngineStatus } from '../observe/meter.ts';
import type { UpstreamAnswer } from './answer.ts';
import { callSystem, noteReceived, type Received } from './call.ts';
import { createHeaderPicker, type ForwardedHeaders } from './forwarded-headers.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import type { SubgraphRequest } from './request.ts';
import { openSystem, type System } from './system.ts';

export type { UpstreamAnswer, UpstreamError } from './answer.ts';
export type { FetchContext, SubgraphRequest } from './request.ts';

export interface SubgraphClient {
  /**
   * Sends one request and decodes its answer. The answer's `data` belongs to the caller alone, also when the fetch was shared.
   * @throws HubError, its system named: UPSTREAM_UNAVAILABLE (`details.breaker` is `OPEN` when it was not even asked),
   * INVALID_URL (an address that the guard refuses), UPSTREAM_INVALID, DEADLINE_EXCEEDED, CANCELLED, LIMIT_EXCEEDED (too many wait already), WRITE_UNKNOWN (mutations only)
   */
  send(request: SubgraphRequest): Promise<UpstreamAnswer>;
  /** The breaker of every subgraph as it stands. */
  breakers(): EngineStatus['breakers'];
  /** Breaks off what is under way, and frees every socket. */
  close(): Promise<void>;
}

export interface SubgraphClientOptions {
  /** Subgraph name to URL. */
  readonly urls: ReadonlyMap<string, string>;
  readonly limits?: Partial<EngineLimits> | undefined;
  /** Equal queries of equal authority that are under way at one moment are sent once. Off unless told. */
  readonly shareInFlight?: boolean | undefined;
  /** Names of client headers that are sent on to every subgraph. None unless told. */
  readonly forwardedHeaders?: readonly string[] | undefined;
  /** That requests are signed with; none unless told. */
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  /** Whether messages of errors without a code of ours are logged and not told. Off unless told. */
  readonly keepsBackOwnWords?: boolean | undefined;
  /** Told when a system's breaker opens and closes. */
  readonly logger?: Logger | undefined;
  readonly meter?: EngineMeter | undefined;
  /** For addresses that others registered; undefined: an operator wrote them, and none is refused. */
  readonly addressGuard?: AddressGuard | undefined;
  /** `subgraphTimeoutMs` of those that have another, by name. */
  readonly subgraphTimeouts?: ReadonlyMap<string, number> | undefined;
}

const INTERNAL = 'weft:';

/** Whether the gateway answers at this address itself, from the event log. */
export function isInternal(url: string): boolean {
  return url.startsWith(INTERNAL);
}

/** @throws OperatorError for an address that is not HTTP, or a header that may not be forwarded */
export function createSubgraphClient(options: SubgraphClientOptions): SubgraphClient {
  const limits = { ...ENGINE_LIMITS, ...options.limits };
  const systems = new Map<string, System>();
  const pickHeaders = createHeaderPicker(options.forwardedHeaders ?? []);
  for (const [name, url] of options.urls) {
    if (!isInternal(url)) systems.set(name, openSystem(name, url, limits, options));
  }
  const inFlight = options.shareInFlight === true ? createInFlight(limits) : undefined;
  return {
    send(request) {
      const system = systems.get(request.system);
      invariant(system !== undefined, `there is no subgraph ${request.system}`);
      const forwarded = pickHeaders(request.context.headers);
      return inFlight === undefined
        ? sendAlone(system, request, forwarded)
        : sendSharing(inFlight, system, request, forwarded);
    },
    breakers: () =>
      [...systems.values()].map(({ name, breaker }) => ({ system: name, state: breaker.state })),
    async close() {
      // Not a graceful end: it would wait for answers that nobody wants any more.
      await Promise.all([...systems.values()].map(({ pool }) => pool.destroy()));
    },
  };
}

function sendAlone(
  system: System,
  request: SubgraphRequest,
  forwarded: ForwardedHeaders,
): Promise<UpstreamAnswer> {
  return callSystem(system, request, forwarded, takeAnswer);
}

function takeAnswer(received: Received, request: SubgraphRequest): UpstreamAnswer {
  noteReceived(request, received);
  return received.answer;
}

async function sendSharing(
  inFlight: InFlight,
  system: System,
  request: SubgraphRequest,
  forwarded: ForwardedHeaders,
): Promise<UpstreamAnswer> {
  if (!request.isMutation) return inFlight.send(system, request, forwarded);
  try {
    return await sendAlone(system, request, forwarded);
  } finally {
    // Whoever reads after this write must not be given what was read before it.
    inFlight.startAnew();
  }
}
