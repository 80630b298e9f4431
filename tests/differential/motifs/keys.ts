// Motifs of keys: several of them, nested ones, ones of more fields.

import {
  addEntrances,
  addInstances,
  addKeyTruth,
  addScalar,
  addTruth,
  declareField,
  declareType,
  takeTypeName,
  takeWord,
} from '../graph/declare.ts';
import type { Graph, Member } from '../graph/model.ts';
import { hash } from '../random.ts';

/** One member knows both keys; others know one of them each, so that what they own is reached by a chain. */
export function severalKeys(graph: Graph, members: readonly Member[]): void {
  const [home, second, third] = graph.random.sample(members, 3);
  if (home === undefined || second === undefined) return;
  const type = takeTypeName(graph);
  const code = takeWord(graph);
  addInstances(graph, type);
  addKeyTruth(graph, type, 'id', ({ id }) => id);
  addKeyTruth(graph, type, code, ({ id }) => hash(id) % NUMBERS);
  declareType(home, type, { keys: ['id', code] });
  declareField(home, type, 'id', 'ID!');
  declareField(home, type, code, 'Int!');
  addScalar(graph, home, type, 'several @key');
  declareType(second, type, { keys: [code] });
  declareField(second, type, code, 'Int!');
  addScalar(graph, second, type, 'several @key');
  if (third !== undefined) {
    declareType(third, type, { keys: ['id'] });
    declareField(third, type, 'id', 'ID!');
    addScalar(graph, third, type, 'several @key');
  }
  addEntrances(graph, graph.random.pick(third === undefined ? [home, second] : [home, second, third]), type);
}

/** Many, so that two records hardly ever have one number. */
const NUMBERS = 2_000_000_000;

export function nestedKey(graph: Graph, members: readonly Member[]): void {
  const [home, second] = graph.random.sample(members, 2);
  if (home === undefined || second === undefined) return;
  const type = takeTypeName(graph);
  const part = takeTypeName(graph);
  const [field, number, extra] = [takeWord(graph), takeWord(graph), takeWord(graph)];
  addInstances(graph, type);
  addTruth(graph, type, field, `${part}!`, [part], { nullPercent: 0 });
  // A key tells its records apart, also where it is a number.
  addKeyTruth(graph, part, number, ({ id }) => hash(id) % NUMBERS);
  addTruth(graph, part, extra, 'ID!', [], { nullPercent: 0 });
  const key = graph.random.chance(50) ? `${field} { ${number} }` : `${field} { ${number} ${extra} }`;
  for (const member of [home, second]) {
    declareType(member, type, { keys: [key] });
    declareField(member, type, field, `${part}!`);
    if (member.version === 2) declareField(member, type, field, `${part}!`, { directives: '@shareable' });
    declareType(member, part, { directives: member.version === 2 ? ['@shareable'] : [] });
    declareField(member, part, number, 'Int!');
    declareField(member, part, extra, 'ID!');
    addScalar(graph, member, type, 'nested @key');
  }
  addEntrances(graph, graph.random.pick([home, second]), type);
}

export function multiFieldKey(graph: Graph, members: readonly Member[]): void {
  const [home, second] = graph.random.sample(members, 2);
  if (home === undefined || second === undefined) return;
  const type = takeTypeName(graph);
  const [region, number] = [takeWord(graph), takeWord(graph)];
  addInstances(graph, type);
  addKeyTruth(graph, type, region, ({ id }) => `r${hash(id) % 2}`);
  addKeyTruth(graph, type, number, ({ id }) => id);
  for (const member of [home, second]) {
    declareType(member, type, { keys: [`${region} ${number}`] });
    declareField(member, type, region, 'String!');
    declareField(member, type, number, 'ID!');
    addScalar(graph, member, type, 'multi-field @key');
  }
  addEntrances(graph, graph.random.pick([home, second]), type);
}
