// Reads a WSDL 1.1 with its schemas to a contract.
import { basename } from 'node:path';
import { envelopeCheck, unwrapAnswer } from '../answers.ts';
import type { Answer, Contract, LeftOut, Member, Operation } from '../contract-model.ts';
import { type FlatInput, flattenInputs, inputEntries } from '../inputs.ts';
import { fieldName } from '../names.ts';
import { readsByName } from '../reads.ts';
import { mappingString } from '../sdl-text.ts';
import { readDocuments, WSDL, type WsdlDocuments } from './documents.ts';
import { documentation, readSchemaTypes, type SchemaTypes, unwrapList } from './schema-types.ts';
import { errorAt, qualifiedName, type XmlElement } from './xml.ts';

const SOAP_BINDINGS: readonly string[] = [
  'http://schemas.xmlsoap.org/wsdl/soap/',
  'http://schemas.xmlsoap.org/wsdl/soap12/',
];

export interface WsdlContract extends Contract {
  /** All files that it is made of, the WSDL first. */
  readonly files: readonly string[];
  /** Where the WSDL says that the service is. */
  readonly address: string | undefined;
}

/** One operation as a SOAP binding has it. */
interface BoundOperation {
  readonly name: string;
  readonly style: 'document' | 'rpc';
  readonly binding: XmlElement;
  readonly abstract: XmlElement;
}

/**
 * @param reads names of operations that are known to read, whatever their name says
 * @throws OperatorError with file, line and column for what is no WSDL or refers to what is not there
 */
export function readWsdl(file: string, reads: ReadonlySet<string>, encoding?: string): WsdlContract {
  const documents = readDocuments(file, encoding);
  const schema = readSchemaTypes(documents);
  const index = indexDefinitions(documents);
  const leftOut: LeftOut[] = [];
  const bound = boundOperations(documents, index, leftOut);
  const operations = bound.flatMap(
    (operation) => readOperation(operation, { index, schema, leftOut, reads }) ?? [],
  );
  const root = documents.definitions[0];
  return {
    title: root?.attributes.get('name') ?? first(root, 'service')?.attributes.get('name') ?? basename(file),
    types: schema.types,
    operations,
    leftOut: [...leftOut, ...schema.leftOut],
    files: documents.files,
    address: addressOf(documents),
  };
}

/** Named parts of all definitions: `message {ns}name` and so on. */
type Index = ReadonlyMap<string, XmlElement>;

function indexDefinitions({ definitions }: WsdlDocuments): Index {
  const index = new Map<string, XmlElement>();
  for (const root of definitions) {
    const namespace = root.attributes.get('targetNamespace') ?? '';
    for (const child of root.children) {
      const name = child.attributes.get('name');
      if (child.namespace === WSDL && name !== undefined)
        index.set(`${child.name} {${namespace}}${name}`, child);
    }
  }
  return index;
}

function findNamed(index: Index, kind: string, user: XmlElement, attribute: string): XmlElement {
  const name = qualifiedName(user, attribute);
  const found = name === undefined ? undefined : index.get(`${kind} ${name}`);
  if (found !== undefined) return found;
  throw errorAt(
    user.place,
    `there is no ${kind} '${user.attributes.get(attribute) ?? ''}'`,
    'define it, or correct the name',
  );
}

function boundOperations(
  { definitions }: WsdlDocuments,
  index: Index,
  leftOut: LeftOut[],
): readonly BoundOperation[] {
  const found = new Map<string, BoundOperation>();
  const ports = definitions
    .flatMap((root) => all(root, 'service'))
    .flatMap((service) => all(service, 'port'));
  const bindings = new Set(ports.map((port) => findNamed(index, 'binding', port, 'binding')));
  for (const binding of bindings.size > 0 ? bindings : definitions.flatMap((root) => all(root, 'binding'))) {
    const soap = binding.children.find(
      (child) => child.name === 'binding' && SOAP_BINDINGS.includes(child.namespace),
    );
    if (soap === undefined) continue;
    const portType = findNamed(index, 'portType', binding, 'type');
    for (const operation of all(binding, 'operation')) {
      const name = operation.attributes.get('name') ?? '';
      const abstract = all(portType, 'operation').find((one) => one.attributes.get('name') === name);
      if (abstract === undefined)
        throw errorAt(operation.place, `there is no operation '${name}' in the port type`, 'define it');
      const own = operation.children.find(
        (child) => child.name === 'operation' && SOAP_BINDINGS.includes(child.namespace),
      );
      const style =
        (own?.attributes.get('style') ?? soap.attributes.get('style')) === 'rpc' ? 'rpc' : 'document';
      const known = found.get(name);
      if (known === undefined) found.set(name, { name, style, binding: operation, abstract });
      else if (known.abstract !== abstract)
        leftOut.push({ what: name, why: 'another operation has the same name' });
    }
  }
  if (found.size === 0 && definitions[0] !== undefined)
    throw errorAt(
      definitions[0].place,
      'it has no operation with a SOAP binding over HTTP',
      'give the WSDL of a SOAP service',
    );
  return [...found.values()];
}

interface Reading {
  readonly index: Index;
  readonly schema: SchemaTypes;
  readonly leftOut: LeftOut[];
  readonly reads: ReadonlySet<string>;
}

function readOperation(bound: BoundOperation, reading: Reading): Operation | undefined {
  const { name } = bound;
  const drop = (why: string) => void reading.leftOut.push({ what: name, why });
  const [input, output] = [messageMembers(bound, 'input', reading), messageMembers(bound, 'output', reading)];
  if (output === undefined) return drop('it has no answer, or one that is a plain value or of several parts');
  if (input === undefined) return drop('its input is a plain value or of several parts');
  const inputs = flattenInputs(input, reading.schema.types, name, reading.leftOut);
  if (inputs === undefined) return drop('an argument that it needs cannot be given');
  const { answer, passedOver } = unwrapAnswer(answerOf(name, output, reading), reading.schema.types);
  const { isRead, check } = judge(name, reading.reads);
  const checks = [check, envelopeCheck(passedOver)].filter((text) => text !== undefined);
  return {
    id: name,
    name,
    description: documentation(bound.abstract) ?? documentation(bound.binding),
    isRead,
    check: checks.length === 0 ? undefined : checks.join('; '),
    inputs: inputs.map((flat) => flat.input),
    answer,
    call: (texts) => callText(name, inputs, texts),
    batchHow: 'SOAP_ARRAY',
  };
}

function callText(
  operation: string,
  inputs: readonly FlatInput[],
  texts: Parameters<Operation['call']>[0],
): string {
  const entries = inputEntries(inputs, texts);
  const input = entries === '' ? '' : `, input: ${mappingString(entries, '      ')}`;
  return `soap: { operation: "${operation}"${input} }`;
}

function judge(
  name: string,
  reads: ReadonlySet<string>,
): { readonly isRead: boolean; readonly check?: string } {
  if (reads.has(name)) return { isRead: true };
  const byName = readsByName(fieldName(name));
  if (byName === true) return { isRead: true, check: `check: ${name} is taken to read only, by its name` };
  return {
    isRead: false,
    check: byName === false ? `${name} writes, by its name` : `${name} may write: its name does not say`,
  };
}

function answerOf(name: string, output: readonly Member[], { schema }: Reading): Answer {
  const id = `answer of ${name}`;
  schema.types.set(id, { kind: 'object', id, name: `${name}Answer`, members: output });
  return { path: [], isList: false, isLoose: false, shape: { kind: 'named', id } };
}

/** The members of a message's body; undefined when it is none that has members. */
function messageMembers(
  bound: BoundOperation,
  direction: 'input' | 'output',
  reading: Reading,
): readonly Member[] | undefined {
  const { index, schema, leftOut } = reading;
  const abstract = first(bound.abstract, direction);
  if (abstract === undefined) return direction === 'input' ? [] : undefined;
  const message = findNamed(index, 'message', abstract, 'message');
  const bindingSide = first(bound.binding, direction);
  const headers = (bindingSide?.children ?? []).filter((child) => child.name === 'header');
  for (const header of headers) {
    const part = header.attributes.get('part') ?? '';
    if (direction === 'input')
      leftOut.push({ what: `${bound.name}: header ${part}`, why: 'headers of SOAP are not sent' });
  }
  const own = headers.filter(
    (header) => qualifiedName(header, 'message') === qualifiedName(abstract, 'message'),
  );
  const inHeader = new Set(own.map((header) => header.attributes.get('part')));
  const only = bindingSide?.children
    .find((child) => child.name === 'body')
    ?.attributes.get('parts')
    ?.trim()
    .split(/\s+/);
  const parts = all(message, 'part').filter((part) => {
    const name = part.attributes.get('name') ?? '';
    return only === undefined ? !inHeader.has(name) : only.includes(name);
  });
  if (bound.style === 'rpc') return parts.map((part) => rpcMember(part, schema));
  const [part, ...more] = parts;
  if (part === undefined) return direction === 'input' ? [] : undefined;
  const element = qualifiedName(part, 'element');
  return more.length > 0 || element === undefined ? undefined : schema.membersOfElement(element, part);
}

function rpcMember(part: XmlElement, schema: SchemaTypes): Member {
  const name = part.attributes.get('name') ?? '';
  const type = qualifiedName(part, 'type');
  const shape =
    type === undefined ? ({ kind: 'scalar', type: 'String' } as const) : schema.shapeOfType(type, part);
  return unwrapList({ name, shape, isRequired: true, description: documentation(part) }, schema.types);
}

function addressOf({ definitions }: WsdlDocuments): string | undefined {
  const ports = definitions
    .flatMap((root) => all(root, 'service'))
    .flatMap((service) => all(service, 'port'));
  const addresses = ports.flatMap((port) =>
    port.children.filter((child) => child.name === 'address' && SOAP_BINDINGS.includes(child.namespace)),
  );
  return addresses[0]?.attributes.get('location');
}

function all(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => child.name === name && child.namespace === WSDL);
}

function first(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element === undefined ? undefined : all(element, name)[0];
}
