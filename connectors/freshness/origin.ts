// What is known of how old the parts of an answer are, and where they came from.
import { type Telling, TOLD_MAX } from '@weft/core/telling';

/** FRESH: the source was asked for it; CACHED: it was young enough; STALE: the source could not be asked. */
export type FreshnessState = 'FRESH' | 'CACHED' | 'STALE';

export interface Origin {
  readonly source: string;
  /** The record's key at the source; undefined for what a call brings. */
  readonly recordKey: string | undefined;
  readonly state: FreshnessState;
  /** Milliseconds since 1970. */
  readonly observedAtMs: number;
  readonly ageMs: number;
  /** Why the source could not be asked: an error's code, or the gate that was shut. */
  readonly reason?: string | undefined;
}

/** One field of an answer on the way from the root, as graphql-js links them. */
export interface PathLink {
  readonly prev: PathLink | undefined;
  readonly key: string | number;
}

export interface Origins {
  /** Whether the origin of a part in this state is told at all: where not, there is nothing to set. */
  isTold(state: FreshnessState): boolean;
  /** Whether no origin is known of any part: then nothing that is noted tells anything. */
  isEmpty(): boolean;
  /** Remembers where an object or a list of this request came from. */
  set(part: object, origin: Origin): void;
  /** Notes that the part is in the answer, at this path. Without an origin nothing is noted. */
  note(path: PathLink | undefined, part: object | null | undefined): void;
  noteOrigin(path: PathLink, origin: Origin): void;
  /** `extensions.weft` of the answer; undefined when there is nothing to tell. */
  toExtensions(system: string): Readonly<Record<string, unknown>> | undefined;
}

export function createOrigins(telling: Telling): Origins {
  let known: WeakMap<object, Origin> | undefined;
  let noted: Map<PathLink, Origin> | undefined;
  let [stale, others] = [0, 0];
  let isTruncated = false;
  // Most answers are fresh, and most who ask do not want to know.
  const isTold = (state: FreshnessState) => state === 'STALE' || telling.freshness || telling.provenance;
  const noteOrigin = (path: PathLink, origin: Origin) => {
    const isStale = origin.state === 'STALE';
    if (!isTold(origin.state)) return;
    noted ??= new Map();
    if (noted.has(path)) return;
    if ((isStale ? stale : others) >= TOLD_MAX) {
      isTruncated = true;
      return;
    }
    if (isStale) stale += 1;
    else others += 1;
    noted.set(path, origin);
  };
  return {
    isTold,
    isEmpty: () => known === undefined,
    set(part, origin) {
      if (!isTold(origin.state)) return;
      known ??= new WeakMap();
      known.set(part, origin);
    },
    noteOrigin,
    note(path, part) {
      const origin = part === null || part === undefined ? undefined : known?.get(part);
      if (origin !== undefined && path !== undefined) noteOrigin(path, origin);
    },
    toExtensions(system) {
      if (noted === undefined || noted.size === 0) return undefined;
      const all = [...noted].map(([link, origin]) => ({ path: pathOf(link), origin }));
      const freshness = all
        .filter(({ origin }) => telling.freshness || origin.state === 'STALE')
        .map(({ path, origin }) => freshnessOf(path, system, origin));
      const provenance = telling.provenance
        ? all.map(({ path, origin }) => provenanceOf(path, system, origin))
        : [];
      return {
        ...(freshness.length === 0 ? {} : { freshness }),
        ...(provenance.length === 0 ? {} : { provenance }),
        ...(isTruncated ? { truncated: true } : {}),
      };
    },
  };
}

function pathOf(link: PathLink): readonly (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: PathLink | undefined = link; at !== undefined; at = at.prev) path.push(at.key);
  return path.reverse();
}

function freshnessOf(path: readonly (string | number)[], system: string, origin: Origin): object {
  const { state, observedAtMs, ageMs, reason } = origin;
  const observedAt = new Date(observedAtMs).toISOString();
  return { path, system, state, observedAt, ageMs, ...(reason === undefined ? {} : { reason }) };
}

function provenanceOf(path: readonly (string | number)[], system: string, origin: Origin): object {
  const { source, recordKey = null, observedAtMs } = origin;
  return { path, system, source, recordKey, observedAt: new Date(observedAtMs).toISOString() };
}
