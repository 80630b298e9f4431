// Which of some names somebody may have meant by one that is none of them.

/** Letters that may differ, of those that there are. */
const SLIPS_SHARE_MAX = 0.4;
const PART_CHARS_MIN = 2;
/** What is longer is like no name. */
const TEXT_CHARS_MAX = 200;
const LIKE_MAX = 3;

/** @returns those that a text is like, whatever the case of its letters: the likest first, three at most */
export function likeNames(text: string, names: Iterable<string>): readonly string[] {
  return [...names]
    .map((name) => ({ name, slips: slipsBetween(text, name) }))
    .filter(({ slips }) => slips < Number.POSITIVE_INFINITY)
    .toSorted((one, other) => one.slips - other.slips)
    .slice(0, LIKE_MAX)
    .map(({ name }) => name);
}

/**
 * How far a text is from a name: letters to be put in, taken out or changed; one that has the other in it is 1 away.
 * @returns Infinity where nothing of them is alike
 */
export function slipsBetween(text: string, name: string): number {
  if (text.length > TEXT_CHARS_MAX) return Number.POSITIVE_INFINITY;
  const [typed, known] = [text.toLowerCase(), name.toLowerCase()];
  if (typed === known) return 0;
  const canBePart = Math.min(typed.length, known.length) >= PART_CHARS_MIN;
  if (canBePart && (known.includes(typed) || typed.includes(known))) return 1;
  const distance = editDistance(typed, known);
  const max = Math.round(SLIPS_SHARE_MAX * Math.min(typed.length, known.length));
  return distance <= max ? distance : Number.POSITIVE_INFINITY;
}

/** Of Levenshtein. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= other.length; column++) {
      const change = (row[column - 1] ?? 0) + (other[column - 1] === letter ? 0 : 1);
      next.push(Math.min(change, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
