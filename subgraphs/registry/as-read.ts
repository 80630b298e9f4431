// A system as it is shown: nobody's silence counts as a sign of health.
import type { System } from './generated/client.ts';

/** Owned subgraphs tell every 10 s, connectors at least every 20 s: whoever is silent for so long tells no more. */
const TOLD_FOR_MS = 60_000;

/**
 * The stored row while somebody tells of the system; UNKNOWN once nobody has for 60 s, since when, and why.
 * `lastSeen` stays what it was told to be.
 * @param leasedUntil of one that its department runs: its word holds for so long
 */
export function asRead(system: System, now: Date, leasedUntil?: Date | undefined): System {
  const toldUntil = Math.max(system.toldAt.getTime() + TOLD_FOR_MS, leasedUntil?.getTime() ?? 0);
  if (now.getTime() <= toldUntil) return system;
  const silentMs = now.getTime() - system.toldAt.getTime();
  return {
    ...system,
    state: 'UNKNOWN',
    reason: `nobody has told of it for ${Math.floor(silentMs / 1_000)} s`,
    since: new Date(toldUntil),
  };
}
