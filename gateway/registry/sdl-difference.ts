// In what the SDL that a live subgraph serves differs from the part of the supergraph that was composed of it.
import { splitEventStreams } from '@weft/schema/event-streams';
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  type OperationTypeDefinitionNode,
  parse,
  print,
} from 'graphql';
import { readGraphs } from '../plan/supergraph-document.ts';

/** A field with its type as printed, or an enum value with none, by name. */
type Members = Map<string, string>;

/** What a supergraph was composed of. */
export interface ComposedOf {
  /** Name of a subgraph to its types to their fields, input fields and enum values. */
  readonly bySystem: ReadonlyMap<string, ReadonlyMap<string, Members>>;
  /** Of whichever subgraph. */
  readonly all: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Differences that are told; one that differs throughout differs in its first ones. */
const DIFFERENCES_MAX = 10;
/** What a subgraph library adds to the SDL itself. */
const FEDERATION = /^(?:_|federation__|link__|join__)/;

/** @param supergraphSdl a Federation v2 supergraph */
export function readComposedOf(supergraphSdl: string): ComposedOf {
  const document = parse(supergraphSdl, { noLocation: true });
  const names = new Map([...readGraphs(document)].map(([value, { name }]) => [value, name]));
  const bySystem = new Map([...names.values()].map((name) => [name, new Map<string, Members>()]));
  const all = new Map<string, Set<string>>();
  for (const node of document.definitions) {
    if (!('name' in node) || node.name === undefined || !('directives' in node)) continue;
    const type = node.name.value;
    const graphs = joins(node as Joined, 'join__type').flatMap((join) => names.get(join.graph ?? '') ?? []);
    if (graphs.length === 0) continue;
    const members = membersOf(node);
    all.set(type, new Set(members.map(({ name }) => name.value)));
    for (const graph of graphs) bySystem.get(graph)?.set(type, new Map());
    for (const member of members)
      for (const { graph, text } of answeredBy(member, graphs, names))
        bySystem.get(graph)?.get(type)?.set(member.name.value, text);
  }
  return { bySystem, all };
}

interface Joined {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

type Member =
  | FieldDefinitionNode
  | InputValueDefinitionNode
  | {
      readonly kind: Kind.ENUM_VALUE_DEFINITION;
      readonly name: { readonly value: string };
      readonly directives?: readonly ConstDirectiveNode[] | undefined;
    };

function membersOf(node: DefinitionNode): readonly Member[] {
  if ('fields' in node) return (node.fields ?? []) as readonly Member[];
  return 'values' in node ? ((node.values ?? []) as readonly Member[]) : [];
}

interface Join {
  readonly graph: string | undefined;
  readonly type: string | undefined;
  /** Whether the subgraph names the member and does not answer it. */
  readonly isForeign: boolean;
}

function joins(node: Joined, name: string): readonly Join[] {
  return (node.directives ?? [])
    .filter((directive) => directive.name.value === name)
    .map(({ arguments: given = [] }) => {
      const valueFor = (argument: string) => given.find((each) => each.name.value === argument)?.value;
      const [graph, type] = [valueFor('graph'), valueFor('type')];
      return {
        graph: graph?.kind === Kind.ENUM ? graph.value : undefined,
        type: type?.kind === Kind.STRING ? type.value : undefined,
        isForeign: ['external', 'usedOverridden'].some((flag) => valueFor(flag) !== undefined),
      };
    });
}

/** https://specs.apollo.dev/join/v0.5: a field without `@join__field` is of all subgraphs that its type is of. */
function answeredBy(
  member: Member,
  graphs: readonly string[],
  names: ReadonlyMap<string, string>,
): readonly { readonly graph: string; readonly text: string }[] {
  const text = 'type' in member ? print(member.type) : '';
  const own = joins(member, member.kind === Kind.ENUM_VALUE_DEFINITION ? 'join__enumValue' : 'join__field');
  if (own.length === 0) return graphs.map((graph) => ({ graph, text }));
  return own.flatMap(({ graph, type, isForeign }) => {
    const name = names.get(graph ?? '');
    return name === undefined || isForeign ? [] : [{ graph: name, text: type ?? text }];
  });
}

/**
 * One sentence a difference, by coordinate: what the graph has of the subgraph and the live one has not or otherwise, and
 * what the live one has and no part of the graph. Empty when it can answer all that it will be asked for, and no more.
 * @param liveSdl of `_service { sdl }`
 * @throws GraphQLError or another error when that is no SDL
 */
export function differencesOf(composed: ComposedOf, system: string, liveSdl: string): readonly string[] {
  const { live, withFields } = readLive(splitEventStreams(liveSdl, system).servedDocument);
  const differences: string[] = [];
  for (const [type, members] of composed.bySystem.get(system) ?? []) {
    const served = live.get(type);
    if (served === undefined) {
      if (members.size > 0) differences.push(`${type} is not there`);
      continue;
    }
    for (const [name, text] of members) {
      const now = served.get(name);
      if (now === undefined) differences.push(`${type}.${name} is not there`);
      else if (now !== text) differences.push(`${type}.${name} is ${now}, and was ${text}`);
    }
  }
  // Of inputs and enums composition keeps what all subgraphs have, so that one may have more.
  for (const type of withFields) {
    const known = composed.all.get(type);
    for (const name of live.get(type)?.keys() ?? [])
      if (!FEDERATION.test(name) && known?.has(name) !== true) differences.push(`${type}.${name} is new`);
  }
  return differences.slice(0, DIFFERENCES_MAX);
}

const ROOTS = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;

interface LiveTypes {
  readonly live: ReadonlyMap<string, Members>;
  /** Objects and interfaces. */
  readonly withFields: ReadonlySet<string>;
}

function readLive(document: DocumentNode): LiveTypes {
  const roots = new Map<string, string>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.SCHEMA_DEFINITION && node.kind !== Kind.SCHEMA_EXTENSION) continue;
    for (const { operation, type } of (node.operationTypes ?? []) as readonly OperationTypeDefinitionNode[])
      roots.set(type.name.value, ROOTS[operation]);
  }
  const live = new Map<string, Members>();
  const withFields = new Set<string>();
  for (const node of document.definitions) {
    if (!('name' in node) || node.name === undefined || FEDERATION.test(node.name.value)) continue;
    const type = roots.get(node.name.value) ?? node.name.value;
    const members = live.getOrInsertComputed(type, () => new Map());
    if (/^(?:Object|Interface)Type/.test(node.kind)) withFields.add(type);
    for (const member of membersOf(node))
      members.set(member.name.value, 'type' in member ? print(member.type) : '');
  }
  return { live, withFields };
}
