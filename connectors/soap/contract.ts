// Reads what a WSDL 1.1 file binds: its SOAP ports with their versions, and its operations.
import { readFileSync } from 'node:fs';
import { XMLParser } from 'fast-xml-parser';
import type { SoapVersion } from '../plan.ts';
import { refuseXml } from '../xml/parse.ts';

export interface SoapPort {
  readonly service: string;
  readonly port: string;
  readonly version: SoapVersion;
}

export interface SoapContract {
  /** Ports with a SOAP binding in this file; those of HTTP bindings are not among them. */
  readonly ports: readonly SoapPort[];
  readonly operations: readonly string[];
}

const VERSIONS: Readonly<Record<string, SoapVersion>> = {
  'http://schemas.xmlsoap.org/wsdl/soap/': 'SOAP_11',
  'http://schemas.xmlsoap.org/wsdl/soap12/': 'SOAP_12',
};

const EMPTY: SoapContract = { ports: [], operations: [] };

/** What stands in this one file: nothing of what it imports, and nothing at all when it cannot be read as XML. */
export function readContract(wsdlFile: string): SoapContract {
  const text = readFileSync(wsdlFile, 'utf8');
  if (refuseXml(text) !== undefined) return EMPTY;
  let tree: Node;
  try {
    tree = parser().parse(text) as Node;
  } catch {
    // What is wrong with it is told by opening it.
    return EMPTY;
  }
  const [definitions] = childrenOf(tree, 'definitions');
  if (definitions === undefined) return EMPTY;
  const bindings = new Map(
    childrenOf(definitions, 'binding').map((binding) => [binding._name, versionOf(binding, definitions)]),
  );
  const ports = childrenOf(definitions, 'service').flatMap((service) =>
    childrenOf(service, 'port').flatMap((port) => {
      const version = bindings.get(localName(String(port._binding ?? '')));
      return version === undefined
        ? []
        : [{ service: String(service._name), port: String(port._name), version }];
    }),
  );
  const operations = childrenOf(definitions, 'portType').flatMap((portType) =>
    childrenOf(portType, 'operation').map((operation) => String(operation._name)),
  );
  return { ports, operations: [...new Set(operations)] };
}

/** Elements as lists by their names with prefixes; attributes with `_`. */
type Node = Readonly<Record<string, unknown>>;

function parser(): XMLParser {
  return new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '_',
    parseTagValue: false,
    processEntities: false,
    isArray: (_name, _path, _isLeaf, isAttribute) => !isAttribute,
  });
}

function childrenOf(node: Node, name: string): readonly Node[] {
  return Object.entries(node)
    .filter(([key]) => !key.startsWith('_') && localName(key) === name)
    .flatMap(([, value]) => value as readonly Node[])
    .filter((child) => typeof child === 'object');
}

/** Which SOAP a binding binds, by the namespace of the `binding` element within it. */
function versionOf(binding: Node, definitions: Node): SoapVersion | undefined {
  for (const key of Object.keys(binding)) {
    if (localName(key) !== 'binding') continue;
    const prefix = key.includes(':') ? `_xmlns:${key.slice(0, key.indexOf(':'))}` : '_xmlns';
    const [own] = binding[key] as readonly Node[];
    const namespace = own?.[prefix] ?? binding[prefix] ?? definitions[prefix];
    return VERSIONS[String(namespace)];
  }
  return undefined;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
