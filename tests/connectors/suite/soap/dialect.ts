// How a SOAP system of the suite speaks, in either version: envelopes written by hand.
import { createHash } from 'node:crypto';
import { textOf, textsOf, writeRows } from '../http/markup.ts';
import type { Dialect, OldRequest, Question, Reply } from '../http/old-system.ts';

export type Version = 'SOAP_11' | 'SOAP_12';

const NAMESPACES: Readonly<Record<Version, string>> = {
  SOAP_11: 'http://schemas.xmlsoap.org/soap/envelope/',
  SOAP_12: 'http://www.w3.org/2003/05/soap-envelope',
};
const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
const RESPONSES: Readonly<Record<Question['kind'], string>> = {
  area: 'FindRecordsResponse',
  numbers: 'FindRecordsResponse',
  rename: 'RenameResponse',
  renaming: 'FindRenameResponse',
};

/** SOAP 1.1 with HTTP's basic log-in, answered with 401 where it does not hold. */
export function soap11Dialect(charset: string, login: string): Dialect {
  const expected = `Basic ${Buffer.from(login).toString('base64')}`;
  return {
    ...soapDialect('SOAP_11', charset),
    admits: ({ headers }) => headers.authorization === expected,
    refusal: { status: 401, contentType: 'text/html', text: '<html>401</html>' },
  };
}

/** SOAP 1.2 with a UsernameToken whose password is a digest, answered with a fault where it does not hold. */
export function soap12Dialect(charset: string, login: string): Dialect {
  const nonces = new Set<string>();
  const code =
    '<env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>wsse:FailedAuthentication</env:Value></env:Subcode></env:Code>';
  const reason = '<env:Reason><env:Text xml:lang="zh">平江路的账号已过期</env:Text></env:Reason>';
  const fault = `<env:Fault xmlns:wsse="${WSSE}">${code}${reason}</env:Fault>`;
  return {
    ...soapDialect('SOAP_12', charset),
    admits: ({ body }) => isLoggedIn(body.toString('utf8'), login, nonces),
    refusal: { ...envelope('SOAP_12', charset, fault), status: 500 },
  };
}

function soapDialect(version: Version, charset: string): Omit<Dialect, 'admits' | 'refusal'> {
  return {
    charset,
    read: (request, text) => readQuestion(version, request, text),
    write(question, rows) {
      const name = RESPONSES[question.kind];
      const body = `<r:${name} xmlns:r="urn:records"><r:Code>0000</r:Code>${writeRows(rows, 'r:')}</r:${name}>`;
      return envelope(version, charset, body);
    },
  };
}

function envelope(version: Version, charset: string, body: string): Reply {
  const mediaType = version === 'SOAP_12' ? 'application/soap+xml' : 'text/xml';
  const declaration = `<?xml version="1.0" encoding="${charset.toUpperCase()}"?>`;
  return {
    status: 200,
    contentType: `${mediaType}; charset=${charset.toUpperCase()}`,
    text: `${declaration}<env:Envelope xmlns:env="${NAMESPACES[version]}"><env:Header/><env:Body>${body}</env:Body></env:Envelope>`,
  };
}

function readQuestion(version: Version, { headers }: OldRequest, xml: string): Question {
  if (!xml.includes(`"${NAMESPACES[version]}"`)) throw new SyntaxError('an envelope of another version');
  const action =
    version === 'SOAP_11' ? headers.soapaction : /action="[^"]*"/.exec(headers['content-type'] ?? '')?.[0];
  const operation = /urn:records\/(\w+)"/.exec(String(action))?.[1];
  if (operation === 'FindRename') return { kind: 'renaming', requestNo: textOf(xml, 'RequestNo') };
  if (operation === 'Rename') {
    return {
      kind: 'rename',
      id: textOf(xml, 'No'),
      name: textOf(xml, 'Name'),
      requestNo: textOf(xml, 'RequestNo'),
    };
  }
  if (operation !== 'FindRecords') throw new SyntaxError(`no operation ${operation}`);
  const [area] = textsOf(xml, 'Area');
  return area === undefined ? { kind: 'numbers', numbers: textsOf(xml, 'No') } : { kind: 'area', area };
}

const WINDOW_MS = 60_000;

/** OASIS Web Services Security UsernameToken Profile 1.1 section 3.1; a nonce counts once. */
function isLoggedIn(xml: string, login: string, nonces: Set<string>): boolean {
  const [user = '', password = ''] = login.split(':');
  const [name] = textsOf(xml, 'Username');
  const [digest] = textsOf(xml, 'Password');
  const [nonce] = textsOf(xml, 'Nonce');
  const created = textsOf(xml, 'Created').at(-1);
  if (name !== user || nonce === undefined || created === undefined || nonces.has(nonce)) return false;
  if (!(Math.abs(Date.parse(created) - Date.now()) < WINDOW_MS)) return false;
  nonces.add(nonce);
  const expected = createHash('sha1').update(Buffer.from(nonce, 'base64')).update(created).update(password);
  return digest === expected.digest('base64');
}
