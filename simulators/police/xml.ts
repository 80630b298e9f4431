// Just enough XML for a SOAP envelope: elements by local name, text, the five entities; strict about nesting.

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed. */
  readonly text: string;
}

interface OpenElement {
  readonly fullName: string;
  readonly children: XmlElement[];
  text: string;
}

const DEPTH_MAX = 32;
const TOKEN =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([\w.:-]+)([^<>]*?)(\/?)>|([^<]+)|(<)/gu;

/** The root element; throws SyntaxError when it is not one well-formed document. Refuses document types. */
export function parseXml(document: string): XmlElement {
  const root: OpenElement = { fullName: '', children: [], text: '' };
  const open: OpenElement[] = [root];
  for (const [, cdata, slash, fullName, , selfClosing, text, stray] of document.matchAll(TOKEN)) {
    if (stray !== undefined) throw new SyntaxError('a stray < in the document');
    const top = open.at(-1) ?? root;
    if (cdata !== undefined) top.text += cdata;
    else if (text !== undefined) top.text += unescapeXml(text);
    else if (fullName === undefined) continue;
    else if (slash === '/') closeElement(open, fullName);
    else if (open.length > DEPTH_MAX) throw new SyntaxError(`elements nest at most ${DEPTH_MAX} deep`);
    else {
      open.push({ fullName, children: [], text: '' });
      if (selfClosing === '/') closeElement(open, fullName);
    }
  }
  const element = root.children[0];
  if (open.length !== 1 || root.children.length !== 1 || element === undefined || root.text.trim() !== '') {
    throw new SyntaxError('not one well-formed element');
  }
  return element;
}

/** The first child of that local name. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function closeElement(open: OpenElement[], fullName: string): void {
  const closed = open.pop();
  const parent = open.at(-1);
  if (closed?.fullName !== fullName || parent === undefined)
    throw new SyntaxError(`</${fullName}> closes nothing`);
  const name = fullName.slice(fullName.indexOf(':') + 1);
  parent.children.push({ name, children: closed.children, text: closed.text.trim() });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    const value = ENTITIES[name];
    if (value === undefined) throw new SyntaxError(`unknown entity ${whole}`);
    return value;
  });
}
