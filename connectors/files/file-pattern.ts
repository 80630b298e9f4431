// The path of an ingest's files: a folder that is named, and a file name in which `{date}` and the like stand for what varies.

/** What a placeholder stands for. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  date: '\\d{4}-?\\d{2}-?\\d{2}',
  time: '\\d{2}[-.]?\\d{2}(?:[-.]?\\d{2})?',
  number: '\\d{1,18}',
  text: '.{1,200}',
};
const PLACEHOLDERS_MAX = 8;
const PATH_CHARS_MAX = 500;

export interface FilePattern {
  /** Below the source's folder, `/`-separated; empty for that folder itself. */
  readonly folder: string;
  /** Of the whole name of a file. */
  readonly name: RegExp;
}

export type ParsedPattern =
  | { readonly ok: true; readonly pattern: FilePattern }
  | { readonly ok: false; readonly problem: string };

/** `/out/aq_{date}.csv`: `{date}` is 8 digits with or without `-`, `{time}` 4 or 6, `{number}` digits, `{text}` anything. */
export function parseFilePattern(path: string): ParsedPattern {
  const segments = path.split('/').filter((segment, index) => segment !== '' || index > 0);
  const name = segments.pop() ?? '';
  if (path.length > PATH_CHARS_MAX) return bad(`it has more than ${PATH_CHARS_MAX} characters`);
  const wrong = segments.find((segment) => !isPlainName(segment) || /[{}]/.test(segment));
  if (wrong !== undefined) return bad(`'${wrong}' is no name of a folder`);
  const parts = name.split(/(\{[^{}]*\})/);
  const names = parts.filter((part) => part.startsWith('{')).map((part) => part.slice(1, -1));
  const unknown = names.find((placeholder) => !Object.hasOwn(PLACEHOLDERS, placeholder));
  if (unknown !== undefined) return bad(`there is no {${unknown}}`);
  if (names.length > PLACEHOLDERS_MAX) return bad(`it has more than ${PLACEHOLDERS_MAX} placeholders`);
  const literal = parts.filter((part) => !part.startsWith('{')).join('');
  if (!isPlainName(name) || /[{}]/.test(literal)) return bad(`'${name}' is no name of a file`);
  const source = parts
    .map((part) =>
      part.startsWith('{') ? PLACEHOLDERS[part.slice(1, -1)] : part.replaceAll(/[\\^$.*+?()[\]|]/g, '\\$&'),
    )
    .join('');
  return { ok: true, pattern: { folder: segments.join('/'), name: new RegExp(`^${source}$`, 'u') } };
}

/** Whether a name stays in its folder whatever system reads it: no separator, no way up, nothing that does not print. */
export function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\p{Cc}]/u.test(name);
}

function bad(problem: string): ParsedPattern {
  return { ok: false, problem };
}
