// How a REST system of the suite speaks: one interface, its documents in JSON or in XML.
import { textsOf, writeRows } from '../http/markup.ts';
import type { Dialect, OldRequest, Question, Reply, Row } from '../http/old-system.ts';

export type Format = 'JSON' | 'XML';

/** @param login what of the dialect lets callers in */
export function restDialect(
  format: Format,
  charset: string,
  login: Pick<Dialect, 'admits' | 'open' | 'expire'>,
): Dialect {
  const contentType = `application/${format.toLowerCase()}; charset=${charset.toUpperCase()}`;
  const reply = (status: number, code: string, rows: readonly Row[]): Reply => ({
    status,
    contentType,
    text: format === 'JSON' ? jsonText(code, rows) : xmlText(charset, code, rows),
  });
  return {
    charset,
    ...login,
    refusal: reply(401, '4010', []),
    read: (request, text) => readQuestion(request, format === 'JSON' ? jsonReader(text) : xmlReader(text)),
    write: (_question, rows) => reply(200, '0000', rows),
  };
}

function jsonText(code: string, rows: readonly Row[]): string {
  return JSON.stringify({ Reply: { Code: code, Row: rows } });
}

/** As an old library writes it: prefixes, and elements of no use. */
function xmlText(charset: string, code: string, rows: readonly Row[]): string {
  const declaration = `<?xml version="1.0" encoding="${charset.toUpperCase()}"?>`;
  return `${declaration}\n<b:Reply xmlns:b="urn:book"><b:Head/>\n<b:Code>${code}</b:Code>${writeRows(rows, 'b:')}</b:Reply>`;
}

/** Fields of a body's root element by their names. */
type Reader = (root: string, field: string) => readonly string[];

function jsonReader(text: string): Reader {
  return (root, field) =>
    [(JSON.parse(text) as Record<string, Record<string, string | string[]>>)[root]?.[field] ?? []].flat();
}

function xmlReader(text: string): Reader {
  return (root, field) => {
    if (!text.includes(`<${root}>`)) throw new SyntaxError(`no ${root}`);
    return textsOf(text, field);
  };
}

function readQuestion({ method, url }: OldRequest, read: Reader): Question {
  const { pathname, searchParams } = new URL(url, 'http://old');
  const [, , kind, id = '', part] = pathname.split('/').map(decodeURIComponent);
  if (method === 'GET' && kind === 'records') return { kind: 'area', area: searchParams.get('area') ?? '' };
  if (method === 'GET' && kind === 'renames') return { kind: 'renaming', requestNo: id };
  if (method === 'POST' && kind === 'find') return { kind: 'numbers', numbers: read('Find', 'No') };
  if (method !== 'PUT' || kind !== 'records' || part !== 'name')
    throw new SyntaxError(`nothing at ${pathname}`);
  const one = (field: string) => read('Rename', field)[0] ?? '';
  return { kind: 'rename', id, name: one('Name'), requestNo: one('RequestNo') };
}
