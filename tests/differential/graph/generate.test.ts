// Laws of the generated graphs: determined by their seed, and members that answer only what they own and were sent.
import { describe, expect, it } from 'vitest';
import { createSubgraph } from '../serve/subgraph.ts';
import { generateGraph } from './generate.ts';
import type { FieldDeclaration, Graph, Member } from './model.ts';
import { printMember } from './print.ts';

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);
const GRAPHS = SEEDS.map(generateGraph);

/** The first field of an entity with the key `id` that a test of it finds, over all graphs. */
function findField(holds: (field: FieldDeclaration) => boolean) {
  for (const graph of GRAPHS) {
    for (const member of graph.members) {
      for (const type of member.types.values()) {
        const field = [...type.fields.values()].find(holds);
        const isAsked = type.kind === 'type' && !type.isInterfaceObject && type.keys[0] === 'id';
        const instance = graph.instances.get(type.name)?.[0];
        if (field !== undefined && isAsked && instance !== undefined) {
          return { graph, member, type: type.name, field, id: instance.id };
        }
      }
    }
  }
  throw new Error('no graph has such a field');
}

async function askEntity(
  graph: Graph,
  member: Member,
  field: string,
  representation: { __typename: string },
) {
  const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${representation.__typename} { ${field} } } }`;
  const result = await createSubgraph(graph, member).answer(query, { representations: [representation] });
  return { entities: result.data?._entities, messages: (result.errors ?? []).map(({ message }) => message) };
}

describe('a generated graph', () => {
  it('is the same for the same seed', () => {
    const print = (graph: Graph) => graph.members.map(printMember).join('\n');
    for (const [index, graph] of GRAPHS.entries()) expect(print(generateGraph(index + 1))).toBe(print(graph));
    expect(new Set(GRAPHS.map(print)).size).toBe(GRAPHS.length);
  });

  it('has members that refuse a computed field without what it requires', async () => {
    const { graph, member, type, field, id } = findField(({ requires }) => requires !== undefined);
    const { messages } = await askEntity(graph, member, field.name, { __typename: type, ...{ id } });
    expect(messages).toEqual([expect.stringContaining(`${field.name} needs {`)]);
  });

  it('has members that refuse a field that has moved', async () => {
    const { graph, member, type, field, id } = findField(({ role }) => role === 'stale');
    const { messages } = await askEntity(graph, member, field.name, { __typename: type, ...{ id } });
    expect(messages).toEqual([expect.stringContaining('no longer answers')]);
  });

  it('has members that refuse an entity that is not told by a key', async () => {
    const { graph, member, type } = findField(({ name }) => name === 'id');
    const { entities, messages } = await askEntity(graph, member, 'id', { __typename: type });
    expect(entities).toEqual([null]);
    expect(messages).toEqual([expect.stringMatching(/cannot tell which|has no type/)]);
  });
});
