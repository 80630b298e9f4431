// Writes names, paths and values as the mapping grammar has them (docs/mapping.md).

const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;
/** Words that stand for values. */
const LITERALS: ReadonlySet<string> = new Set(['true', 'false', 'null']);

/** Whether a name can stand in a mapping at all, quoted or not, within the text of an SDL string. */
export function isMappable(name: string): boolean {
  return name !== '' && name.length <= 200 && !/["\\\p{Cc}]/u.test(name);
}

/** A path from the object at hand. */
export function relativePath(names: readonly string[]): string {
  const [first, ...rest] = names;
  if (first === undefined) return '@';
  const head = NAME.test(first) && !LITERALS.has(first) ? first : `@.${quote(first)}`;
  return [head, ...rest.map(stepName)].join('.');
}

/** A path from `$`, the whole answer. */
export function absolutePath(names: readonly string[]): string {
  return ['$', ...names.map(stepName)].join('.');
}

/** The name of an entry, as it stands before the colon. */
export function entryName(name: string): string {
  return NAME.test(name) && !LITERALS.has(name) ? name : quote(name);
}

function stepName(name: string): string {
  return NAME.test(name) ? name : quote(name);
}

/** A text as a literal. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** `->match(['1','OPEN'],['2','CLOSED'])`. */
export function matchText(pairs: Iterable<readonly [string, string]>): string {
  return `->match(${[...pairs].map(([from, to]) => `[${quote(from)},${quote(to)}]`).join(',')})`;
}
