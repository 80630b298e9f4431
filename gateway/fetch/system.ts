// What the gateway keeps for one subgraph: its sockets, its door, its breaker and its budget, none shared with another.
import type { LookupFunction } from 'node:net';
import type { AddressGuard } from '@weft/core/address-guard';
import { type HubError, OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { Pool } from 'undici';
import type { EngineLimits } from '../limits.ts';
import type { EngineMeter } from '../observe/meter.ts';
import { type Admission, createAdmission } from './admission.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import { guardAddress } from './guarded-address.ts';
import { createRetryBudget, type RetryBudget } from './retry-budget.ts';
import { createSubgraphSigner, type SubgraphSigner } from './signing.ts';

export interface System {
  readonly name: string;
  readonly limits: EngineLimits;
  /** Told of every call. */
  readonly meter: EngineMeter | undefined;
  /** Path and query of its URL. */
  readonly path: string;
  readonly origin: string;
  readonly pool: Pool;
  /** Why it is not asked at all; undefined: it is. */
  readonly refusal: HubError | undefined;
  readonly admission: Admission;
  readonly breaker: Breaker;
  readonly budget: RetryBudget;
  /** Undefined: no key is for it, and nothing is signed. */
  readonly signer: SubgraphSigner | undefined;
  /** Whether messages of errors without a code of ours are logged and not told. */
  readonly hidesUncoded: boolean;
}

export interface SystemOptions {
  readonly subgraphKeys?: readonly SubgraphKey[] | undefined;
  readonly logger?: Logger | undefined;
  readonly meter?: EngineMeter | undefined;
  /** Whether messages of errors without a code of ours are logged and not told. */
  readonly keepsBackOwnWords?: boolean | undefined;
  /** For addresses that others registered; undefined: an operator wrote them, and none is refused. */
  readonly addressGuard?: AddressGuard | undefined;
  /** `subgraphTimeoutMs` of those that have another, by name. */
  readonly subgraphTimeouts?: ReadonlyMap<string, number> | undefined;
}

/** @throws OperatorError for an address that is not HTTP */
export function openSystem(
  name: string,
  address: string,
  common: EngineLimits,
  { subgraphKeys, keepsBackOwnWords = false, logger, meter, addressGuard, subgraphTimeouts }: SystemOptions,
): System {
  const subgraphTimeoutMs = subgraphTimeouts?.get(name) ?? common.subgraphTimeoutMs;
  const limits = { ...common, subgraphTimeoutMs };
  const url = parseUrl(name, address);
  const { lookup, refusal } = guardAddress(addressGuard, name, url.href);
  if (refusal !== undefined)
    logger?.warn({ system: name, err: refusal.cause }, 'a subgraph has an address that is not asked');
  return {
    name,
    limits,
    hidesUncoded: keepsBackOwnWords,
    meter,
    path: `${url.pathname}${url.search}`,
    origin: url.origin,
    pool: openPool(url.origin, limits, lookup),
    refusal,
    admission: createAdmission(limits.subgraphConnectionsMax, limits.subgraphRequestsMax),
    breaker: createBreaker({
      failuresMax: limits.breakerFailuresMax,
      probeIntervalMs: limits.breakerProbeIntervalMs,
      onChange: (state) => {
        if (state === 'OPEN') logger?.warn({ system: name }, 'a subgraph fails: it is only probed');
        if (state === 'CLOSED') logger?.info({ system: name }, 'a subgraph answers again');
      },
    }),
    budget: createRetryBudget({
      ratio: limits.retryRatioMax,
      reserve: limits.retryReserve,
      retriesMax: limits.retryBudgetMax,
    }),
    signer: createSubgraphSigner(name, url, subgraphKeys),
  };
}

function parseUrl(name: string, address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new OperatorError(
    `the address of subgraph ${name} is ${JSON.stringify(address)}: expected http:// or https://`,
    { exitCode: 2 },
  );
}

function openPool(origin: string, limits: EngineLimits, lookup: LookupFunction | undefined): Pool {
  return new Pool(origin, {
    connections: limits.subgraphConnectionsMax,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: limits.subgraphConnectTimeoutMs, ...(lookup && { lookup }) },
    keepAliveTimeout: limits.subgraphKeepAliveMs,
    // Each call has one timer of its own over all of its phases, which ends the socket: undici's would say it twice.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
