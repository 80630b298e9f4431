// Makes the SDL of a large graph: entities that several systems share, values, enums, inputs and lists, all of which composes.
import type { Subgraph } from '@weft/schema/compose';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable"])';

/** Of ten types of a system: four entities, three values, an enum, an input and a page. */
const KINDS_OF_TYPES = 10;

/**
 * `types` types over `systems` systems, each of which extends entities of two others: by a field, and by one that requires another.
 * Equal numbers give an equal graph.
 */
export function makeLargeGraph(systems: number, types: number): readonly Subgraph[] {
  const each = Math.floor(types / systems);
  return Array.from({ length: systems }, (_none, at) => {
    const own = Array.from({ length: each }, (_type, n) => typeOf(at, n));
    const [left, right] = [(at + 1) % systems, (at + 7) % systems];
    const foreign = systems < 8 ? [] : [extensionOf(left, at, false), extensionOf(right, at, true)];
    const sdl = [LINK, queryOf(at, each), ...own, ...foreign].join('\n');
    return { name: `system${String(at).padStart(3, '0')}`, url: `http://127.0.0.1:1/${at}/graphql`, sdl };
  });
}

const nameOf = (system: number, n: number) => `S${system}T${n}`;
const isEntity = (n: number) => n % KINDS_OF_TYPES < 4;

function queryOf(system: number, count: number): string {
  const entities = Array.from({ length: count }, (_none, n) => n).filter(isEntity);
  const fields = entities.map((n) => `s${system}t${n}(id: ID!): ${nameOf(system, n)}`);
  return `type Query { ${fields.join(' ')} }`;
}

function typeOf(system: number, n: number): string {
  const name = nameOf(system, n);
  // The nearest entity before it, so that everything hangs together.
  const entity = nameOf(system, n - (n % KINDS_OF_TYPES));
  switch (n % KINDS_OF_TYPES) {
    case 7:
      return `enum ${name} { OPEN HANDLING CLOSED RETURNED }`;
    case 8:
      return `input ${name} { text: String first: Int ids: [ID!] }`;
    case 9:
      return `type ${name} { total: Int items: [${entity}!] }`;
    default: {
      const fields = `title: String at: String count: Int first: ${entity} all(first: Int): [${entity}!]`;
      return isEntity(n)
        ? `"An entity." type ${name} @key(fields: "id") { id: ID! number: String ${fields} }`
        : `"A value." type ${name} { ${fields} }`;
    }
  }
}

function extensionOf(owner: number, system: number, requires: boolean): string {
  const name = nameOf(owner, 0);
  return requires
    ? `type ${name} @key(fields: "id") { id: ID! number: String @external late${system}: Int @requires(fields: "number") }`
    : `type ${name} @key(fields: "id") { id: ID! more${system}: String own${system}: ${nameOf(system, 0)} }`;
}
