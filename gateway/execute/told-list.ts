// What one answer tells beside its data: bounded in number, each with the path in the client's answer.
import { TOLD_MAX } from '@weft/core/telling';
import type { ToldEntry } from '../fetch/told.ts';
import type { Path } from './data.ts';

export interface ToldList {
  add(entry: ToldEntry, path: Path): void;
  truncate(): void;
  /** `extensions.weft` of what was not taken yet; undefined when there is nothing. */
  take(): Readonly<Record<string, unknown>> | undefined;
}

export function createToldList(): ToldList {
  let told: { readonly entry: ToldEntry; readonly path: Path }[] = [];
  let seen: Set<string> | undefined;
  let [stale, others] = [0, 0];
  let isTruncated = false;
  return {
    add(entry, path) {
      const key = JSON.stringify([path, entry]);
      if (seen?.has(key) === true) return;
      // However much is told of what is fresh, what is stale is told.
      const isStale = entry.kind === 'freshness' && entry.state === 'STALE';
      if ((isStale ? stale : others) >= TOLD_MAX) {
        isTruncated = true;
        return;
      }
      seen ??= new Set();
      seen.add(key);
      if (isStale) stale += 1;
      else others += 1;
      told.push({ entry, path });
    },
    truncate() {
      isTruncated = true;
    },
    take() {
      if (told.length === 0 && !isTruncated) return undefined;
      const taken = told;
      told = [];
      const freshness = taken.flatMap(({ entry, path }) =>
        entry.kind === 'freshness' ? [shown(entry, path)] : [],
      );
      const provenance = taken.flatMap(({ entry, path }) =>
        entry.kind === 'provenance' ? [shown(entry, path)] : [],
      );
      return {
        ...(freshness.length === 0 ? {} : { freshness }),
        ...(provenance.length === 0 ? {} : { provenance }),
        ...(isTruncated ? { truncated: true } : {}),
      };
    },
  };
}

function shown({ kind: _kind, ...entry }: ToldEntry, path: Path): object {
  return { path, ...entry };
}
