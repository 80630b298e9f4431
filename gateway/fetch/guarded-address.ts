// Addresses that others registered: checked before a system is asked there, and again at each connection, where its name may have moved.
import type { LookupFunction } from 'node:net';
import type { AddressGuard } from '@weft/core/address-guard';
import { HubError } from '@weft/core/errors';

export interface GuardedAddress {
  /** For `connect`; undefined of an address that an operator wrote, which nobody checks. */
  readonly lookup: LookupFunction | undefined;
  /** Why the system is not asked there at all. */
  readonly refusal: HubError | undefined;
}

const UNGUARDED: GuardedAddress = Object.freeze({ lookup: undefined, refusal: undefined });

/**
 * @param guard undefined: the address is an operator's own
 * @param url of http, https, ws or wss
 */
export function guardAddress(guard: AddressGuard | undefined, system: string, url: string): GuardedAddress {
  if (guard === undefined) return UNGUARDED;
  try {
    // A guard knows http alone; a WebSocket begins as it.
    const checked = guard.requireUrl(url.replace(/^ws/, 'http'));
    return { lookup: guard.lookupFor(checked), refusal: undefined };
  } catch (thrown) {
    return { lookup: undefined, refusal: addressRefused(system, thrown) };
  }
}

/** A name that has moved to where the hub must not ask: what a connection failed with; undefined of any other failure. */
export function refusedAtConnect(system: string, cause: unknown): HubError | undefined {
  return cause instanceof HubError && cause.code === 'INVALID_URL'
    ? addressRefused(system, cause)
    : undefined;
}

/** Which address it is, the log says: a client may not look around behind the hub. */
function addressRefused(system: string, cause: unknown): HubError {
  return new HubError('INVALID_URL', `${system} has an address that is not asked`, {
    system,
    retryable: false,
    hadNoEffect: true,
    cause,
  });
}
