// Keeps prepared operations by their text, and for each text one for those who may have the same of it: one look-up finds both.
import type { Authority } from '../authority/authority.ts';
import type { Principal } from '../identity/principal.ts';

/** What one operation is prepared from, and for whom. */
export interface OperationKey {
  readonly query: string;
  readonly operationName: string | undefined;
  /** Labels of progressive `@override` that it is asked under; none has a line break. */
  readonly labels: readonly string[];
  readonly principal: Principal;
}

export interface OperationCache<Prepared> {
  get(key: OperationKey): Prepared | undefined;
  /** @param usedRules that the document touches */
  set(key: OperationKey, usedRules: readonly number[], prepared: Prepared): void;
  /** Equal for those who may have the same of a text that is not known yet. */
  keyOfUnknown(key: OperationKey): string;
  /** Prepared operations that are kept. */
  readonly size: number;
}

interface Known<Prepared> {
  readonly usedRules: readonly number[];
  /** By what tells operations of one text apart. */
  readonly variants: Map<string, Prepared>;
  /** Since it was last passed over for removal. */
  isUsed: boolean;
}

const NO_RULES: readonly number[] = Object.freeze([]);

/**
 * A text that was asked for since it was last passed over is passed over again, and goes with all that is kept of it when it
 * was not: to mark it costs less than to put it last each time (https://en.wikipedia.org/wiki/Page_replacement_algorithm#Clock).
 * @param entriesMax prepared operations
 * @param authority undefined: whoever asks may have all
 */
export function createOperationCache<Prepared>(
  entriesMax: number,
  authority: Authority | undefined,
): OperationCache<Prepared> {
  const texts = new Map<string, Known<Prepared>>();
  const rules = authority?.hasRules === true ? authority : undefined;
  const allRules = rules?.rules.requirements.map((_, number) => number) ?? NO_RULES;
  let size = 0;

  function variantOf(
    { labels, operationName, principal }: OperationKey,
    usedRules: readonly number[],
  ): string {
    const grants =
      rules === undefined || usedRules.length === 0 ? '' : rules.grantsOf(principal).keyFor(usedRules);
    if (grants === '' && operationName === undefined && labels.length === 0) return '';
    return JSON.stringify([grants, labels, operationName ?? null]);
  }

  function remove(query: string, { variants }: Known<Prepared>): void {
    size -= variants.size;
    texts.delete(query);
  }

  function removeUnused(kept: string): void {
    for (const [query, known] of texts) {
      if (size <= entriesMax) return;
      if (known.isUsed || query === kept) {
        known.isUsed = false;
        // Last again; the loop comes to it once more.
        texts.delete(query);
        texts.set(query, known);
        if (texts.size === 1) removeOldestVariants(known);
      } else remove(query, known);
    }
  }

  function removeOldestVariants({ variants }: Known<Prepared>): void {
    for (const variant of variants.keys()) {
      if (size <= entriesMax) return;
      size -= 1;
      variants.delete(variant);
    }
  }

  return {
    get size() {
      return size;
    },
    get(key) {
      const known = texts.get(key.query);
      if (known === undefined) return undefined;
      known.isUsed = true;
      return known.variants.get(variantOf(key, known.usedRules));
    },
    set(key, usedRules, prepared) {
      const known = texts.getOrInsertComputed(key.query, () => ({
        usedRules,
        variants: new Map(),
        isUsed: false,
      }));
      const variant = variantOf(key, known.usedRules);
      if (!known.variants.has(variant)) size += 1;
      known.variants.set(variant, prepared);
      removeUnused(key.query);
    },
    keyOfUnknown: (key) => `${variantOf(key, allRules)}\n${key.query}`,
  };
}
