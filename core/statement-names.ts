// Which statements PostgreSQL prepares once a session: those that come again and again, by a name for each text.

/** Statements of one process that have a name: each session keeps the plans of those that it has met. */
export const NAMED_MAX = 200;
/** Texts that are counted; when there are more, counting begins anew. */
export const COUNTED_MAX = 2_000;
/** How often a text comes before it has a name: lists of keys make many texts, of which few come again. */
export const SEEN_MIN = 4;

/**
 * Names for `name` of a query of `pg`: a named statement is parsed and planned once a session. One for all sessions of a process,
 * since a name must mean one text.
 * @param prefix of the names; another for whoever shares sessions with one who names statements too
 * @returns undefined for a text that has no name (yet)
 */
export function createStatementNames(prefix = 'weft'): (text: string) => string | undefined {
  const names = new Map<string, string>();
  const seen = new Map<string, number>();
  return (text) => {
    const name = names.get(text);
    if (name !== undefined || names.size === NAMED_MAX) return name;
    const times = (seen.get(text) ?? 0) + 1;
    if (times < SEEN_MIN) {
      if (seen.size === COUNTED_MAX) seen.clear();
      seen.set(text, times);
      return undefined;
    }
    seen.delete(text);
    const made = `${prefix}_${names.size + 1}`;
    names.set(text, made);
    return made;
  };
}
