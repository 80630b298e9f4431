// Reads the XML Schema types of a WSDL to the types of a contract.
import type { ContractType, LeftOut, Member, Scalar, Shape } from '../contract-model.ts';
import { isMappable } from '../mapping-text.ts';
import { isWellKnown, type WsdlDocuments, XSD } from './documents.ts';
import { errorAt, qualifiedName, splitName, type XmlElement } from './xml.ts';

/** Whole numbers that may pass the 32 bits of GraphQL's Int stay text, as do dates, which have no time. */
const SCALARS: Readonly<Record<string, Scalar>> = {
  boolean: 'Boolean',
  byte: 'Int',
  short: 'Int',
  int: 'Int',
  unsignedByte: 'Int',
  unsignedShort: 'Int',
  float: 'Float',
  double: 'Float',
  decimal: 'Float',
  dateTime: 'DateTime',
};
const BUILT_IN =
  /^(?:string|normalizedString|token|boolean|byte|short|int|integer|long|decimal|float|double|date|time|dateTime|anyURI|base64Binary|hexBinary|QName|anyType|anySimpleType|(?:positive|negative|nonPositive|nonNegative)Integer|unsigned(?:Byte|Short|Int|Long))$/;
const TEXT: Shape = { kind: 'scalar', type: 'String' };
/** Types that are written where they are used, within one another. */
const INLINE_DEPTH_MAX = 40;
const SOAP_ENCODING = 'http://schemas.xmlsoap.org/soap/encoding/';

interface Component {
  readonly element: XmlElement;
  readonly namespace: string;
}

export interface SchemaTypes {
  readonly types: Map<string, ContractType>;
  readonly leftOut: LeftOut[];
  /** The members of a global element's content; undefined when it holds a plain value. */
  membersOfElement(name: string, user: XmlElement): readonly Member[] | undefined;
  /** A named type, as the `type` of a message's part. */
  shapeOfType(name: string, user: XmlElement): Shape;
}

export function readSchemaTypes(documents: WsdlDocuments): SchemaTypes {
  const components = new Map<string, Component>();
  for (const { element, namespace } of documents.schemas) {
    for (const child of element.children) {
      const name = child.attributes.get('name');
      if (name !== undefined)
        components.set(`${child.name} {${namespace}}${name}`, { element: child, namespace });
    }
  }
  const reader = new Reader(components);
  return {
    types: reader.types,
    leftOut: reader.leftOut,
    membersOfElement: (name, user) => reader.membersOfElement(name, user),
    shapeOfType: (name, user) => reader.shapeOfType(name, user, 0),
  };
}

class Reader {
  readonly types = new Map<string, ContractType>();
  readonly leftOut: LeftOut[] = [];
  readonly #components: ReadonlyMap<string, Component>;
  readonly #found = new Map<string, Shape>();

  constructor(components: ReadonlyMap<string, Component>) {
    this.#components = components;
  }

  membersOfElement(name: string, user: XmlElement): readonly Member[] | undefined {
    const { element } = this.#find('element', name, user);
    const type = qualifiedName(element, 'type');
    const inline = child(element, 'complexType');
    if (inline !== undefined) return this.#membersOf(inline, element.attributes.get('name') ?? '', 0);
    if (type === undefined) return child(element, 'simpleType') === undefined ? [] : undefined;
    const shape = this.shapeOfType(type, element, 0);
    if (shape.kind !== 'named') return undefined;
    const found = this.types.get(shape.id);
    return found?.kind === 'object' ? found.members : undefined;
  }

  shapeOfType(name: string, user: XmlElement, depth: number): Shape {
    const [, namespace, local] = /^\{(.*)\}(.*)$/.exec(name) ?? ['', '', name];
    if (namespace === XSD) return scalarOf(local ?? '');
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const complex = this.#components.get(`complexType ${name}`);
    const simple = this.#components.get(`simpleType ${name}`);
    if (complex === undefined && simple === undefined) {
      // Some name XML Schema's own types without its prefix.
      if (isWellKnown(namespace) || (namespace === '' && BUILT_IN.test(local ?? '')))
        return scalarOf(local ?? '');
      throw errorAt(
        user.place,
        `there is no type '${local}' of namespace '${namespace}'`,
        'define it, or correct the name',
      );
    }
    if (simple !== undefined && complex === undefined) {
      const shape = this.#simpleShape(simple.element, local ?? '', name, depth);
      this.#found.set(name, shape);
      return shape;
    }
    return complex === undefined ? TEXT : this.#complexShape(complex.element, local ?? '', name, depth);
  }

  /** @param id of the type: its qualified name, or for one without a name where it stands */
  #complexShape(element: XmlElement, name: string, id: string, depth: number): Shape {
    const array = arrayOf(element);
    if (array !== undefined) {
      // The elements of an encoded array have any name; toolkits write `item`.
      const shape: Shape = { kind: 'list', of: this.shapeOfType(array, element, depth + 1), isLoose: true };
      this.types.set(id, { kind: 'object', id, name, members: [{ name: 'item', shape }] });
      this.#found.set(id, { kind: 'named', id });
      return { kind: 'named', id };
    }
    const simpleContent = child(element, 'simpleContent');
    if (simpleContent !== undefined) {
      const base = derivation(simpleContent);
      const type = base && qualifiedName(base, 'base');
      const shape = type === undefined ? TEXT : this.shapeOfType(type, element, depth + 1);
      this.#found.set(id, shape);
      return shape;
    }
    const shape: Shape = { kind: 'named', id };
    this.#found.set(id, shape);
    if (depth > INLINE_DEPTH_MAX)
      throw errorAt(element.place, `its types are more than ${INLINE_DEPTH_MAX} deep`, 'name them');
    // Known before its members are read: one of them may lead back to it.
    this.types.set(id, { kind: 'object', id, name, members: [] });
    const members = this.#membersOf(element, name, depth);
    this.types.set(id, { kind: 'object', id, name, description: documentation(element), members });
    return shape;
  }

  #simpleShape(element: XmlElement, name: string, id: string, depth: number): Shape {
    const restriction = child(element, 'restriction');
    if (restriction === undefined) return TEXT;
    const values = restriction.children
      .filter((one) => one.name === 'enumeration')
      .map((one) => one.attributes.get('value') ?? '');
    if (values.length > 0 && values.every(isMappable)) {
      this.types.set(id, {
        kind: 'enum',
        id,
        name,
        description: documentation(element),
        values: [...new Set(values)],
      });
      return { kind: 'named', id };
    }
    const base = qualifiedName(restriction, 'base');
    return base === undefined ? TEXT : this.shapeOfType(base, restriction, depth + 1);
  }

  /** Fields of a complex type: inherited ones first, then its own, then attributes. */
  #membersOf(element: XmlElement, owner: string, depth: number): readonly Member[] {
    const members: Member[] = [];
    const content = child(element, 'complexContent');
    const derived = content && derivation(content);
    if (derived?.name === 'extension') {
      const base = qualifiedName(derived, 'base');
      const shape = base === undefined ? undefined : this.shapeOfType(base, derived, depth + 1);
      const parent = shape?.kind === 'named' ? this.types.get(shape.id) : undefined;
      if (parent?.kind === 'object') members.push(...parent.members);
    }
    this.#addParticles(derived ?? element, owner, depth, false, members);
    const names = new Set<string>();
    return members.filter(({ name }) => !names.has(name) && names.add(name));
  }

  #addParticles(
    element: XmlElement,
    owner: string,
    depth: number,
    isRepeated: boolean,
    members: Member[],
  ): void {
    for (const part of element.children) {
      const repeated = isRepeated || isMany(part);
      switch (part.name) {
        case 'sequence':
        case 'all':
        case 'choice':
          this.#addParticles(part, owner, depth, repeated, members);
          break;
        case 'group':
        case 'attributeGroup': {
          const ref = qualifiedName(part, 'ref');
          if (ref !== undefined && depth < INLINE_DEPTH_MAX)
            this.#addParticles(this.#find(part.name, ref, part).element, owner, depth + 1, repeated, members);
          break;
        }
        case 'element':
          this.#addElement(part, owner, depth, repeated, members);
          break;
        case 'attribute':
          this.#addAttribute(part, owner, depth, members);
          break;
        case 'any':
          this.leftOut.push({ what: `${owner}.*`, why: 'xsd:any: the contract does not say what is there' });
          break;
        default:
      }
    }
  }

  #addElement(part: XmlElement, owner: string, depth: number, isList: boolean, members: Member[]): void {
    const ref = qualifiedName(part, 'ref');
    const element = ref === undefined ? part : this.#find('element', ref, part).element;
    const name = element.attributes.get('name') ?? '';
    const what = `${owner}.${name}`;
    if (!isMappable(name)) return void this.leftOut.push({ what, why: 'its name cannot stand in a mapping' });
    const shape = this.#elementShape(element, what, depth);
    const description = documentation(part) ?? documentation(element);
    const isRequired =
      (part.attributes.get('minOccurs') ?? '1') !== '0' && part.attributes.get('nillable') !== 'true';
    const member: Member = {
      name,
      description,
      isRequired,
      shape: isList ? { kind: 'list', of: shape, isLoose: true } : shape,
    };
    members.push(unwrapList(member, this.types));
  }

  #elementShape(element: XmlElement, where: string, depth: number): Shape {
    const type = qualifiedName(element, 'type');
    if (type !== undefined) return this.shapeOfType(type, element, depth + 1);
    const name = where.replaceAll('.', '_');
    const id = `${where}@${element.place.file}:${element.place.offset}`;
    const known = this.#found.get(id);
    if (known !== undefined) return known;
    const complex = child(element, 'complexType');
    if (complex !== undefined) return this.#complexShape(complex, name, id, depth + 1);
    const simple = child(element, 'simpleType');
    return simple === undefined ? TEXT : this.#simpleShape(simple, name, id, depth + 1);
  }

  #addAttribute(part: XmlElement, owner: string, depth: number, members: Member[]): void {
    const name = part.attributes.get('name');
    if (name === undefined || part.attributes.get('use') === 'prohibited') return;
    const what = `${owner}@${name}`;
    if (!isMappable(name)) return void this.leftOut.push({ what, why: 'its name cannot stand in a mapping' });
    const type = qualifiedName(part, 'type');
    const shape =
      type === undefined ? this.#elementShape(part, what, depth) : this.shapeOfType(type, part, depth + 1);
    // The value of an attribute comes as text, whatever its type.
    const text =
      shape.kind === 'named' || (shape.kind === 'scalar' && shape.type === 'DateTime') ? shape : TEXT;
    members.push({ name, path: ['attributes', name], description: documentation(part), shape: text });
  }

  #find(kind: string, name: string, user: XmlElement): Component {
    const found = this.#components.get(`${kind} ${name}`);
    if (found !== undefined) return found;
    const [, namespace, local] = /^\{(.*)\}(.*)$/.exec(name) ?? ['', '', name];
    throw errorAt(
      user.place,
      `there is no ${kind} '${local}' of namespace '${namespace}'`,
      'define it, or correct the name',
    );
  }
}

/** `cases: { case: [Case] }` is a list of Case: the type around it says nothing. */
export function unwrapList(member: Member, types: ReadonlyMap<string, ContractType>): Member {
  const type = member.shape.kind === 'named' ? types.get(member.shape.id) : undefined;
  const [only, ...more] = type?.kind === 'object' ? type.members : [];
  if (only?.shape.kind !== 'list' || more.length > 0) return member;
  return {
    ...member,
    path: [...(member.path ?? [member.name]), ...(only.path ?? [only.name])],
    shape: only.shape,
  };
}

function scalarOf(local: string): Shape {
  return { kind: 'scalar', type: SCALARS[local] ?? 'String' };
}

function isMany(part: XmlElement): boolean {
  const max = part.attributes.get('maxOccurs');
  return max === 'unbounded' || Number(max ?? 1) > 1;
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((one) => one.name === name);
}

function derivation(content: XmlElement): XmlElement | undefined {
  return child(content, 'extension') ?? child(content, 'restriction');
}

/** The element type of a SOAP-encoded array: `wsdl:arrayType="tns:Order[]"` (WSDL 1.1 section 2.2). */
function arrayOf(element: XmlElement): string | undefined {
  const content = child(element, 'complexContent');
  const restriction = content && child(content, 'restriction');
  if (restriction === undefined || qualifiedName(restriction, 'base') !== `{${SOAP_ENCODING}}Array`)
    return undefined;
  const attribute = child(restriction, 'attribute');
  const text = attribute?.attributes.get('{http://schemas.xmlsoap.org/wsdl/}arrayType');
  if (text === undefined || attribute === undefined) return undefined;
  const [prefix, name] = splitName(text.replace(/\[.*$/, ''));
  return `{${attribute.namespaceOf(prefix) ?? ''}}${name}`;
}

export function documentation(element: XmlElement): string | undefined {
  const holder = child(element, 'annotation') ?? element;
  const text = holder.children
    .filter((one) => one.name === 'documentation')
    .map((one) => allText(one))
    .join(' ')
    .trim();
  return text === '' ? undefined : text;
}

function allText(element: XmlElement): string {
  return [element.text, ...element.children.map(allText)].join(' ').trim();
}
