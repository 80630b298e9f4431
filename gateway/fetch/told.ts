// Decodes what a subgraph tells beside its answer: how old parts of it are, and where they came from.
import { TOLD_MAX } from '@weft/core/telling';
import { isInternal } from './internals.ts';

export type FreshnessState = 'FRESH' | 'CACHED' | 'STALE';

/** One part of an answer. */
export type ToldEntry =
  | {
      readonly kind: 'freshness';
      readonly system: string;
      readonly state: FreshnessState;
      /** RFC 3339. */
      readonly observedAt: string;
      readonly ageMs: number;
      /** Why it is stale: an error's code, or the gate that was shut. */
      readonly reason: string | undefined;
    }
  | {
      readonly kind: 'provenance';
      readonly system: string;
      readonly source: string;
      readonly recordKey: string | null;
      readonly observedAt: string;
    };

export interface ToldPart {
  /** In the subgraph's answer. */
  readonly path: readonly (string | number)[];
  readonly entry: ToldEntry;
}

export interface Told {
  readonly parts: readonly ToldPart[];
  /** Whether there is more that is not told. */
  readonly isTruncated: boolean;
}

const TEXT_CHARS_MAX = 200;
const STATES: ReadonlySet<unknown> = new Set<FreshnessState>(['FRESH', 'CACHED', 'STALE']);

/**
 * Undefined when nothing is told. Whatever has not the shape is left out.
 * @param extensions of the subgraph's answer
 * @param pathMax segments of a path
 */
export function decodeTold(system: string, extensions: unknown, pathMax: number): Told | undefined {
  const weft = isObject(extensions) && Object.hasOwn(extensions, 'weft') ? extensions.weft : undefined;
  if (!isObject(weft)) return undefined;
  const freshness = listOf(weft.freshness);
  const provenance = listOf(weft.provenance);
  const parts = [
    // A subgraph tells so many of each count at the most.
    ...freshness.slice(0, 2 * TOLD_MAX).flatMap((each) => part(each, pathMax, decodeFreshness(system, each))),
    ...provenance
      .slice(0, 2 * TOLD_MAX)
      .flatMap((each) => part(each, pathMax, decodeProvenance(system, each))),
  ];
  const isTruncated =
    weft.truncated === true || freshness.length > 2 * TOLD_MAX || provenance.length > 2 * TOLD_MAX;
  return parts.length === 0 && !isTruncated ? undefined : { parts, isTruncated };
}

function part(
  { path }: Readonly<Record<string, unknown>>,
  pathMax: number,
  entry: ToldEntry | undefined,
): readonly ToldPart[] {
  const isPath =
    Array.isArray(path) &&
    path.length > 0 &&
    path.length <= pathMax &&
    path.every((segment) => typeof segment === 'string' || typeof segment === 'number');
  return isPath && entry !== undefined ? [{ path: path as readonly (string | number)[], entry }] : [];
}

function decodeFreshness(system: string, each: Readonly<Record<string, unknown>>): ToldEntry | undefined {
  const { state, observedAt, ageMs, reason } = each;
  if (!STATES.has(state) || !isTime(observedAt) || typeof ageMs !== 'number') return undefined;
  return {
    kind: 'freshness',
    system,
    state: state as FreshnessState,
    observedAt,
    ageMs,
    reason: isShort(reason) ? reason : undefined,
  };
}

function decodeProvenance(system: string, each: Readonly<Record<string, unknown>>): ToldEntry | undefined {
  const { source, recordKey, observedAt } = each;
  if (!isShort(source) || !isTime(observedAt)) return undefined;
  return {
    kind: 'provenance',
    system,
    source,
    recordKey: isShort(recordKey) ? recordKey : null,
    observedAt,
  };
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TEXT_CHARS_MAX && !isInternal(value);
}

function isTime(value: unknown): value is string {
  return isShort(value) && !Number.isNaN(Date.parse(value));
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
