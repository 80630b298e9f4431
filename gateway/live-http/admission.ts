// How many streams one client, and all of them, may hold open at once.
import { HubError } from '@weft/core/errors';
import type { Principal } from '../identity/principal.ts';
import type { LiveHttpLimits } from './limits.ts';

export interface Admission {
  /**
   * Counts one stream more.
   * @param address of the client's socket
   * @returns to be called once, at its end
   * @throws HubError RATE_LIMITED naming the limit
   */
  enter(principal: Principal, address: string): () => void;
  readonly streams: number;
}

type Limits = Pick<LiveHttpLimits, 'streamsMax' | 'streamsPerPrincipalMax' | 'streamsPerAddressMax'>;

/** The anonymous are many people: they are counted by their addresses alone. */
export function createAdmission(limits: Limits): Admission {
  const byPrincipal = new Map<string, number>();
  const byAddress = new Map<string, number>();
  let streams = 0;
  return {
    enter(principal, address) {
      const id = principal.isAuthenticated ? principal.id : undefined;
      requireRoom('streamsMax', streams, limits.streamsMax);
      requireRoom('streamsPerAddressMax', byAddress.get(address), limits.streamsPerAddressMax);
      if (id !== undefined)
        requireRoom('streamsPerPrincipalMax', byPrincipal.get(id), limits.streamsPerPrincipalMax);
      streams += 1;
      add(byAddress, address, 1);
      if (id !== undefined) add(byPrincipal, id, 1);
      return () => {
        streams -= 1;
        add(byAddress, address, -1);
        if (id !== undefined) add(byPrincipal, id, -1);
      };
    },
    get streams() {
      return streams;
    },
  };
}

function requireRoom(limit: keyof Limits, open = 0, max: number): void {
  if (max === 0 || open < max) return;
  const whose = {
    streamsMax: 'the gateway',
    streamsPerPrincipalMax: 'you',
    streamsPerAddressMax: 'your address',
  };
  const message = `There are ${open} open streams of ${whose[limit]}, and no more are taken.`;
  throw new HubError('RATE_LIMITED', message, { details: { limit, max } });
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
