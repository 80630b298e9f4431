// A patrol of a grid worker, decoded from what the grid's control is given.
import { parseTimeMs } from '../local-time.ts';

export interface NewPatrol {
  readonly gridCode: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly metres: number;
}

const METRES_MAX = 1_000_000;

/** Reads one patrol of `POST /_control/patrols`; throws TypeError naming the field. */
export function decodePatrol(value: unknown): NewPatrol {
  if (typeof value !== 'object' || value === null) throw new TypeError('patrol: expected an object');
  const given = value as Readonly<Record<string, unknown>>;
  const { gridCode, metres } = given;
  if (typeof gridCode !== 'string') throw new TypeError('gridCode: missing or not readable');
  const startedAtMs = readTimeMs(given, 'startedAt');
  const endedAtMs = readTimeMs(given, 'endedAt');
  if (endedAtMs < startedAtMs) throw new TypeError('endedAt: before startedAt');
  if (typeof metres !== 'number' || !Number.isInteger(metres) || metres < 0 || metres > METRES_MAX)
    throw new TypeError(`metres: expected a whole number from 0 to ${METRES_MAX}`);
  return { gridCode, startedAtMs, endedAtMs, metres };
}

function readTimeMs(given: Readonly<Record<string, unknown>>, name: string): number {
  const value = given[name];
  const timeMs = typeof value === 'string' ? parseTimeMs(value) : undefined;
  if (timeMs === undefined) throw new TypeError(`${name}: missing or not readable`);
  return timeMs;
}
