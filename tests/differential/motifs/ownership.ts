// Motifs of who answers a field and who may see it: shareable, overridden, hidden, tagged, marked.
import {
  addEntrances,
  addInstances,
  addKeyTruth,
  addReference,
  addRequiring,
  addRoot,
  addScalar,
  addTruth,
  declareField,
  declareType,
  tag,
  takeTypeName,
  takeWord,
  touch,
} from '../graph/declare.ts';
import type { Graph, Member } from '../graph/model.ts';

/** A field that two members answer alike, and a value type of which each knows a part. */
export function shareable(graph: Graph, members: readonly Member[]): void {
  const [home, second] = graph.random.sample(members, 2);
  if (home === undefined || second === undefined) return;
  const entity = graph.random.pick(graph.plainEntities);
  const part = takeTypeName(graph);
  const [field, scalar, shared] = [takeWord(graph), takeWord(graph), takeWord(graph)];
  const sdlType = graph.random.pick([part, `[${part}!]`, `[${part}]`]);
  addTruth(graph, entity, field, sdlType, [part]);
  addTruth(graph, entity, scalar, 'Int');
  addTruth(graph, part, shared, 'String');
  tag(graph, entity, field, '@shareable');
  tag(graph, entity, scalar, '@shareable');
  for (const member of [home, second]) {
    touch(member, entity);
    declareField(member, entity, field, sdlType, { directives: '@shareable' });
    declareField(member, entity, scalar, 'Int', { directives: '@shareable' });
    declareType(member, part, { directives: ['@shareable'] });
    declareField(member, part, shared, 'String');
    const own = takeWord(graph);
    declareField(member, part, own, 'Int');
    addTruth(graph, part, own, 'Int');
    tag(graph, part, own, '@shareable');
  }
}

/** A field that has moved; where it was, it is wrong now. */
export function override(graph: Graph, members: readonly Member[]): void {
  const [from, to] = graph.random.sample(members, 2);
  if (from === undefined || to === undefined) return;
  const entity = graph.random.pick(graph.plainEntities);
  const name = takeWord(graph);
  addTruth(graph, entity, name, 'String');
  tag(graph, entity, name, '@override');
  for (const member of [from, to]) touch(member, entity);
  declareField(from, entity, name, 'String', { role: 'stale' });
  declareField(to, entity, name, 'String', { directives: `@override(from: "${from.name}")` });
}

/** A field that is moving, by a label: at the ends of the range, one of the two members is wrong. */
export function progressiveOverride(graph: Graph, members: readonly Member[]): void {
  const [from, to] = graph.random.sample(members, 2);
  if (from === undefined || to === undefined) return;
  const entity = graph.random.pick(graph.plainEntities);
  for (const label of graph.random.sample(['percent(0)', 'percent(100)', 'percent(50)'], 2)) {
    const name = takeWord(graph);
    addTruth(graph, entity, name, 'Int');
    tag(graph, entity, name, 'progressive @override');
    for (const member of [from, to]) touch(member, entity);
    declareField(from, entity, name, 'Int', { role: label === 'percent(100)' ? 'stale' : 'own' });
    declareField(to, entity, name, 'Int', {
      role: label === 'percent(0)' ? 'stale' : 'own',
      directives: `@override(from: "${from.name}", label: "${label}")`,
    });
  }
}

/** Keys, required fields, members of unions and values of enums that clients do not see. */
export function inaccessible(graph: Graph, members: readonly Member[]): void {
  const [home, other] = graph.random.sample(members, 2);
  if (home === undefined || other === undefined) return;
  const type = takeTypeName(graph);
  const secret = takeWord(graph);
  addInstances(graph, type);
  addKeyTruth(graph, type, secret, ({ id }) => id);
  for (const member of [home, other]) {
    declareType(member, type, { keys: [secret] });
    declareField(member, type, secret, 'ID!', { directives: '@inaccessible' });
    addScalar(graph, member, type, '@inaccessible');
  }
  const weight = takeWord(graph);
  addTruth(graph, type, weight, 'Int');
  declareField(home, type, weight, 'Int', { directives: '@inaccessible' });
  declareField(other, type, weight, 'Int', { role: 'external', directives: '@external' });
  addRequiring(graph, other, type, weight, '@inaccessible');
  addEntrances(graph, graph.random.pick([home, other]), type);
  addHiddenMember(graph, home, type);
  addHiddenValue(graph, home, type);
}

function addHiddenMember(graph: Graph, member: Member, type: string): void {
  const union = takeTypeName(graph);
  const hidden = takeTypeName(graph);
  const name = takeWord(graph);
  declareType(member, hidden, { directives: ['@inaccessible'] });
  declareField(member, hidden, name, 'Int');
  addTruth(graph, hidden, name, 'Int');
  member.unions.set(union, [type, hidden]);
  graph.possible.set(union, [type, hidden]);
  addRoot(graph, member, union, [type, type, hidden], {}, '@inaccessible');
  addReference(graph, member, type, union, [type, type, hidden], '@inaccessible');
}

function addHiddenValue(graph: Graph, member: Member, type: string): void {
  const name = takeTypeName(graph);
  const field = takeWord(graph);
  const values = ['OPEN', 'SHUT', 'SECRET'];
  member.definitions.push(`enum ${name} { OPEN SHUT SECRET @inaccessible }`);
  declareField(member, type, field, name);
  addEnumTruth(graph, type, field, name, values);
  tag(graph, type, field, '@inaccessible');
}

/** Values of an enum, by chance. */
export function addEnumTruth(
  graph: Graph,
  type: string,
  field: string,
  sdlType: string,
  values: readonly string[],
): void {
  addTruth(graph, type, `${field}Index`, 'Int', [], { nullPercent: 0 });
  const index = graph.truths.get(`${type}.${field}Index`);
  graph.truths.set(`${type}.${field}`, (position, args) => {
    const at = Math.abs(Number(index?.(position, args) ?? 0));
    const value = values[at % values.length];
    return sdlType.startsWith('[') ? [value, values[(at + 1) % values.length]] : value;
  });
}

export function tagged(graph: Graph, members: readonly Member[]): void {
  const member = graph.random.pick(members);
  const entity = graph.random.pick(graph.plainEntities);
  touch(member, entity);
  const name = takeWord(graph);
  declareField(member, entity, name, 'Float', { directives: '@tag(name: "public") @tag(name: "screen")' });
  addTruth(graph, entity, name, 'Float');
  tag(graph, entity, name, '@tag');
}

/** A directive of the house that must live on in the supergraph. */
export function composeDirective(graph: Graph, members: readonly Member[]): void {
  const member = graph.random.pick(members);
  const entity = graph.random.pick(graph.plainEntities);
  touch(member, entity);
  member.schemaDirectives.push(
    '@link(url: "https://specs.weft.dev/mark/v1.0", import: ["@mark"])',
    '@composeDirective(name: "@mark")',
  );
  member.definitions.push('directive @mark(level: Int!) on FIELD_DEFINITION');
  const name = takeWord(graph);
  declareField(member, entity, name, 'Int', { directives: '@mark(level: 3)' });
  addTruth(graph, entity, name, 'Int');
  tag(graph, entity, name, '@composeDirective');
}
