// Reads an OpenAPI document, 2.0 to 3.1, to a contract.
import { envelopeCheck, unwrapAnswer } from '../answers.ts';
import type {
  Answer,
  Contract,
  Input,
  InputTexts,
  LeftOut,
  Member,
  Operation,
  Shape,
} from '../contract-model.ts';
import { type FlatInput, flattenInputs, inputEntries } from '../inputs.ts';
import { entryName, isMappable, quote } from '../mapping-text.ts';
import { fieldName } from '../names.ts';
import { readsByName } from '../reads.ts';
import { mappingString, stringText } from '../sdl-text.ts';
import {
  isObject,
  keysOf,
  type Located,
  listOf,
  type OpenapiDocument,
  openDocument,
  own,
  textOf,
} from './document.ts';
import { type SchemaReader, schemaReader } from './schemas.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
type Method = (typeof METHODS)[number];

export interface OpenapiContract extends Contract {
  readonly files: readonly string[];
  /** The address that the document gives, with the path that every call has. */
  readonly address: string | undefined;
  readonly security: readonly SecurityScheme[];
}

/** How a system wants to know us, as far as the draft needs it. */
export interface SecurityScheme {
  readonly name: string;
  readonly type: string;
  readonly scheme: string | undefined;
  /** Of an apiKey: where it is put, and under what name. */
  readonly in: string | undefined;
  readonly key: string | undefined;
}

/**
 * @param reads operation ids, or `POST /path`, that are known to read
 * @throws OperatorError with file, line and column for what is no OpenAPI, and for a reference that leads nowhere
 */
export function readOpenapi(file: string, reads: ReadonlySet<string>, encoding?: string): OpenapiContract {
  const document = openDocument(file, encoding);
  const { root } = document;
  const version = textOf(root.value, 'openapi') ?? versionOf(own(root.value, 'swagger'));
  if (version === undefined || !/^(?:2\.0|3\.[01])/.test(version)) {
    const what = version === undefined ? 'it is no OpenAPI document' : `it is OpenAPI ${version}`;
    throw document.error(root, what, 'give one of OpenAPI 2.0, 3.0 or 3.1');
  }
  const schemas = schemaReader(document);
  const leftOut: LeftOut[] = [];
  const operations: Operation[] = [];
  for (const path of keysOf(root.value, 'paths')) {
    const item = document.child(root, 'paths', path);
    for (const method of METHODS) {
      if (!isObject(own(item.value, method))) continue;
      const reading = new OperationReader({ document, schemas, leftOut, reads }, item, path, method);
      const operation = reading.read();
      if (operation !== undefined) operations.push(operation);
    }
  }
  for (const hook of [...keysOf(root.value, 'webhooks')])
    leftOut.push({
      what: `webhook ${hook}`,
      why: 'what a system pushes is taken in by @ingest: write it by hand',
    });
  return {
    title: textOf(own(root.value, 'info'), 'title'),
    types: schemas.types,
    operations,
    leftOut: [...leftOut, ...schemas.leftOut],
    files: document.files(),
    address: addressOf(document),
    security: securityOf(document),
  };
}

function versionOf(value: unknown): string | undefined {
  return typeof value === 'number' ? value.toFixed(1) : typeof value === 'string' ? value : undefined;
}

interface Reading {
  readonly document: OpenapiDocument;
  readonly schemas: SchemaReader;
  readonly leftOut: LeftOut[];
  readonly reads: ReadonlySet<string>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly at: Located;
  readonly input: Input;
  readonly joint: string | undefined;
}

/** Of a write: what it answers is for a person to say. */
const NO_ANSWER: Answer = {
  path: [],
  isList: false,
  isLoose: false,
  isUnsaid: true,
  shape: { kind: 'scalar', type: 'String' },
};

/** Names of operations that change something though they are called by GET. */
const WRITING_GET =
  /^(?:log(?:in|out|on|off)|sign(?:In|Out)|delete|remove|create|update|insert|add|save|send|submit)(?![a-z])/;

class OperationReader {
  readonly #reading: Reading;
  readonly #item: Located;
  readonly #operation: Located;
  readonly #path: string;
  readonly #method: Method;
  readonly #id: string;

  constructor(reading: Reading, item: Located, path: string, method: Method) {
    this.#reading = reading;
    this.#item = item;
    this.#operation = reading.document.child(item, method);
    this.#path = path;
    this.#method = method;
    this.#id = textOf(this.#operation.value, 'operationId') ?? `${method.toUpperCase()} ${path}`;
  }

  read(): Operation | undefined {
    const { schemas } = this.#reading;
    const { isRead, check } = this.#judge();
    const found = this.#answer();
    if ('why' in found && isRead) return this.#drop(found.why);
    const answer = 'why' in found ? NO_ANSWER : found;
    const parameters = this.#parameters();
    if (parameters === undefined) return undefined;
    const body = this.#body();
    if (body === undefined) return undefined;
    const { answer: unwrapped, passedOver } = unwrapAnswer(answer, schemas.types);
    const checks = [check, envelopeCheck(passedOver)].filter((text) => text !== undefined);
    const { value } = this.#operation;
    return {
      id: this.#id,
      name: this.#name(),
      description: textOf(value, 'summary') ?? textOf(value, 'description'),
      isRead,
      check: checks.length === 0 ? undefined : checks.join('; '),
      inputs: [...parameters.map(({ input }) => input), ...body.map(({ input }) => input)],
      answer: unwrapped,
      call: (texts) => this.#call(parameters, body, texts),
      ...(parameters.some(({ input, joint }) => input.shape.kind === 'list' && joint !== undefined)
        ? { batchHow: 'LIST_PARAM' as const }
        : body.length > 0
          ? { batchHow: 'JSON_BODY' as const }
          : {}),
    };
  }

  #drop(why: string): undefined {
    this.#reading.leftOut.push({ what: this.#id, why });
  }

  #name(): string {
    const id = textOf(this.#operation.value, 'operationId');
    if (id !== undefined) return id;
    const steps = this.#path.split('/').filter((step) => step !== '');
    const words = steps.filter((step) => !step.startsWith('{'));
    const by = steps.at(-1)?.startsWith('{') === true ? `By ${steps.at(-1)}` : '';
    return `${this.#method === 'get' ? '' : this.#method} ${words.join(' ')} ${by}`;
  }

  #judge(): { readonly isRead: boolean; readonly check?: string } {
    const { reads } = this.#reading;
    if (this.#method === 'get' && !WRITING_GET.test(fieldName(this.#name()))) return { isRead: true };
    const call = `${this.#method.toUpperCase()} ${this.#path}`;
    if (reads.has(this.#id) || reads.has(call)) return { isRead: true };
    const seems =
      this.#method === 'post' && readsByName(fieldName(this.#path.split('/').at(-1) ?? '')) === true;
    return { isRead: false, check: seems ? `${call} seems to read, by its name` : call };
  }

  #answer(): Answer | { readonly why: string } {
    const { document, schemas } = this.#reading;
    const codes = keysOf(this.#operation.value, 'responses');
    const code =
      codes.find((one) => /^2\d\d$/.test(one) && one !== '204') ??
      codes.find((one) => /^2XX$/i.test(one)) ??
      codes.find((one) => one === 'default');
    if (code === undefined) return { why: 'the contract says of no answer what it holds' };
    const response = document.child(this.#operation, 'responses', code);
    const media = jsonMedia(keysOf(response.value, 'content'));
    if (media === undefined && keysOf(response.value, 'content').length > 0)
      return { why: 'its answer is not JSON' };
    const schema =
      media === undefined
        ? document.child(response, 'schema')
        : document.child(response, 'content', media, 'schema');
    if (schema.value === undefined) return { why: 'the contract does not say what its answer holds' };
    const shape = schemas.shapeOf(schema, `${this.#name()} answer`);
    if (shape === undefined) return { why: 'its answer has no fields that the contract names' };
    if (shape.kind === 'list' && shape.of.kind === 'list') return { why: 'its answer is a list of lists' };
    return shape.kind === 'list' && shape.of.kind === 'named'
      ? { path: [], isList: true, isLoose: false, shape: shape.of }
      : {
          path: [],
          isList: shape.kind === 'list',
          isLoose: false,
          shape: shape.kind === 'list' ? shape.of : shape,
        };
  }

  #parameters(): readonly Parameter[] | undefined {
    const { document, leftOut } = this.#reading;
    const found = new Map<string, Parameter>();
    for (const holder of [this.#item, this.#operation]) {
      for (const index of listOf(holder.value, 'parameters').keys()) {
        const at = document.child(holder, 'parameters', String(index));
        const [name, place] = [textOf(at.value, 'name'), textOf(at.value, 'in')];
        if (name === undefined || place === undefined || place === 'body' || place === 'formData') continue;
        const parameter = this.#parameter(at, name, place);
        if ('why' in parameter) {
          const isRequired = place === 'path' || own(at.value, 'required') === true;
          if (isRequired) return this.#drop(`it needs the ${place} parameter ${name}, and ${parameter.why}`);
          leftOut.push({ what: `${this.#id}: ${place} parameter ${name}`, why: parameter.why });
        } else found.set(`${place} ${name}`, parameter);
      }
    }
    const named = [...found.values()];
    const missing = [...this.#path.matchAll(/\{([^}]+)\}/g)].find(
      ([, name]) => !named.some((one) => one.in === 'path' && one.name === name),
    );
    if (missing !== null && missing !== undefined)
      return this.#drop(`its path has {${missing[1]}}, which is no parameter`);
    return named;
  }

  #parameter(at: Located, name: string, place: string): Parameter | { readonly why: string } {
    const { document, schemas } = this.#reading;
    if (place !== 'path' && place !== 'query') return { why: `a ${place} parameter is not sent` };
    if (!isMappable(name)) return { why: 'its name cannot stand in a mapping' };
    const schema = own(at.value, 'schema') === undefined ? at : document.child(at, 'schema');
    const shape = schemas.shapeOf(schema, name);
    const plain = argumentShape(shape, (id) => schemas.types.get(id)?.kind === 'enum');
    if (plain === undefined) return { why: 'an object is no parameter here' };
    const joint = plain.kind === 'list' ? jointOf(at.value) : undefined;
    const isSingle = plain.kind === 'list' && joint === undefined;
    const check = isSingle ? 'the system takes it several times; here it is sent once' : undefined;
    const input: Input = {
      name,
      description: textOf(at.value, 'description'),
      shape: isSingle && plain.kind === 'list' ? plain.of : plain,
      isRequired: place === 'path' || own(at.value, 'required') === true,
      isInPath: place === 'path',
      check,
    };
    return { name, in: place, at, input, joint };
  }

  /** Arguments that stand in a JSON body; undefined when the operation cannot be drafted for it. */
  #body(): readonly FlatInput[] | undefined {
    const { document, schemas, leftOut } = this.#reading;
    const schema = this.#bodySchema();
    if (schema === undefined) return [];
    if (typeof schema === 'string') return this.#method === 'get' ? [] : this.#drop(schema);
    if (this.#method === 'get') return [];
    const members = schemas.membersOf(schema, `${this.#name()} input`);
    if (members === undefined) return this.#drop('its body is no object whose fields the contract names');
    const usable: readonly Member[] = members.filter(
      ({ name }) => own(own(own(document.resolve(schema).value, 'properties'), name), 'readOnly') !== true,
    );
    return (
      flattenInputs(usable, schemas.types, this.#id, leftOut) ??
      this.#drop('its body needs what cannot be an argument')
    );
  }

  #bodySchema(): Located | string | undefined {
    const { document } = this.#reading;
    const request = document.child(this.#operation, 'requestBody');
    if (isObject(request.value)) {
      const media = jsonMedia(keysOf(request.value, 'content'));
      return media === undefined
        ? 'its body is not JSON'
        : document.child(request, 'content', media, 'schema');
    }
    for (const index of listOf(this.#operation.value, 'parameters').keys()) {
      const at = document.child(this.#operation, 'parameters', String(index));
      if (textOf(at.value, 'in') === 'formData') return 'its body is a form';
      if (textOf(at.value, 'in') === 'body') return document.child(at, 'schema');
    }
    return undefined;
  }

  #call(parameters: readonly Parameter[], body: readonly FlatInput[], texts: InputTexts): string {
    const textOfInput = ({ input, joint }: Parameter) => {
      const text = texts.get(input);
      return text !== undefined && joint !== undefined && input.shape.kind === 'list'
        ? `${text}->join(${quote(joint)})`
        : text;
    };
    const path = this.#path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
      const parameter = parameters.find((one) => one.in === 'path' && one.name === name);
      return `{${parameter === undefined ? 'null' : textOfInput(parameter)}}`;
    });
    const entries = parameters.flatMap((parameter) => {
      const text = parameter.in === 'query' ? textOfInput(parameter) : undefined;
      return text === undefined ? [] : [`${entryName(parameter.name)}: ${text}`];
    });
    const query = entries.length === 0 ? '' : `, query: ${mappingString(entries.join(' '), '      ')}`;
    const sent = inputEntries(body, texts);
    const bodyText = sent === '' ? '' : `, body: ${mappingString(sent, '      ')}`;
    return `http: { ${this.#method.toUpperCase()}: ${stringText(path)}${query}${bodyText} }`;
  }
}

function jsonMedia(types: readonly string[]): string | undefined {
  return (
    types.find((type) => /^application\/json(?:;|$)/i.test(type)) ??
    types.find((type) => /json|^\*\/\*$/i.test(type))
  );
}

/** A plain value or a list of plain values. */
function argumentShape(shape: Shape | undefined, isEnum: (id: string) => boolean): Shape | undefined {
  if (shape === undefined) return undefined;
  if (shape.kind === 'named') return isEnum(shape.id) ? shape : undefined;
  if (shape.kind === 'scalar') return shape;
  const of = argumentShape(shape.of, isEnum);
  if (of === undefined || of.kind === 'list') return undefined;
  return { kind: 'list', of: of.kind === 'scalar' ? of : { kind: 'scalar', type: 'String' } };
}

/** What stands between the values of a list in one parameter; undefined when each is a parameter of its own. */
function jointOf(parameter: unknown): string | undefined {
  const format = textOf(parameter, 'collectionFormat');
  const isSwagger = own(parameter, 'schema') === undefined;
  if (isSwagger) return { ssv: ' ', tsv: '\t', pipes: '|', multi: undefined, csv: ',' }[format ?? 'csv'];
  const style = textOf(parameter, 'style') ?? (textOf(parameter, 'in') === 'path' ? 'simple' : 'form');
  if (style === 'simple') return ',';
  if (own(parameter, 'explode') !== false) return undefined;
  return { form: ',', spaceDelimited: ' ', pipeDelimited: '|' }[style];
}

function addressOf({ root }: OpenapiDocument): string | undefined {
  const server = listOf(root.value, 'servers')[0];
  const url = textOf(server, 'url');
  if (url !== undefined)
    return url.replaceAll(/\{([^}]+)\}/g, (whole, name: string) =>
      String(own(own(own(server, 'variables'), name), 'default') ?? whole),
    );
  const host = textOf(root.value, 'host');
  if (host === undefined) return textOf(root.value, 'basePath');
  const schemes = listOf(root.value, 'schemes');
  return `${schemes.includes('https') ? 'https' : (schemes[0] ?? 'http')}://${host}${textOf(root.value, 'basePath') ?? ''}`;
}

/** The schemes that the document asks for as a whole, or else those that any operation may. */
function securityOf(document: OpenapiDocument): readonly SecurityScheme[] {
  const { root } = document;
  const holder =
    own(root.value, 'securityDefinitions') === undefined
      ? ['components', 'securitySchemes']
      : ['securityDefinitions'];
  const defined = document.child(root, ...holder);
  const asked = listOf(root.value, 'security').flatMap((one) => (isObject(one) ? Object.keys(one) : []));
  const names = isObject(defined.value) ? Object.keys(defined.value) : [];
  return names
    .filter((name) => asked.length === 0 || asked.includes(name))
    .map((name) => {
      const { value } = document.child(defined, name);
      return {
        name,
        type: textOf(value, 'type') ?? '',
        scheme: textOf(value, 'scheme'),
        in: textOf(value, 'in'),
        key: textOf(value, 'name'),
      };
    });
}
