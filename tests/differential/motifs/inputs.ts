// Motifs of what goes in: enums and inputs that are merged, mutations.
import {
  addInstances,
  addTruth,
  declareField,
  declareType,
  tag,
  takeTypeName,
  takeWord,
  touch,
} from '../graph/declare.ts';
import type { Graph, Member } from '../graph/model.ts';
import { canonical } from '../graph/truth.ts';
import { addEnumTruth } from './ownership.ts';

/** An enum that only goes in is cut to what all members know; one that only comes out is the sum. */
export function mergedEnum(graph: Graph, members: readonly Member[]): void {
  const [home, other] = graph.random.sample(members, 2);
  if (home === undefined || other === undefined) return;
  const [order, mood] = [takeTypeName(graph), takeTypeName(graph)];
  const own = [
    [home, 'ONLY_HERE', ['UP', 'DOWN']],
    [other, 'ONLY_THERE', ['UP', 'SIDE']],
  ] as const;
  for (const [member, extra, moods] of own) {
    member.definitions.push(
      `enum ${order} { RISING FALLING ${extra} }`,
      `enum ${mood} { ${moods.join(' ')} }`,
    );
    const entity = graph.random.pick(graph.plainEntities);
    touch(member, entity);
    const [sorted, felt] = [takeWord(graph), takeWord(graph)];
    declareField(member, entity, sorted, 'String', { args: `by: ${order} = RISING, also: [${order}!]` });
    graph.truths.set(`${entity}.${sorted}`, ({ instance }, args) => `${instance.id} ${canonical(args)}`);
    declareField(member, entity, felt, graph.random.pick([mood, `[${mood}]`]));
    const sdlType = member.types.get(entity)?.fields.get(felt)?.type ?? mood;
    addEnumTruth(graph, entity, felt, sdlType, moods);
    tag(graph, entity, sorted, 'merged enum');
    tag(graph, entity, felt, 'merged enum');
  }
}

/** Of an input, clients see the fields that all members know. */
export function mergedInput(graph: Graph, members: readonly Member[]): void {
  const [home, other] = graph.random.sample(members, 2);
  if (home === undefined || other === undefined) return;
  const [filter, nested] = [takeTypeName(graph), takeTypeName(graph)];
  for (const [member, extra] of [
    [home, 'here: Int'],
    [other, 'there: [String!]'],
  ] as const) {
    member.definitions.push(
      `input ${filter} { text: String min: Int! = 1 all: [${nested}!] ${extra} }`,
      `input ${nested} { a: Int b: Boolean = true ${extra} }`,
    );
    const entity = graph.random.pick(graph.plainEntities);
    touch(member, entity);
    for (const type of ['Query', entity]) {
      const name = takeWord(graph);
      declareType(member, type);
      declareField(member, type, name, 'String', { args: `filter: ${filter}, more: [[${filter}]]` });
      graph.truths.set(`${type}.${name}`, ({ instance }, args) => `${instance.id} ${canonical(args)}`);
      tag(graph, type, name, 'merged input');
    }
  }
}

/** Mutations of several members, each of which says which in order it was. */
export function mutations(graph: Graph, members: readonly Member[]): void {
  for (const member of graph.random.sample(members, 2)) {
    const receipt = takeTypeName(graph);
    const entity = graph.random.pick(graph.plainEntities);
    touch(member, entity);
    declareType(member, receipt);
    declareField(member, receipt, 'tick', 'Int!');
    declareField(member, receipt, 'subject', entity);
    addTruth(graph, receipt, 'subject', entity, [entity]);
    graph.truths.set(`${receipt}.tick`, ({ instance }) => Number(instance.id.split(':')[0]));
    for (let count = 0; count < 2; count += 1) {
      const name = takeWord(graph);
      declareType(member, 'Mutation');
      declareField(member, 'Mutation', name, graph.random.pick([receipt, `${receipt}!`]), {
        args: 'by: Int',
      });
      graph.truths.set(`Mutation.${name}`, (_position, args) => {
        graph.clock.ticks += 1;
        return { type: receipt, id: `${graph.clock.ticks}:${name}${canonical(args)}` };
      });
      tag(graph, 'Mutation', name, 'mutations in order');
    }
  }
}

/** A member of the first Federation, which extends what others own and has an entity of its own. */
export function federationOne(graph: Graph, members: readonly Member[], old: Member): void {
  const entity = graph.random.pick(graph.plainEntities);
  touch(old, entity);
  const own = takeTypeName(graph);
  addInstances(graph, own);
  graph.truths.set(`${own}.id`, ({ instance }) => instance.id);
  declareType(old, own, { keys: ['id'] });
  declareField(old, own, 'id', 'ID!');
  const names = [takeWord(graph), takeWord(graph), takeWord(graph), takeWord(graph)];
  const [size = '', reference = '', root = '', back = ''] = names;
  declareField(old, own, size, 'Int');
  addTruth(graph, own, size, 'Int');
  declareField(old, entity, reference, `[${own}]`);
  addTruth(graph, entity, reference, `[${own}]`, [own]);
  declareType(old, 'Query');
  declareField(old, 'Query', root, own);
  addTruth(graph, 'Query', root, own, [own], { nullPercent: 0 });
  declareField(old, own, back, entity);
  addTruth(graph, own, back, entity, [entity]);
  for (const name of [size, back]) tag(graph, own, name, 'Federation 1 subgraph');
  tag(graph, entity, reference, 'Federation 1 subgraph');
  tag(graph, 'Query', root, 'Federation 1 subgraph');
  const other = graph.random.pick(members);
  declareType(other, own, { keys: ['id'] });
  declareField(other, own, 'id', 'ID!');
  const extra = takeWord(graph);
  declareField(other, own, extra, 'String');
  addTruth(graph, own, extra, 'String');
  tag(graph, own, extra, 'Federation 1 subgraph');
}
