import { serveSystems } from '@weft/connectors/serve/server';
import { createLogger } from '@weft/core/logger';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { envelope, found, sentTo, soapSdl, wsdl, xmlAnswer } from '../connectors/http/soap-wire.ts';
import {
  restSdl,
  startWire,
  type Wire,
  type WireAnswer,
  type Wrapped,
  wrap,
} from '../connectors/http/wire.ts';
import { type Attack, bodyParts, readAttacks } from './attacks.ts';

interface ConnectorRequest {
  readonly variables?: Readonly<Record<string, string>>;
  readonly response?: unknown;
  readonly userAgent?: string;
}

const attacks = readAttacks('connector');
const mine = (prefix: string) => (attacks ?? []).filter(({ id }) => id.startsWith(prefix));
const requestOf = (attack: Attack | undefined) => (attack?.request ?? {}) as ConnectorRequest;

const FIELDS = `type Query {
  thing(id: ID): Thing @connect(source: "api", http: { GET: "/things/{$args.id}/now", query: "id: $args.id fix: 1" }, select: "id: $.Thing.id state: $.Thing.state->match(['1','OPEN'])")
}
type Mutation { rename(id: ID): Thing @connect(source: "api", http: { PUT: "/things", body: "Thing: { _id: $args.id id: $args.id }" }, select: "id: $.Thing.id state: null") }`;
const REST = restSdl('format: XML, auth: { bearer: "api-token" }', FIELDS).replace(
  'type Thing { id: ID }',
  'type Thing { id: ID state: State }\nenum State { OPEN }',
);

describe.skipIf(attacks === undefined)('attacks through what is spoken over HTTP', () => {
  let wire: Wire;
  let answer: WireAnswer;
  let rest: Wrapped;
  let soap: Wrapped;
  const lines: string[] = [];

  beforeAll(async () => {
    const logger = createLogger('attacked', 'debug', { write: (line) => lines.push(line) });
    wire = await startWire(() => answer);
    const env = { API: wire.url, CASE: wire.url, SECRET_API_TOKEN: 'token-that-nobody-sees' };
    rest = await wrap({ 'a.graphql': REST }, env, logger);
    soap = await wrap({ 'a.graphql': soapSdl(''), 'contracts/Case.wsdl': wsdl(['SOAP_11']) }, env, logger);
  });
  afterAll(async () => {
    await rest?.close();
    await soap?.close();
    await wire?.close();
  });
  afterEach(() => {
    wire.requests.length = 0;
    lines.length = 0;
  });

  it.each(mine('C-rest-'))('$id: $title stays one segment and one parameter', async (attack) => {
    const id = requestOf(attack).variables?.id ?? expect.fail(attack.id);
    answer = xmlAnswer('<Thing><id>1</id></Thing>');
    await rest.ask('Query.thing', { id });
    const [{ url, headers, rawHeaders } = expect.fail()] = wire.requests;
    const [path = '', query] = url.split('?');
    expect(path.split('/').map(decodeURIComponent)).toEqual(['', 'base', 'things', id, 'now']);
    expect([...new URLSearchParams(query)]).toEqual([
      ['id', id],
      ['fix', '1'],
    ]);
    expect(headers.host).toBe(new URL(wire.url).host);
    expect(rawHeaders.join('\n')).not.toMatch(/admin/i);
    // What a server that decodes and then resolves would see is the same.
    expect(new URL(url, wire.url).pathname).toBe(path);
  });

  it.each(['..', '.', '', null])('a value that would be another path is never sent: %o', async (id) => {
    await expect(rest.ask('Query.thing', { id })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      hadNoEffect: true,
    });
    expect(wire.requests).toEqual([]);
  });

  it.each(mine('C-xml-quad'))('$id: $title is refused in XML and in SOAP', async (attack) => {
    const body = bodyParts(requestOf(attack).response)
      .map((part) => (typeof part === 'string' ? part : part.text.repeat(part.times)))
      .join('');
    answer = xmlAnswer(body);
    const refused = { code: 'UPSTREAM_INVALID', message: expect.stringContaining('without a document type') };
    await expect(rest.ask('Query.thing', { id: '1' })).rejects.toMatchObject(refused);
    await expect(soap.ask('Query.cases', { no: '1' })).rejects.toMatchObject(refused);
    const inEnvelope = body.replace('<r>', '').replace('</r>', '');
    answer = xmlAnswer(inEnvelope + envelope('SOAP_11', found('&x;')).replace(/^<\?xml.*\?>\n/, ''));
    await expect(soap.ask('Query.cases', { no: '1' })).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });

  it.each(
    mine('C-xml-inject').flatMap((attack) => {
      const id = requestOf(attack).variables?.id ?? '';
      return [
        id,
        `]]>${id}`,
        `<![CDATA[x]]>${id}<![CDATA[y]]>`,
        `<![CDATA[${id}]]>`,
        `\uE0C0\uE0C1${id}`,
        `" x="${id}`,
      ];
    }),
  )('C-xml-inject: %o is text and nothing else', async (id) => {
    answer = xmlAnswer(envelope('SOAP_11', found('1')));
    await soap.ask('Query.cases', { no: id });
    const element = /<(?:\w+:)?No>(.*)<\/(?:\w+:)?No>/.exec(sentTo(wire).xml)?.[1] ?? expect.fail();
    expect(element).not.toMatch(/[<>]/);
    expect(unescapeXml(element)).toBe(id.replace('\uE0C0\uE0C1', ''));
    answer = xmlAnswer('<Thing/>');
    await rest.ask('Mutation.rename', { id });
    const [, attribute = '', text = ''] =
      /<Thing id="(.*)"><id>(.*)<\/id><\/Thing>$/.exec(sentTo(wire).xml) ?? [];
    expect(attribute + text).not.toMatch(/[<>"]/);
    expect([unescapeXml(attribute), unescapeXml(text)]).toEqual([id, id]);
  });

  it('text that XML has no place for is never sent', async () => {
    await expect(soap.ask('Query.cases', { no: 'a\u0000b' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      hadNoEffect: true,
    });
    await expect(rest.ask('Mutation.rename', { id: '\u001b[2J' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      hadNoEffect: true,
    });
    expect(wire.requests).toEqual([]);
  });

  it.each(mine('C-log-ansi'))('$id: $title is escaped when an old system sends it', async (attack) => {
    const { userAgent = expect.fail() } = requestOf(attack);
    answer = { body: `{"Thing":{"id":"1","state":${JSON.stringify(userAgent)}}}` };
    const json = await wrap(
      { 'a.graphql': REST.replace('format: XML, ', '') },
      { API: wire.url, SECRET_API_TOKEN: 't' },
      createLogger('x', 'debug', { write: (line) => lines.push(line) }),
    );
    await json.ask('Query.thing', { id: '1' });
    await json.close();
    expect(lines.join('')).toContain('pwned');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(lines.join('').replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f]/);
  });

  it.each(mine('C-log-pii'))('$id: $title, whatever fails', async (attack) => {
    const [ssn = expect.fail()] = Object.values(requestOf(attack).variables ?? {});
    const logger = createLogger('served', 'debug', { write: (line) => lines.push(line) });
    const served = await serveSystems([rest.system, soap.system], {
      host: '127.0.0.1',
      port: 0,
      subgraphKeys: undefined,
      logger,
    });
    const fault = envelope(
      'SOAP_11',
      `<e:Fault><faultcode>e:Server</faultcode><faultstring>${ssn}</faultstring></e:Fault>`,
    );
    const answers: string[] = [];
    for (const one of [
      xmlAnswer(fault, 500),
      xmlAnswer(`<${ssn}`),
      xmlAnswer(ssn, 503),
      { status: 401, body: ssn },
    ]) {
      answer = one;
      for (const [url, query] of [
        [served.urls[rest.system.plan.name], 'query($v: ID) { thing(id: $v) { id } }'],
        [served.urls[soap.system.plan.name], 'query($v: ID) { cases(no: $v) { id } }'],
      ] as const) {
        const response = await fetch(url ?? '', {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer caller-token' },
          body: JSON.stringify({ query, variables: { v: ssn } }),
        });
        answers.push(await response.text());
      }
    }
    await served.close();
    expect(answers.join('\n')).toContain('UPSTREAM_');
    expect(lines.length).toBeGreaterThan(0);
    for (const secret of [ssn, 'caller-token', 'token-that-nobody-sees'])
      expect(`${lines.join('')}${answers.join('')}`).not.toContain(secret);
  });
});

/** The character references and entities that a writer may use. */
function unescapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replaceAll(/&(?:#x([0-9A-F]+)|#(\d+)|(\w+));/gi, (_whole, hex, decimal, name) =>
    name === undefined
      ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
      : (entities[name] ?? ''),
  );
}
