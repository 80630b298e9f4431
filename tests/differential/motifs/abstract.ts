// Motifs of interfaces and unions: those that members see differently, entity interfaces, interface objects.
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

/** Three entities; each member has two of them in its union. */
export function differingUnion(graph: Graph, members: readonly Member[]): void {
  const [home, other] = graph.random.sample(members, 2);
  if (home === undefined || other === undefined) return;
  const union = takeTypeName(graph);
  const types = graph.random.sample(graph.plainEntities, 2);
  const value = takeTypeName(graph);
  const name = takeWord(graph);
  declareType(other, value);
  declareField(other, value, name, 'String');
  addTruth(graph, value, name, 'String');
  const [first = '', second = first] = types;
  const sides: readonly [Member, readonly string[]][] = [
    [home, [...new Set([first, second])]],
    [other, [second, value]],
  ];
  graph.possible.set(union, [...new Set([...types, value])]);
  for (const [member, own] of sides) {
    for (const type of own) if (type !== value) touch(member, type);
    member.unions.set(union, own);
    addRoot(graph, member, union, own, {}, 'union that differs');
    const entity = graph.random.pick(graph.plainEntities);
    touch(member, entity);
    addReference(graph, member, entity, union, own, 'union that differs');
  }
}

/** An interface of value types and entities, each member with types of its own. */
export function differingInterface(graph: Graph, members: readonly Member[]): void {
  const [home, other] = graph.random.sample(members, 2);
  if (home === undefined || other === undefined) return;
  const face = takeTypeName(graph);
  const label = takeWord(graph);
  const all: string[] = [];
  const perMember = [home, other].map((member) => {
    const shared = `${label}: String`;
    declareType(member, face, { kind: 'interface' });
    declareField(member, face, label, 'String');
    return Array.from({ length: 2 }, () => {
      const type = takeTypeName(graph);
      declareType(member, type, { implements: [face] });
      declareField(member, type, label, shared.split(': ')[1] ?? 'String');
      addScalar(graph, member, type, 'interface that differs');
      all.push(type);
      return type;
    });
  });
  graph.possible.set(face, all);
  addTruth(graph, face, label, 'String');
  tag(graph, face, label, 'interface that differs');
  for (const [index, member] of [home, other].entries()) {
    const own = perMember[index] ?? [];
    addRoot(graph, member, face, own, {}, 'interface that differs');
    const entity = graph.random.pick(graph.plainEntities);
    touch(member, entity);
    addReference(graph, member, entity, face, own, 'interface that differs');
  }
}

/** An interface with a key: one member knows its types, another gives all of them a field without knowing them. */
export function interfaceObject(graph: Graph, members: readonly Member[]): void {
  const [home, other, third] = graph.random.sample(members, 3);
  if (home === undefined || other === undefined) return;
  const face = takeTypeName(graph);
  const types = [takeTypeName(graph), takeTypeName(graph)];
  const title = takeWord(graph);
  graph.possible.set(face, types);
  declareType(home, face, { kind: 'interface', keys: ['id'] });
  declareField(home, face, 'id', 'ID!');
  declareField(home, face, title, 'String');
  addTruth(graph, face, title, 'String');
  addKeyTruth(graph, face, 'id', ({ id }) => id);
  for (const type of types) {
    addInstances(graph, type);
    declareType(home, type, { keys: ['id'], implements: [face] });
    declareField(home, type, 'id', 'ID!');
    declareField(home, type, title, 'String');
    addScalar(graph, home, type, 'entity interface');
  }
  tag(graph, face, title, 'entity interface');
  for (const member of third === undefined ? [other] : [other, third]) {
    declareType(member, face, { keys: ['id'], isInterfaceObject: true });
    declareField(member, face, 'id', 'ID!');
    const views = takeWord(graph);
    declareField(member, face, views, 'Int');
    addTruth(graph, face, views, 'Int');
    for (const type of [face, ...types]) tag(graph, type, views, '@interfaceObject', 'entity interface');
  }
  if (graph.random.chance(60)) {
    declareField(other, face, title, 'String', { role: 'external', directives: '@external' });
    const required = addRequiring(graph, other, face, title, '@interfaceObject');
    for (const type of types) tag(graph, type, required, '@interfaceObject', '@requires');
  }
  addEntrances(graph, home, face, types);
  addEntrances(graph, other, face, types);
}

/** What a field answers depends on the way to it. */
export function context(graph: Graph, members: readonly Member[]): void {
  const [home, other] = graph.random.sample(members, 2);
  if (home === undefined || other === undefined) return;
  const [setter, child] = [takeTypeName(graph), takeTypeName(graph)];
  const [name, setting, field] = [takeWord(graph), takeWord(graph), takeWord(graph)];
  for (const type of [setter, child]) {
    addInstances(graph, type);
    addKeyTruth(graph, type, 'id', ({ id }) => id);
    declareType(home, type, {
      keys: ['id'],
      directives: type === setter ? [`@context(name: "${name}")`] : [],
    });
    declareField(home, type, 'id', 'ID!');
  }
  graph.contexts.set(setter, name);
  declareField(home, setter, setting, 'String');
  addTruth(graph, setter, setting, 'String');
  addReference(graph, home, setter, child, [child]);
  addReference(graph, home, setter, child, [child]);
  const args = `given: String @fromContext(field: "$${name} { ${setting} }")`;
  declareField(home, child, field, 'String', { args });
  graph.truths.set(`${child}.${field}`, ({ instance, contexts }, given) => {
    const from = contexts.get(name);
    const settingOf = graph.truths.get(`${setter}.${setting}`);
    const value = from === undefined ? given.given : settingOf?.({ instance: from, contexts: new Map() }, {});
    return `${instance.id} given ${JSON.stringify(value ?? null)}`;
  });
  tag(graph, child, field, '@context and @fromContext');
  declareType(other, child, { keys: ['id'] });
  declareField(other, child, 'id', 'ID!');
  addScalar(graph, other, child);
  addEntrances(graph, home, setter);
}
