// Just enough XML for the old systems of the suite: texts of elements, and elements written by hand.

/** The texts of all elements of that local name, unescaped, in their order. */
export function textsOf(xml: string, name: string): readonly string[] {
  const element = new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^>]*)?>([^<]*)</(?:[\\w-]+:)?${name}>`, 'g');
  return [...xml.matchAll(element)].map(([, text = '']) => unescapeText(text));
}

/** The one text of that name; throws when there is none. */
export function textOf(xml: string, name: string): string {
  const [text] = textsOf(xml, name);
  if (text === undefined) throw new SyntaxError(`no ${name}`);
  return text;
}

/** Rows as elements: `<Row><No>…</No></Row>`, with the prefix given. */
export function writeRows(rows: readonly Readonly<Record<string, string>>[], prefix = ''): string {
  const fields = (row: Readonly<Record<string, string>>) =>
    Object.entries(row).map(([name, text]) => `<${prefix}${name}>${escapeText(text)}</${prefix}${name}>`);
  return rows.map((row) => `<${prefix}Row>${fields(row).join('')}</${prefix}Row>`).join('');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function unescapeText(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_whole, hex, decimal, name) =>
    name === undefined
      ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
      : (entities[name] ?? ''),
  );
}
