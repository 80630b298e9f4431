// What the gateway keeps for one subgraph: its sockets, its door, its breaker and its budget, none shared with another.
import { OperatorError } from '@weft/core/errors';
import type { Logger } from '@weft/core/logger';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { Pool } from 'undici';
import type { EngineLimits } from '../limits.ts';
import type { EngineMeter } from '../observe/meter.ts';
import { type Admission, createAdmission } from './admission.ts';
import { type Breaker, createBreaker } from './breaker.ts';
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
}

/** @throws OperatorError for an address that is not HTTP */
export function openSystem(
  name: string,
  address: string,
  limits: EngineLimits,
  { subgraphKeys, keepsBackOwnWords = false, logger, meter }: SystemOptions,
): System {
  const url = parseUrl(name, address);
  return {
    name,
    limits,
    hidesUncoded: keepsBackOwnWords,
    meter,
    path: `${url.pathname}${url.search}`,
    origin: url.origin,
    pool: openPool(url.origin, limits),
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

function openPool(origin: string, limits: EngineLimits): Pool {
  return new Pool(origin, {
    connections: limits.subgraphConnectionsMax,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: limits.subgraphConnectTimeoutMs },
    keepAliveTimeout: limits.subgraphKeepAliveMs,
    // Each call has one timer of its own over all of its phases, which ends the socket: undici's would say it twice.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
