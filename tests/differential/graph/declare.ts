// The verbs with which motifs add to a graph: types, fields, references, roots.
import type { Feature } from '../features.ts';
import { hash } from '../random.ts';
import type { FieldDeclaration, Graph, Instance, Member, Role, Truth, TypeDeclaration } from './model.ts';
import { parseSelection } from './model.ts';
import { createTruth, evaluate, requiredText, scalarLeaf, type TruthOptions } from './truth.ts';

const INSTANCES_OF_A_TYPE = 5;

export function takeWord(graph: Graph): string {
  const word = graph.words.pop();
  if (word === undefined) throw new Error('the graph has run out of words');
  return word;
}

/** A new type's name. */
export function takeTypeName(graph: Graph): string {
  const word = takeWord(graph);
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Gives the type its instances; with the plain key, every member may refer to it. */
export function addInstances(graph: Graph, type: string): void {
  graph.instances.set(
    type,
    Array.from({ length: INSTANCES_OF_A_TYPE }, (_, index) => ({
      type,
      id: `${type.toLowerCase()}-${index}`,
    })),
  );
}

export interface TypeOptions {
  readonly kind?: 'type' | 'interface';
  readonly implements?: readonly string[];
  readonly directives?: readonly string[];
  readonly keys?: readonly string[];
  readonly isInterfaceObject?: boolean;
  readonly isExtension?: boolean;
}

/** The type as the member declares it; declared now when it was not. */
export function declareType(member: Member, name: string, options: TypeOptions = {}): TypeDeclaration {
  const known = member.types.get(name);
  if (known !== undefined) return known;
  const declaration: TypeDeclaration = {
    kind: options.kind ?? 'type',
    name,
    implements: options.implements ?? [],
    directives: options.directives ?? [],
    keys: options.keys ?? [],
    isInterfaceObject: options.isInterfaceObject ?? false,
    isExtension: options.isExtension ?? false,
    fields: new Map(),
  };
  member.types.set(name, declaration);
  return declaration;
}

export interface FieldOptions {
  readonly args?: string | undefined;
  readonly directives?: string | undefined;
  readonly role?: Role;
  readonly requires?: string | undefined;
  readonly provides?: string | undefined;
}

export function declareField(
  member: Member,
  type: string,
  name: string,
  sdlType: string,
  options: FieldOptions = {},
): void {
  const declaration: FieldDeclaration = { name, type: sdlType, role: 'own', ...options };
  declareType(member, type).fields.set(name, declaration);
}

/** A field that is a matter of chance: scalars by name, things of `types` otherwise. */
export function addTruth(
  graph: Graph,
  type: string,
  name: string,
  sdlType: string,
  types: readonly string[] = [],
  options: TruthOptions = {},
): void {
  const leaf = types.length > 0 ? instanceLeaf(graph, types) : scalarLeaf(sdlType.replace(/[[\]!]/g, ''));
  graph.truths.set(`${type}.${name}`, createTruth(name, sdlType, leaf, options));
}

/** Entities are shared between places; a value type's instances belong to the one place that they are found in. */
function instanceLeaf(graph: Graph, types: readonly string[]): (seed: string) => Instance {
  return (seed) => {
    const type = types[hash(`${seed}t`) % types.length] ?? '';
    const entities = graph.instances.get(type);
    return entities?.[hash(`${seed}e`) % entities.length] ?? { type, id: `${type}<${seed}>` };
  };
}

export function tag(graph: Graph, type: string, field: string, ...features: readonly Feature[]): void {
  const coordinate = `${type}.${field}`;
  const tags = graph.tags.get(coordinate) ?? new Set();
  graph.tags.set(coordinate, tags);
  for (const feature of features) {
    tags.add(feature);
    graph.features.add(feature);
  }
}

/** The key's own fields, flat, true of every instance: `id` is the instance's. */
export function addKeyTruth(
  graph: Graph,
  type: string,
  field: string,
  value: (instance: Instance) => unknown,
): void {
  const truth: Truth = ({ instance }) => value(instance);
  graph.truths.set(`${type}.${field}`, truth);
}

/** Makes sure that a member knows a plain entity by its `id`, as another's. */
export function touch(member: Member, type: string): TypeDeclaration {
  const known = member.types.get(type);
  if (known !== undefined) return known;
  const isExtension = member.version === 1;
  const declaration = declareType(member, type, { keys: ['id'], isExtension });
  declareField(member, type, 'id', 'ID!', isExtension ? { role: 'external', directives: '@external' } : {});
  return declaration;
}

const SCALAR_TYPES = [
  'String',
  'Int',
  'Float',
  'Boolean',
  'ID',
  'String!',
  'Int!',
  '[Int!]',
  '[String]',
  '[[Int]]',
  '[[String!]!]',
  '[[Float!]]!',
] as const;

/** A scalar field of a random type, owned by one member; some break. */
export function addScalar(
  graph: Graph,
  member: Member,
  type: string,
  ...features: readonly Feature[]
): string {
  const { random } = graph;
  const name = takeWord(graph);
  const sdlType = random.pick(SCALAR_TYPES);
  const hasArgument = random.chance(20);
  const args = hasArgument
    ? random.pick(['scale: Int', 'unit: String = "m"', 'raw: Boolean!', 'of: [Int!]'])
    : undefined;
  declareField(member, type, name, sdlType, { args });
  addTruth(graph, type, name, sdlType, [], {
    brokenPercent: random.chance(30) ? 10 : 0,
    failingPercent: random.chance(10) ? 15 : 0,
  });
  tag(graph, type, name, ...features);
  if (sdlType.startsWith('[[')) tag(graph, type, name, 'list of lists');
  return name;
}

const REFERENCE_TYPES = ['T', 'T', 'T!', '[T]', '[T!]', '[T!]!', '[[T]]', '[[T!]!]'] as const;

/** A field that leads to things of `types`; declared as `named`, which is one of them or an abstract type of theirs. */
export function addReference(
  graph: Graph,
  member: Member,
  from: string,
  named: string,
  types: readonly string[],
  ...features: readonly Feature[]
): string {
  const name = takeWord(graph);
  const sdlType = graph.random.pick(REFERENCE_TYPES).replace('T', named);
  declareField(member, from, name, sdlType);
  addTruth(graph, from, name, sdlType, types, { brokenPercent: graph.random.chance(15) ? 6 : 0 });
  tag(graph, from, name, ...features);
  if (sdlType.startsWith('[[')) tag(graph, from, name, 'list of lists');
  return name;
}

/** A field of Query that leads to things of `types`. */
export function addRoot(
  graph: Graph,
  member: Member,
  named: string,
  types: readonly string[],
  options: FieldOptions = {},
  ...features: readonly Feature[]
): string {
  const name = takeWord(graph);
  const sdlType = graph.random.pick(['T', '[T]', '[T!]', '[T!]!', '[[T]]']).replace('T', named);
  const isList = sdlType.startsWith('[');
  declareType(member, 'Query');
  declareField(member, 'Query', name, sdlType, { args: isList ? 'first: Int = 4' : 'at: Int', ...options });
  addTruth(graph, 'Query', name, sdlType, types, { nullPercent: 1, isFilled: true });
  tag(graph, 'Query', name, ...features);
  if (sdlType.startsWith('[[')) tag(graph, 'Query', name, 'list of lists');
  return name;
}

/** Ways into a thing: from Query, and from a plain entity. */
export function addEntrances(
  graph: Graph,
  member: Member,
  named: string,
  types: readonly string[] = [named],
): void {
  addRoot(graph, member, named, types);
  const entity = graph.random.pick(graph.plainEntities);
  touch(member, entity);
  addReference(graph, member, entity, named, types);
}

/** A String that a member computes out of what other members told. */
export function addRequiring(
  graph: Graph,
  member: Member,
  type: string,
  requires: string,
  ...features: readonly Feature[]
): string {
  const name = takeWord(graph);
  declareField(member, type, name, 'String', {
    requires,
    directives: `@requires(fields: ${JSON.stringify(requires)})`,
  });
  const selection = parseSelection(requires);
  graph.truths.set(`${type}.${name}`, ({ instance }) =>
    requiredText(name, instance.id, evaluate(graph, instance, selection)),
  );
  tag(graph, type, name, '@requires', '@external', ...features);
  return name;
}
