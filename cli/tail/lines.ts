// One line for each event: when it came, whom it is about, and what it says.

/** The live field's value, or a part of it. */
type Value = Readonly<Record<string, unknown>>;

const VALUE_CHARS_MAX = 60;

/** Local time, to the millisecond. */
export function clockOf(at: Date): string {
  const two = (n: number, digits = 2) => String(n).padStart(digits, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
}

/** @param value null when the event's data could not be had */
export function lineOf(at: Date, value: Value | null): string {
  if (value === null) return `${clockOf(at)}  (no data)`;
  const fields = leavesOf(value, '');
  const subject = fields.find(([path, leaf]) => leaf !== null && /(?:^|\.)(?:id|code)$/.test(path));
  const rest = fields.filter(([path, leaf]) => path !== subject?.[0] && path !== 'cursor' && leaf !== null);
  if (subject === undefined && rest.length === 0) return `${clockOf(at)}  (no event: a place to go on from)`;
  const words = rest.map(([path, leaf]) => `${path}=${shown(leaf)}`);
  return [clockOf(at), subject === undefined ? '-' : shown(subject[1]), ...words].join('  ');
}

function leavesOf(value: Value, prefix: string): readonly (readonly [string, unknown])[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = prefix + name;
    if (path === 'gap') return [];
    return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? leavesOf(inner as Value, `${path}.`)
      : [[path, inner] as const];
  });
}

/** In one line, whatever an event says: a terminal would obey control characters. */
function shown(leaf: unknown): string {
  const text = typeof leaf === 'string' ? leaf : JSON.stringify(leaf);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  const cut = plain.length > VALUE_CHARS_MAX ? `${plain.slice(0, VALUE_CHARS_MAX - 1)}…` : plain;
  return /[\s=]/.test(cut) || cut === '' ? JSON.stringify(cut) : cut;
}
