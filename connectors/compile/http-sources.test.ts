import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkFolder } from './check.ts';
import { compileSystem } from './compile.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-http-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A WSDL whose prefixes say nothing: version by namespace. */
const WSDL = `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="u" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap12/" targetNamespace="u">
<portType name="P"><operation name="Query"/></portType>
<binding name="B" type="tns:P"><s:binding transport="http"/></binding>
<service name="S"><port name="PP" binding="tns:B"/></service></definitions>`;

const GOOD = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @source(name: "web", rest: { baseUrl: "{$env.WEB}", format: XML, tls: { ca: "web-ca" } })
  @source(name: "old", soap: { wsdl: "contracts/Old.wsdl", endpoint: "{$env.OLD}", offlineSchemas: "contracts" })
  @source(name: "hook", webhook: { path: "/in/x", scheme: STANDARD_WEBHOOKS, verify: "x-hook" })
type Query {
  things(area: ID!): [Thing!] @connect(source: "web", http: { POST: "/things", body: "Query: { _area: $args.area }" }, select: "$.Rows.Row { id: _id }")
  cases(area: ID!): [Thing!] @connect(source: "old", soap: { operation: "Query", input: "area: $args.area", attach: "Photo" }, select: "$.Row { id: No }")
}
type Thing { id: ID! }
`;

function issuesOf(from: string, to: string) {
  expect(GOOD).toContain(from);
  const sdl = GOOD.replace(from, () => to);
  return checkFolder(folderOf({ 'a.graphql': sdl, 'contracts/Old.wsdl': WSDL })).issues;
}

const ALL_OF_IT = 'format: XML, tls: { ca: "web-ca" }';
const HMAC = (more: string) => `auth: { hmac: { secret: "k", ${more} } }`;

/** Code, what is replaced in GOOD, by what, what the message names, and the line. */
const MISTAKES: readonly (readonly [code: string, from: string, to: string, names: RegExp, line: number])[] =
  [
    ['WRONG_TOGETHER', ALL_OF_IT, 'tls: { key: "web-key" }', /add cert/, 3],
    ['MISSING_ARGUMENT', ALL_OF_IT, 'tls: {}', /tls names nothing/, 3],
    ['SECRET_IN_CLEAR', ALL_OF_IT, 'tls: { ca: "-----BEGIN" }', /'ca'/, 3],
    ['BAD_VALUE', ALL_OF_IT, 'format: CSV', /JSON, XML/, 3],
    [
      'TWO_PROTOCOLS',
      ALL_OF_IT,
      'auth: { bearer: "a", oauth2: { tokenUrl: "x", client: "c" } }',
      /bearer and oauth2/,
      3,
    ],
    ['BAD_MAPPING', ALL_OF_IT, 'auth: { oauth2: { tokenUrl: "{$args.x}", client: "c" } }', /args/, 3],
    ['SECRET_IN_CLEAR', ALL_OF_IT, 'auth: { oauth2: { tokenUrl: "x", client: "id:secret" } }', /'client'/, 3],
    ['BAD_VALUE', ALL_OF_IT, HMAC('canonical: "{verb}{path}"'), /'\{verb\}'.*known are method/, 3],
    ['BAD_VALUE', ALL_OF_IT, HMAC('canonical: "{timestamp}"'), /nothing of the request/, 3],
    ['BAD_VALUE', ALL_OF_IT, HMAC('signatureFormat: "x"'), /add \{signature\}/, 3],
    ['BAD_VALUE', ALL_OF_IT, HMAC('signatureHeader: "Content-Length"'), /Content-Length/, 3],
    ['WRONG_TOGETHER', ALL_OF_IT, HMAC('nonceHeader: "x-timestamp"'), /x-timestamp/, 3],
    ['WRONG_TOGETHER', ALL_OF_IT, HMAC('canonical: "{keyId}{path}"'), /no keyId/, 3],
    ['BAD_VALUE', ALL_OF_IT, 'auth: { apiKey: { header: "Host", secret: "k" } }', /'Host'/, 3],
    [
      'WRONG_TOGETHER',
      'endpoint: "{$env.OLD}"',
      'endpoint: "{$env.OLD}", version: SOAP_11',
      /binds SOAP_12 only/,
      4,
    ],
    ['FILE_MISSING', 'offlineSchemas: "contracts"', 'offlineSchemas: "schemas"', /'schemas'/, 4],
    ['FILE_MISSING', 'offlineSchemas: "contracts"', 'offlineSchemas: "../contracts"', /contracts/, 4],
    ['BAD_VALUE', 'offlineSchemas: "contracts"', 'offlineSchemas: "contracts/Old.wsdl"', /no folder/, 4],
    ['MISSING_ARGUMENT', 'offlineSchemas: "contracts"', 'security: { digest: true }', /usernameToken/, 4],
    ['MISSING_ARGUMENT', 'scheme: STANDARD_WEBHOOKS, ', '', /dedupeHeader/, 5],
    ['WRONG_TOGETHER', 'verify: "x-hook"', 'verify: "x-hook", dedupeHeader: "X-Id"', /webhook-id/, 5],
    ['SHAPE_MISMATCH', 'Query: { _area: $args.area }', 'a: 1 b: 2', /2 fields/, 7],
    ['SHAPE_MISMATCH', 'Query: { _area: $args.area }', '$args.area', /a value/, 7],
    ['UNKNOWN_OPERATION', 'operation: "Query"', 'operation: "Find"', /'Find'.*known are Query/, 8],
    ['BAD_VALUE', 'attach: "Photo"', 'attach: "Photo, <x>"', /'<x>'/, 8],
  ];

describe('what is spoken over HTTP', () => {
  test('compiles to its plans', () => {
    const { plan, warnings } = compileSystem(folderOf({ 'a.graphql': GOOD, 'contracts/Old.wsdl': WSDL }));
    expect(warnings).toEqual([]);
    expect(plan.sources.get('web')).toMatchObject({ format: 'XML', tls: { ca: 'web-ca', cert: undefined } });
    expect(plan.sources.get('old')).toMatchObject({
      version: undefined,
      offlineSchemas: expect.stringMatching(/contracts$/),
    });
    expect(plan.sources.get('hook')).toMatchObject({ scheme: 'STANDARD_WEBHOOKS', dedupeHeader: undefined });
    expect(plan.fields.get('Query.cases')).toMatchObject({ connect: { call: { attach: ['Photo'] } } });
  });

  test.each(MISTAKES)('%s is told with its line: %#', (code, from, to, names, line) => {
    const found = issuesOf(from, to).filter((issue) => issue.code === code);
    expect(
      found.map((issue) => issue.line),
      JSON.stringify(issuesOf(from, to)),
    ).toContain(line);
    expect(found.map(({ message }) => message).join('\n')).toMatch(names);
    expect(found[0]?.message).toMatch(/ — ./);
  });

  test('every kind of auth has its defaults', () => {
    const auth = (text: string) => {
      const sdl = GOOD.replace(ALL_OF_IT, `auth: { ${text} }`);
      return compileSystem(folderOf({ 'a.graphql': sdl, 'contracts/Old.wsdl': WSDL })).plan.sources.get(
        'web',
      );
    };
    expect(auth('oauth2: { tokenUrl: "{$env.T}", client: "c" }')).toMatchObject({
      auth: { kind: 'oauth2', client: 'c', scope: undefined, clientAuth: 'BASIC' },
    });
    expect(auth('hmac: { secret: "k" }')).toMatchObject({
      auth: {
        kind: 'hmac',
        canonical: '{method}\n{path}\n{query}\n{timestamp}\n{nonce}\n{bodyHash}',
        algorithm: 'SHA256',
        signatureHeader: 'x-signature',
      },
    });
  });
});
