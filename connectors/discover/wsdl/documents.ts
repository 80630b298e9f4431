// Gathers a WSDL with all that it imports, from files beside it only.
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errorAt, readXml, type XmlElement } from './xml.ts';

export const WSDL = 'http://schemas.xmlsoap.org/wsdl/';
export const XSD = 'http://www.w3.org/2001/XMLSchema';
/** Files of one contract. */
const FILES_MAX = 60;

export interface WsdlDocuments {
  /** The `definitions` of the WSDL and of those that it imports. */
  readonly definitions: readonly XmlElement[];
  /** Every schema with the namespace that it defines. */
  readonly schemas: readonly { readonly element: XmlElement; readonly namespace: string }[];
  /** All files that were read, the WSDL first. */
  readonly files: readonly string[];
}

/**
 * @throws OperatorError with file, line and column for what is no WSDL 1.1, and for an import without a file
 */
export function readDocuments(file: string, encoding?: string): WsdlDocuments {
  const definitions: XmlElement[] = [];
  const schemas: { element: XmlElement; namespace: string }[] = [];
  const files = new Set<string>();

  const readFile = (path: string, from: XmlElement | undefined, namespace: string | undefined): void => {
    if (files.has(path)) return;
    if (files.size >= FILES_MAX && from !== undefined)
      throw errorAt(from.place, `it imports more than ${FILES_MAX} files`, 'leave out what is not needed');
    files.add(path);
    const root = readXml(path, encoding);
    if (root.name === 'definitions' && root.namespace === WSDL) readDefinitions(root);
    else if (root.name === 'schema' && root.namespace === XSD && from !== undefined)
      readSchema(root, namespace);
    else
      throw errorAt(
        root.place,
        `it is ${describe(root)}, not WSDL 1.1`,
        'give the WSDL that the system answers at ?wsdl',
      );
  };
  const readDefinitions = (root: XmlElement): void => {
    definitions.push(root);
    for (const child of root.children) {
      if (child.name === 'import') follow(child, 'location', undefined);
      if (child.name === 'types')
        for (const schema of child.children) if (schema.name === 'schema') readSchema(schema, undefined);
    }
  };
  const readSchema = (element: XmlElement, includer: string | undefined): void => {
    const namespace = element.attributes.get('targetNamespace') ?? includer ?? '';
    schemas.push({ element, namespace });
    for (const child of element.children) {
      if (child.name === 'include' || child.name === 'redefine') follow(child, 'schemaLocation', namespace);
      if (child.name === 'import') follow(child, 'schemaLocation', undefined);
    }
  };
  const follow = (element: XmlElement, attribute: string, namespace: string | undefined): void => {
    const location = element.attributes.get(attribute);
    if (location === undefined || location === '') return;
    const found = localCopy(dirname(element.place.file), location);
    if (found !== undefined) {
      readFile(found, element, namespace);
      return;
    }
    // What SOAP and XML themselves define is known without a file.
    if (isWellKnown(element.attributes.get('namespace'))) return;
    const name = basename(location.split(/[?#]/)[0] ?? location);
    throw errorAt(
      element.place,
      `it imports ${location}, which is not here`,
      `put a copy named ${name} beside it, or into xsd/`,
    );
  };
  readFile(resolve(file), undefined, undefined);
  return { definitions, schemas, files: [...files] };
}

/** Nothing is fetched: an import is a file in the folder, whatever host it names. */
function localCopy(folder: string, location: string): string | undefined {
  const plain = location.split(/[?#]/)[0] ?? location;
  const relative = /^[a-z]+:/i.test(plain) ? [] : [join(folder, plain)];
  const name = basename(plain);
  return [...relative, join(folder, name), join(folder, 'xsd', name)].find((path) => existsSync(path));
}

const WELL_KNOWN =
  /^http:\/\/(?:schemas\.xmlsoap\.org\/(?:soap|wsdl)\/|www\.w3\.org\/(?:2001\/XMLSchema|XML\/1998|2003\/05\/soap))/;

export function isWellKnown(namespace: string | undefined): boolean {
  return namespace !== undefined && WELL_KNOWN.test(namespace);
}

function describe(root: XmlElement): string {
  if (root.name === 'description') return 'WSDL 2.0';
  return `an element '${root.name}'`;
}
