// Reads the schemas of an OpenAPI document, 2.0 to 3.1, to the types of a contract.
import { isEnvelope } from '../answers.ts';
import type { ContractType, LeftOut, Member, Shape } from '../contract-model.ts';
import { isMappable } from '../mapping-text.ts';
import { isObject, keysOf, type Located, listOf, type OpenapiDocument, own, textOf } from './document.ts';

/** Schemas within one another that have no name. */
const DEPTH_MAX = 30;
const MEMBERS_MAX = 300;
const TEXT: Shape = { kind: 'scalar', type: 'String' };

export interface SchemaReader {
  readonly types: Map<string, ContractType>;
  readonly leftOut: LeftOut[];
  /** @param name for a schema that has none; undefined when nothing is known of it that GraphQL could say */
  shapeOf(schema: Located, name: string): Shape | undefined;
  /** The properties of an object, as they could be arguments; undefined when it is none. */
  membersOf(schema: Located, name: string): readonly Member[] | undefined;
}

export function schemaReader(document: OpenapiDocument): SchemaReader {
  return new Schemas(document);
}

class Schemas implements SchemaReader {
  readonly types = new Map<string, ContractType>();
  readonly leftOut: LeftOut[] = [];
  readonly #document: OpenapiDocument;
  readonly #found = new Map<string, Shape | undefined>();

  constructor(document: OpenapiDocument) {
    this.#document = document;
  }

  shapeOf(schema: Located, name: string): Shape | undefined {
    return this.#shape(schema, name, 0);
  }

  membersOf(schema: Located, name: string): readonly Member[] | undefined {
    const shape = this.shapeOf(schema, name);
    const type = shape?.kind === 'named' ? this.types.get(shape.id) : undefined;
    return type?.kind === 'object' ? type.members : undefined;
  }

  #shape(from: Located, name: string, depth: number): Shape | undefined {
    const at = this.#document.resolve(from);
    if (depth > DEPTH_MAX)
      throw this.#document.error(
        at,
        `its schemas are more than ${DEPTH_MAX} deep`,
        'name them in components',
      );
    if (!isObject(at.value)) return undefined;
    const id = `${at.file}#/${at.path.join('/')}`;
    if (this.#found.has(id)) return this.#found.get(id);
    const shape = this.#read(at, id, nameOf(at, name), depth);
    this.#found.set(id, shape);
    return shape;
  }

  #read(at: Located, id: string, name: string, depth: number): Shape | undefined {
    const { value } = at;
    const values = listOf(value, 'enum').filter((one) => one !== null);
    const type = typeOf(value);
    if (
      values.length > 0 &&
      (type === 'string' || type === undefined) &&
      values.every((one) => typeof one === 'string' && isMappable(one))
    ) {
      const texts = [...new Set(values.map(String))];
      this.types.set(id, {
        kind: 'enum',
        id,
        name,
        description: textOf(value, 'description'),
        values: texts,
      });
      return { kind: 'named', id };
    }
    if (type === 'array') {
      const items = this.#document.child(at, 'items');
      const of = items.value === undefined ? undefined : this.#shape(items, `${name}Item`, depth + 1);
      return of && { kind: 'list', of };
    }
    if (type !== undefined && type !== 'object') return scalarOf(value, type);
    return this.#object(at, id, name, depth);
  }

  #object(at: Located, id: string, name: string, depth: number): Shape | undefined {
    const same = this.#sameAs(at, name, depth);
    if (same !== undefined) return same;
    const shape: Shape = { kind: 'named', id };
    const description = textOf(at.value, 'description') ?? textOf(at.value, 'title');
    // Known before its members are read: one of them may lead back to it.
    this.#found.set(id, shape);
    this.types.set(id, { kind: 'object', id, name, description, members: [] });
    const members = new Map<string, Member>();
    this.#addMembers(at, name, depth, members, new Set());
    if (members.size === 0) {
      this.types.delete(id);
      return this.#oneOfPlain(at, name, depth);
    }
    this.types.set(id, { kind: 'object', id, name, description, members: [...members.values()] });
    return shape;
  }

  /** `allOf` of one named schema and of what says nothing of the thing itself, as links, is that schema. */
  #sameAs(at: Located, name: string, depth: number): Shape | undefined {
    const parts = listOf(at.value, 'allOf');
    const named = [...parts.keys()].filter((index) => textOf(parts[index], '$ref') !== undefined);
    const [only] = named;
    if (only === undefined || named.length > 1 || keysOf(at.value, 'properties').length > 0) return undefined;
    const others = parts.filter((_, index) => index !== only);
    const says = others.some(
      (part) => own(part, 'allOf') !== undefined || !keysOf(part, 'properties').every(isEnvelope),
    );
    return says ? undefined : this.#shape(this.#step(at, 'allOf', String(only)), name, depth + 1);
  }

  /** What is one of several plain things is text, unless there is but one beside null. */
  #oneOfPlain(at: Located, name: string, depth: number): Shape | undefined {
    const shapes = ['oneOf', 'anyOf', 'allOf'].flatMap((kind) =>
      listOf(at.value, kind).flatMap(
        (_, index) => this.#shape(this.#step(at, kind, String(index)), name, depth + 1) ?? [],
      ),
    );
    const [first, ...more] = shapes;
    if (first === undefined) return undefined;
    if (more.length === 0) return first;
    return shapes.every(({ kind }) => kind === 'scalar') ? TEXT : undefined;
  }

  /** The example of a property, or of what it refers to, when all that there are are times. */
  #timeExample(property: Located): string | undefined {
    const { value } = this.#document.resolve(property);
    if (textOf(value, 'format') !== undefined) return undefined;
    const shown = [own(value, 'example'), ...listOf(value, 'examples')].filter((one) => one !== undefined);
    const [first] = shown;
    return typeof first === 'string' && shown.every((one) => typeof one === 'string' && TIME.test(one))
      ? first
      : undefined;
  }

  #step(at: Located, ...path: readonly string[]): Located {
    return this.#document.child(at, ...path);
  }

  /** Properties of the schema and of all that it is made of; the first of a name counts. */
  #addMembers(
    at: Located,
    owner: string,
    depth: number,
    members: Map<string, Member>,
    seen: Set<unknown>,
  ): void {
    if (depth > DEPTH_MAX)
      throw this.#document.error(
        at,
        `its schemas are more than ${DEPTH_MAX} deep`,
        'name them in components',
      );
    if (seen.has(at.value)) return;
    seen.add(at.value);
    const required = new Set(listOf(at.value, 'required'));
    for (const name of keysOf(at.value, 'properties')) {
      const what = `${owner}.${name}`;
      if (members.has(name)) continue;
      if (members.size >= MEMBERS_MAX)
        return void this.leftOut.push({ what, why: `a type has at most ${MEMBERS_MAX} fields` });
      const property = this.#step(at, 'properties', name);
      const shape = isMappable(name) ? this.#shape(property, `${owner}_${name}`, depth + 1) : undefined;
      if (shape === undefined) this.leftOut.push({ what, why: whyNot(name, property.value) });
      else if (own(property.value, 'writeOnly') !== true)
        members.set(name, {
          name,
          description: textOf(property.value, 'description'),
          shape,
          isRequired: required.has(name),
          timeExample: isText(shape) ? this.#timeExample(property) : undefined,
        });
    }
    for (const kind of ['allOf', 'oneOf', 'anyOf']) {
      listOf(at.value, kind).forEach((_, index) => {
        const part = this.#step(at, kind, String(index));
        if (isObject(part.value)) this.#addMembers(part, owner, depth + 1, members, seen);
      });
    }
  }
}

function isText(shape: Shape): boolean {
  return shape.kind === 'scalar' && shape.type === 'String';
}

/** `2026-11-20 09:30:00`, also with `T`, `/`, fractions and an offset: what `->dateTime` reads, and nothing else is. */
const TIME =
  /^\d{4}([-/])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])[ T](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$/;

function whyNot(name: string, schema: unknown): string {
  if (!isMappable(name)) return 'its name cannot stand in a mapping';
  if (own(schema, 'additionalProperties') !== undefined)
    return 'an object whose names the contract does not say: select what you need by name';
  return 'the contract does not say what it holds';
}

/** The name in `components/schemas` or `definitions`, else the one given. */
function nameOf(at: Located, given: string): string {
  const [first, second, third] = at.path;
  if (first === 'definitions' && at.path.length === 2) return second ?? given;
  if (first === 'components' && at.path.length === 3) return third ?? given;
  const title = textOf(at.value, 'title');
  if (at.path.length === 0) return title ?? /([^/\\]+?)\.[a-z]+$/i.exec(at.file)?.[1] ?? given;
  return given;
}

/** The type that is no null: a string up to 3.0, a list in 3.1. */
function typeOf(schema: unknown): string | undefined {
  const type = own(schema, 'type');
  const types = (Array.isArray(type) ? type : [type]).filter(
    (one) => typeof one === 'string' && one !== 'null',
  );
  if (types.length > 1) return types.includes('object') || types.includes('array') ? undefined : 'string';
  if (types.length === 1) return types[0] as string;
  return own(schema, 'items') === undefined ? undefined : 'array';
}

function scalarOf(schema: unknown, type: string): Shape {
  const format = textOf(schema, 'format');
  if (type === 'integer')
    return {
      kind: 'scalar',
      type: format === 'int64' || format === 'uint64' || format === 'uint32' ? 'Float' : 'Int',
    };
  if (type === 'number') return { kind: 'scalar', type: 'Float' };
  if (type === 'boolean') return { kind: 'scalar', type: 'Boolean' };
  return format === 'date-time' ? { kind: 'scalar', type: 'DateTime' } : TEXT;
}
