// Motifs of fields that need what other members know: @requires in its forms, @provides.
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

const EXTERNAL = { role: 'external', directives: '@external' } as const;

interface Pair {
  readonly home: Member;
  readonly other: Member;
  readonly type: string;
}

/** A new entity that two members know by its id; the way in is at either. */
function pairOn(graph: Graph, members: readonly Member[]): Pair | undefined {
  const [home, other] = graph.random.sample(members, 2);
  if (home === undefined || other === undefined) return undefined;
  const type = takeTypeName(graph);
  addInstances(graph, type);
  addKeyTruth(graph, type, 'id', ({ id }) => id);
  for (const member of [home, other]) {
    declareType(member, type, { keys: ['id'] });
    declareField(member, type, 'id', 'ID!');
  }
  addEntrances(graph, graph.random.pick([home, other]), type);
  return { home, other, type };
}

export function requires(graph: Graph, members: readonly Member[]): void {
  const pair = pairOn(graph, members);
  if (pair === undefined) return;
  const { home, other, type } = pair;
  const names = [takeWord(graph), takeWord(graph)];
  for (const name of names) {
    const sdlType = graph.random.pick(['Int', 'String', '[Int]', '[[String]]', 'Boolean']);
    declareField(home, type, name, sdlType);
    addTruth(graph, type, name, sdlType);
    declareField(other, type, name, sdlType, EXTERNAL);
  }
  addRequiring(graph, other, type, names.join(' '));
  addRequiring(graph, other, type, names[0] ?? '');
  addScalar(graph, other, type);
}

/** Requires what lies in a value type, and a field that is itself computed by a third member out of what it requires. */
export function nestedRequires(graph: Graph, members: readonly Member[]): void {
  const pair = pairOn(graph, members);
  if (pair === undefined) return;
  const { home, other, type } = pair;
  const part = takeTypeName(graph);
  const [field, width, height] = [takeWord(graph), takeWord(graph), takeWord(graph)];
  const sdlType = graph.random.pick([part, `[${part}]`, `[${part}!]!`]);
  declareField(home, type, field, sdlType);
  declareField(other, type, field, sdlType, EXTERNAL);
  addTruth(graph, type, field, sdlType, [part]);
  for (const member of [home, other]) {
    declareType(member, part);
    for (const name of [width, height]) {
      declareField(member, part, name, 'Int', member === other ? EXTERNAL : {});
    }
  }
  for (const name of [width, height]) addTruth(graph, part, name, 'Int');
  const first = addRequiring(graph, other, type, `${field} { ${width} ${height} }`, 'nested @requires');
  declareField(home, type, first, 'String', EXTERNAL);
  addRequiring(graph, home, type, first, 'nested @requires');
}

/** The client asks the same field with arguments of its own, and another member requires it with yet others. */
export function requiresWithArguments(graph: Graph, members: readonly Member[]): void {
  const pair = pairOn(graph, members);
  if (pair === undefined) return;
  const { home, other, type } = pair;
  const price = takeWord(graph);
  const args = 'unit: String, times: Int';
  declareField(home, type, price, 'Int', { args });
  declareField(other, type, price, 'Int', { ...EXTERNAL, args });
  addTruth(graph, type, price, 'Int');
  tag(graph, type, price, '@requires with arguments');
  const unit = graph.random.pick(['EUR', 'CNY']);
  addRequiring(graph, other, type, `${price}(unit: "${unit}")`, '@requires with arguments');
  if (graph.random.chance(50)) {
    addRequiring(graph, other, type, `${price}(unit: "USD", times: 2)`, '@requires with arguments');
  }
}

export function requiresWithFragments(graph: Graph, members: readonly Member[]): void {
  const pair = pairOn(graph, members);
  if (pair === undefined) return;
  const { home, other, type } = pair;
  const union = takeTypeName(graph);
  const content = takeWord(graph);
  const types = [takeTypeName(graph), takeTypeName(graph)];
  const fields = types.map((member) => {
    const name = takeWord(graph);
    addInstances(graph, member);
    addKeyTruth(graph, member, 'id', ({ id }) => id);
    addTruth(graph, member, name, 'Int');
    for (const at of [home, other]) {
      declareType(at, member, { keys: ['id'] });
      declareField(at, member, 'id', 'ID!');
      declareField(at, member, name, 'Int', at === other ? EXTERNAL : {});
    }
    return name;
  });
  home.unions.set(union, types);
  other.unions.set(union, types);
  const sdlType = graph.random.pick([union, `[${union}]`, `[${union}!]`]);
  declareField(home, type, content, sdlType);
  declareField(other, type, content, sdlType, EXTERNAL);
  addTruth(graph, type, content, sdlType, types);
  graph.possible.set(union, types);
  const fragments = types.map((member, index) => `... on ${member} { ${fields[index]} }`);
  const typename = graph.random.chance(50) ? '__typename ' : '';
  const selection = `${content} { ${typename}${fragments.join(' ')} }`;
  addRequiring(graph, other, type, selection, '@requires with fragments');
}

/** One member tells a field of another's entity, on one way only. */
export function provides(graph: Graph, members: readonly Member[]): void {
  const pair = pairOn(graph, members);
  if (pair === undefined) return;
  const { home, other, type } = pair;
  const name = takeWord(graph);
  declareField(home, type, name, 'String', home.version === 2 ? { directives: '@shareable' } : {});
  addTruth(graph, type, name, 'String');
  declareField(other, type, name, 'String', EXTERNAL);
  addScalar(graph, home, type);
  tag(graph, type, name, '@provides', '@external');
  const directives = `@provides(fields: "${name}")`;
  addRoot(graph, other, type, [type], { provides: name, directives }, '@provides');
  const entity = graph.random.pick(graph.plainEntities);
  touch(other, entity);
  const reference = addReference(graph, other, entity, type, [type], '@provides');
  const declared = other.types.get(entity)?.fields.get(reference);
  if (declared !== undefined) {
    declareField(other, entity, reference, declared.type, { provides: name, directives });
  }
}
