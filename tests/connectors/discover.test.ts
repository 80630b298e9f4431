import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compileSystem } from '@weft/connectors/compile/compile';
import { type ContractAddress, type Discovery, discover } from '@weft/connectors/discover/discover';
import { compose } from '@weft/schema/compose';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CONTRACTS = join(import.meta.dirname, 'contracts');
const PUBLIC = readdirSync(CONTRACTS).filter((name) => name !== 'SOURCES.md');

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-discover-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function fresh(): string {
  count += 1;
  return join(folder, `system-${count}`);
}

function draft(
  contract: ContractAddress,
  options: { readonly reads?: readonly string[] } = {},
): Promise<Discovery> {
  return discover({ contract, out: fresh(), ...options });
}

function addressOf(name: string): ContractAddress {
  return { kind: name.endsWith('.wsdl') ? 'wsdl' : 'openapi', file: join(CONTRACTS, name) };
}

function sdlOf({ folder: made }: Discovery): string {
  return readFileSync(join(made, readdirSync(made).find((name) => name.endsWith('.graphql')) ?? ''), 'utf8');
}

/** A contract of the test's own. */
async function contractFile(name: string, text: string): Promise<string> {
  count += 1;
  const place = join(folder, `contract-${count}`);
  await mkdir(place);
  writeFileSync(join(place, name), text);
  return join(place, name);
}

async function refusal(contract: ContractAddress): Promise<string> {
  return draft(contract).then(
    () => 'it was drafted',
    (thrown: unknown) => (thrown as Error).message.replaceAll(folder, ''),
  );
}

describe('contracts of public projects', () => {
  it('are some, each with its source and licence', () => {
    const sources = readFileSync(join(CONTRACTS, 'SOURCES.md'), 'utf8');
    expect(PUBLIC.length).toBeGreaterThanOrEqual(12);
    expect(PUBLIC.filter((name) => !sources.includes(`\`${name}\``))).toEqual([]);
  });

  it.each(PUBLIC)('%s drafts a folder that passes the check at once', async (name) => {
    const found = await draft(addressOf(name));
    expect(found.check).toEqual({ ok: true, issues: [] });
    expect(found.counts.queries + found.counts.commented + found.leftOut.length).toBeGreaterThan(0);
  });

  it('compose together with one another into one graph', async () => {
    const hub = { types: [] as string[], fields: [] as string[] };
    const parts: { name: string; sdl: string }[] = [];
    for (const name of [
      'petstore-2.0.yaml',
      'link-example.yaml',
      'weather.wsdl',
      'BLZService.wsdl',
      'petstore-3.1.json',
    ]) {
      const found = await discover({ contract: addressOf(name), out: fresh(), hub });
      const { plan } = compileSystem(found.folder);
      parts.push({ name: plan.name, sdl: plan.storedSdl });
      hub.types.push(...[...plan.storedSdl.matchAll(/^(?:type|enum) (\w+)/gm)].map(([, type = '']) => type));
      hub.fields.push(
        ...(/^type Query \{\n([\s\S]*?)^\}/m.exec(plan.storedSdl)?.[1]?.match(/^ {2}\w+/gm) ?? []).map(
          (field) => field.trim(),
        ),
      );
    }
    const composed = compose(parts.map((part) => ({ ...part, url: 'http://127.0.0.1/' })));
    expect(composed.errors).toBeUndefined();
  });
});

describe('an OpenAPI document', () => {
  it('keeps what the contract says: descriptions, enums, keys, secrets, and writes as comments only', async () => {
    const found = await draft(addressOf('petstore-2.0.yaml'));
    const sdl = sdlOf(found);
    expect(sdl).toContain(
      "status: status->match(['available','AVAILABLE'],['pending','PENDING'],['sold','SOLD'])",
    );
    expect(sdl).toContain('pet(id: ID!): Pet @connect(reference: "id: $args.id")');
    expect(sdl).toMatch(/type Pet\n {2}# check: 'getPetById' is taken to load one Pet by 'petId'/);
    expect(sdl).toContain('#   addPet(');
    expect(sdl).not.toMatch(/^type Mutation/m);
    expect(found.secrets).toEqual([`${basename(found.folder)}-token`]);
    expect(found.leftOut).toContainEqual({ what: 'uploadFile', why: 'its body is a form' });
  });

  it('gives one call for many keys where the contract has one, in files of its own folder', async () => {
    const file = await contractFile('openapi.json', JSON.stringify(BATCHED));
    writeFileSync(
      join(file, '..', 'order.yaml'),
      'title: Order\nproperties:\n  订单号: { type: string }\n  PM2.5: { type: number }\n',
    );
    const found = await draft({ kind: 'openapi', file });
    const sdl = sdlOf(found);
    expect(found.check).toEqual({ ok: true, issues: [] });
    expect(sdl).toContain('http: { GET: "/orders", query: "ids: $batch.id->join(\',\')" }');
    expect(sdl).toContain('batch: { how: LIST_PARAM, max: 20, match: "id" }');
    expect(sdl).toContain('dingDanHao: 订单号\n');
    expect(sdl).toContain("pm25: @.'PM2.5'");
    expect(sdl).toContain("the answer's code, msg are not looked at");
    expect(found.files).toContain('contracts/order.yaml');
  });

  it('says of the envelope around one thing what it says of one around a list', async () => {
    const found = await draft({ kind: 'openapi', file: await contractFile('openapi.json', LAMP) });
    expect(found.check).toEqual({ ok: true, issues: [] });
    expect(sdlOf(found)).toMatch(
      /type Lamp\n(?: {2}#.*\n)* {2}# check: the answer's code, msg are not looked at: .* add failWhen\n(?: {2}#.*\n)* {2}@key/,
    );
  });

  it('reads as a time what only an example shows to be one, and sends it as it is', async () => {
    const found = await draft({ kind: 'openapi', file: await contractFile('openapi.json', LAMP) });
    const sdl = sdlOf(found);
    expect(found.check).toEqual({ ok: true, issues: [] });
    expect(sdl).toContain("  # check: a time by its example '2026-11-20 09:30:00' only;");
    expect(sdl).toContain('  lastSeen: DateTime\n');
    expect(sdl).toContain('lastSeen: lastSeen->dateTime\n');
    // A day is no time, a format says what it is, and a number may be anything.
    expect(sdl).toContain('  built: String\n');
    expect(sdl).toContain('  batch: String\n');
    expect(sdl).toContain('  shift: String\n');
    expect(sdl).toContain('switchLamp(lampNo: ID!, lastSeen: String)');
  });

  it('takes a POST as a read when a person says so, its body as arguments and as keys', async () => {
    const list = {
      type: 'array',
      items: { type: 'object', properties: { no: { type: 'string' }, name: { type: 'string' } } },
    };
    const answer = { 200: { content: { 'application/json': { schema: list } } } };
    const body = {
      type: 'object',
      required: ['nos'],
      properties: { nos: { type: 'array', items: { type: 'string' } }, lang: { type: 'string' } },
    };
    const post = { requestBody: { content: { 'application/json': { schema: body } } }, responses: answer };
    const file = await contractFile(
      'openapi.json',
      JSON.stringify({ openapi: '3.0.0', paths: { '/permit/queryList': { post } } }),
    );
    expect(sdlOf(await draft({ kind: 'openapi', file }))).toContain(
      'POST /permit/queryList seems to read, by its name',
    );
    const found = await draft({ kind: 'openapi', file }, { reads: ['POST /permit/queryList'] });
    expect(found.check).toEqual({ ok: true, issues: [] });
    expect(sdlOf(found)).toContain('http: { POST: "/permit/queryList", body: "nos: $batch.no" }');
    expect(sdlOf(found)).toContain('how: JSON_BODY');
  });

  it.each([
    [
      'YAML that is none',
      'openapi: 3.0.0\npaths:\n  /a: [',
      /openapi.yaml:3:\d+ it is neither JSON nor YAML: .* — correct it there$/,
    ],
    [
      'a reference to nowhere',
      DANGLING,
      /openapi.yaml:10:\d+ the reference #\/components\/schemas\/Gone leads nowhere — correct it, or add what it names$/,
    ],
    [
      'a reference to the network',
      DANGLING.replace('#/components/schemas/Gone', 'https://a.example/x.yaml'),
      /:10:\d+ it refers to https:\/\/a.example\/x.yaml: nothing is fetched — /,
    ],
    [
      'a reference out of the folder',
      DANGLING.replace('#/components/schemas/Gone', '../x.yaml'),
      /:10:\d+ it refers to ..\/x.yaml, outside its folder — /,
    ],
    [
      'a reference to itself',
      `${DANGLING}components: { schemas: { Gone: { $ref: '#/components/schemas/Gone' } } }\n`,
      /leads to itself — /,
    ],
    [
      'another version',
      'swagger: "1.2"\n',
      /openapi.yaml:1:1 it is OpenAPI 1.2 — give one of OpenAPI 2.0, 3.0 or 3.1$/,
    ],
    ['no OpenAPI', '{"a": 1}', /it is no OpenAPI document — /],
  ])('with %s gets one line that says where', async (_, text, line) => {
    const message = await refusal({ kind: 'openapi', file: await contractFile('openapi.yaml', text) });
    expect(message).toMatch(line);
    expect(message).not.toContain('\n');
  });
});

describe('a WSDL', () => {
  const blz = readFileSync(join(CONTRACTS, 'BLZService.wsdl'), 'utf8');

  it('leaves to a person what may write, until its name is given as one that reads', async () => {
    const file = await contractFile('Bank.wsdl', blz.replaceAll('getBank', 'bank'));
    const before = await draft({ kind: 'wsdl', file });
    const after = await draft({ kind: 'wsdl', file }, { reads: ['bank'] });
    expect([before.counts.queries, before.counts.commented]).toEqual([0, 1]);
    expect(before.check.ok).toBe(true);
    expect([after.counts.queries, after.counts.commented]).toEqual([1, 0]);
  });

  it('with one argument that is an identifier is loaded by it, though the answer does not repeat it', async () => {
    const file = await contractFile('Bank.wsdl', blz.replaceAll('"blz"', '"bankCode"'));
    const sdl = sdlOf(await draft({ kind: 'wsdl', file }));
    expect(sdl).toContain('@key(fields: "bankCode")');
    expect(sdl).toContain('bankCode: $batch.bankCode->first');
  });

  it('of a list of identifiers is asked for many at once', async () => {
    const file = join(import.meta.dirname, '../../subgraphs/police/contracts/CaseService.wsdl');
    const place = await contractFile('CaseService.wsdl', readFileSync(file, 'utf8'));
    const types = readFileSync(join(file, '../xsd/CaseTypes.xsd'), 'utf8');
    writeFileSync(
      join(place, '..', 'CaseTypes.xsd'),
      types.replace('name="CXYY" type="xsd:string"', 'name="CXYY" minOccurs="0" type="xsd:string"'),
    );
    const found = await draft({ kind: 'wsdl', file: place });
    const sdl = sdlOf(found);
    expect(sdl).toContain('input: "req: { JJDBHS: { string: $batch.jjdbh } }"');
    expect(sdl).toContain('how: SOAP_ARRAY');
    expect(sdl).toContain('发案地点');
    expect(found.files).toEqual([
      expect.stringMatching(/\.graphql$/),
      'contracts/CaseService.wsdl',
      'contracts/CaseTypes.xsd',
    ]);
  });

  it.each([
    ['broken XML', blz.slice(0, 900), /Bad.wsdl:\d+:\d+ it is not well-formed XML: /],
    [
      'a type that is not there',
      blz.replace('type="tns:detailsType"', 'type="tns:gone"'),
      /Bad.wsdl:14:\d+ there is no type 'gone' of namespace 'http:\/\/thomas-bayer.com\/blz\/' — /,
    ],
    [
      'a binding that is not there',
      blz.replace('binding="tns:BLZServiceSOAP11Binding"', 'binding="tns:gone"'),
      /Bad.wsdl:\d+:\d+ there is no binding 'tns:gone' — /,
    ],
    [
      'a document type',
      blz.replace('?><', '?><!DOCTYPE a><'),
      /Bad.wsdl:1:\d+ it has a document type — remove it$/,
    ],
    [
      'an import that is not here',
      blz.replace(
        '<xsd:element name="getBank"',
        '<xsd:include schemaLocation="http://a.example/T.xsd"/><xsd:element name="getBank"',
      ),
      /imports http:\/\/a.example\/T.xsd, which is not here — put a copy named T.xsd beside it/,
    ],
    ['WSDL 2.0', '<description xmlns="http://www.w3.org/ns/wsdl"/>', /it is WSDL 2.0, not WSDL 1.1 — /],
    ['no XML', 'hello', /it is not well-formed XML|it holds no XML/],
  ])('with %s gets one line that says where', async (_, text, line) => {
    const message = await refusal({ kind: 'wsdl', file: await contractFile('Bad.wsdl', text) });
    expect(message).toMatch(line);
    expect(message).not.toContain('\n');
  });
});

describe('what is given to discover', () => {
  it('never writes over a folder, and leaves none behind when the contract is bad', async () => {
    const made = await draft(addressOf('weather.wsdl'));
    await expect(discover({ contract: addressOf('weather.wsdl'), out: made.folder })).rejects.toThrow(
      /exists already/,
    );
    const out = fresh();
    const file = await contractFile('Bad.wsdl', '<a>');
    await expect(discover({ contract: { kind: 'wsdl', file }, out })).rejects.toThrow();
    expect(existsSync(out)).toBe(false);
  });

  it('is bounded', async () => {
    const file = await contractFile('big.yaml', `# ${'x'.repeat(5_000_000)}`);
    expect(await refusal({ kind: 'openapi', file })).toMatch(
      /has 5000002 bytes, and a contract at most 5000000/,
    );
  });

  it('is read in the charset that is said', async () => {
    const file = await contractFile('openapi.yaml', '');
    writeFileSync(file, iconv.encode('openapi: 3.0.0\ninfo: { title: 许可 }\npaths: {}\n', 'gb18030'));
    expect(await refusal({ kind: 'openapi', file })).toMatch(
      /not text in utf-8 — say its charset with --encoding gb18030/,
    );
    const found = await discover({ contract: { kind: 'openapi', file }, out: fresh(), encoding: 'gb18030' });
    expect(sdlOf(found)).toContain('title: "许可"');
  });
});

const DANGLING = `openapi: 3.0.0
paths:
  /a:
    get:
      responses:
        '200':
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Gone'
`;

/** One by its id, many by a list of ids, both in an envelope. */
const BATCHED = {
  openapi: '3.1.0',
  paths: {
    '/orders': {
      get: {
        operationId: 'listOrders',
        parameters: [
          {
            name: 'ids',
            in: 'query',
            required: true,
            style: 'form',
            explode: false,
            schema: { type: 'array', items: { type: 'string' } },
          },
        ],
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Orders' } } } },
        },
      },
    },
    '/orders/{id}': {
      get: {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Order' } } } },
        },
      },
    },
    '/latest': {
      get: {
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Orders' } } } },
        },
      },
    },
  },
  components: {
    schemas: {
      Orders: {
        type: 'object',
        properties: {
          code: { type: 'string' },
          msg: { type: ['string', 'null'] },
          data: { type: 'array', items: { $ref: '#/components/schemas/Order' } },
        },
      },
      Order: { allOf: [{ $ref: 'order.yaml' }, { properties: { id: { type: 'string' } } }] },
    },
  },
};

/** One by its key, in an envelope. */
const LAMP = `openapi: 3.0.0
paths:
  /lamps/{lampNo}:
    get:
      parameters: [{ name: lampNo, in: path, required: true, schema: { type: string } }]
      responses:
        '200':
          content:
            application/json:
              schema:
                properties:
                  code: { type: string }
                  msg: { type: string }
                  data: { $ref: '#/components/schemas/Lamp' }
    post:
      operationId: switchLamp
      parameters: [{ name: lampNo, in: path, required: true, schema: { type: string } }]
      requestBody:
        content:
          application/json:
            schema: { type: object, properties: { lastSeen: { $ref: '#/components/schemas/Seen' } } }
      responses: { '200': { description: done } }
components:
  schemas:
    Seen: { type: string, example: '2026-11-20 09:30:00' }
    Lamp:
      type: object
      properties:
        lampNo: { type: string }
        lastSeen: { type: string, example: '2026-11-20 09:30:00' }
        built: { type: string, example: '2026-11-20' }
        batch: { type: string, example: '20261120093000' }
        shift: { type: string, format: local, example: '2026-11-20 09:30:00' }
`;
