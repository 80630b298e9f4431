// Generates a federated graph from a seed: members, plain entities that they share, and a choice of motifs.
import * as abstract from '../motifs/abstract.ts';
import * as inputs from '../motifs/inputs.ts';
import * as keys from '../motifs/keys.ts';
import * as ownership from '../motifs/ownership.ts';
import * as requires from '../motifs/requires.ts';
import { createRandom } from '../random.ts';
import {
  addInstances,
  addKeyTruth,
  addReference,
  addRoot,
  addScalar,
  declareField,
  declareType,
  takeTypeName,
  touch,
} from './declare.ts';
import type { Graph, Member } from './model.ts';

type Motif = (graph: Graph, members: readonly Member[]) => void;

const MOTIFS: readonly Motif[] = [
  keys.severalKeys,
  keys.nestedKey,
  keys.multiFieldKey,
  requires.requires,
  requires.nestedRequires,
  requires.requiresWithArguments,
  requires.requiresWithFragments,
  requires.provides,
  ownership.shareable,
  ownership.override,
  ownership.progressiveOverride,
  ownership.inaccessible,
  ownership.tagged,
  ownership.composeDirective,
  abstract.differingUnion,
  abstract.differingInterface,
  abstract.interfaceObject,
  abstract.context,
  inputs.mergedEnum,
  inputs.mergedInput,
  inputs.mutations,
];

const MEMBER_NAMES = ['ash', 'birch', 'cedar', 'doum', 'elm'];
const SYLLABLES = [
  'ba',
  'ce',
  'di',
  'fo',
  'gu',
  'ha',
  'ke',
  'li',
  'mo',
  'nu',
  'pa',
  're',
  'si',
  'to',
  'vu',
  'wa',
];

export function generateGraph(seed: number): Graph {
  const random = createRandom(seed);
  const count = 2 + random.below(4);
  const hasOld = count > 2 && random.chance(35);
  const members = MEMBER_NAMES.slice(0, count).map((name, index) =>
    createMember(name, hasOld && index === count - 1 ? 1 : 2),
  );
  const graph: Graph = {
    seed,
    random,
    members,
    truths: new Map(),
    instances: new Map(),
    possible: new Map(),
    contexts: new Map(),
    tags: new Map(),
    features: new Set(),
    plainEntities: [],
    words: random.sample(
      SYLLABLES.flatMap((first) => SYLLABLES.map((second) => `${first}${second}`)),
      SYLLABLES.length ** 2,
    ),
    clock: { ticks: 0 },
  };
  const modern = members.filter(({ version }) => version === 2);
  addPlainEntities(graph, modern);
  for (const motif of random.sample(MOTIFS, 5 + random.below(7))) motif(graph, modern);
  const old = members.find(({ version }) => version === 1);
  if (old !== undefined) inputs.federationOne(graph, modern, old);
  for (const member of members) ensureRoot(graph, member);
  return graph;
}

function createMember(name: string, version: 1 | 2): Member {
  return { name, version, types: new Map(), unions: new Map(), definitions: [], schemaDirectives: [] };
}

/** What every graph has: entities with an id, known to several members, that lead to one another. */
function addPlainEntities(graph: Graph, members: readonly Member[]): void {
  const { random } = graph;
  for (let count = 2 + random.below(2); count > 0; count -= 1) {
    const type = takeTypeName(graph);
    graph.plainEntities.push(type);
    addInstances(graph, type);
    addKeyTruth(graph, type, 'id', ({ id }) => id);
  }
  for (const type of graph.plainEntities) {
    const [home, ...others] = random.sample(members, 2 + random.below(2));
    if (home === undefined) continue;
    declareType(home, type, { keys: ['id'] });
    declareField(home, type, 'id', 'ID!');
    addScalar(graph, home, type);
    addScalar(graph, home, type);
    addRoot(graph, home, type, [type]);
    for (const other of others) {
      touch(other, type);
      addScalar(graph, other, type);
      const target = random.pick(graph.plainEntities);
      touch(other, target);
      addReference(graph, other, type, target, [target]);
    }
  }
}

function ensureRoot(graph: Graph, member: Member): void {
  if (member.types.get('Query') !== undefined) return;
  const type = graph.random.pick(graph.plainEntities);
  touch(member, type);
  addRoot(graph, member, type, [type]);
}
