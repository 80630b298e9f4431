// A system as it is shown: nobody's silence counts as a sign of health.
import type { System } from './generated/client.ts';

/** Owned subgraphs tell every 10 s, connectors at least every 20 s: whoever is silent for so long tells no more. */
const TOLD_FOR_MS = 60_000;

/**
 * The stored row while somebody tells of the system; UNKNOWN once nobody has for 60 s, since when, and why.
 * `lastSeen` stays what it was told to be.
 */
export function asRead(system: System, now: Date): System {
  const silentMs = now.getTime() - system.toldAt.getTime();
  if (silentMs <= TOLD_FOR_MS) return system;
  return {
    ...system,
    state: 'UNKNOWN',
    reason: `nobody has told of it for ${Math.floor(silentMs / 1_000)} s`,
    since: new Date(system.toldAt.getTime() + TOLD_FOR_MS),
  };
}
