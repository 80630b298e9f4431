// What the gateway reads from a supergraph's own text: addresses, which system answers a field, live fields.
import { OperatorError } from '@weft/core/errors';
import { decodeStreamField, type StreamField } from '@weft/schema/event-streams';
import { type ConstDirectiveNode, type DocumentNode, GraphQLError, Kind, parse } from 'graphql';

export interface SupergraphDocument {
  /** The text, parsed without locations. */
  readonly ast: DocumentNode;
  /** Subgraph name to URL, as composed. */
  readonly urls: ReadonlyMap<string, string>;
  /** `Type.field`, or `Type`, to the name of the first system that answers it. */
  readonly systemByCoordinate: ReadonlyMap<string, string>;
  /** By field name. */
  readonly streams: ReadonlyMap<string, StreamField>;
}

/** @throws OperatorError when the text is not a supergraph */
export function readSupergraphDocument(supergraphSdl: string): SupergraphDocument {
  const document = parseSupergraph(supergraphSdl);
  const graphs = readGraphs(document);
  if (graphs.size === 0)
    throw new OperatorError('the supergraph has no enum join__Graph: give a Federation v2 supergraph', {
      exitCode: 2,
    });
  const systemByCoordinate = new Map<string, string>();
  const streams = new Map<string, StreamField>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    const owner = graphOf(node.directives, 'join__type', graphs);
    if (owner !== undefined) systemByCoordinate.set(node.name.value, owner);
    for (const field of node.fields ?? []) {
      const system = graphOf(field.directives, 'join__field', graphs);
      if (system !== undefined) systemByCoordinate.set(`${node.name.value}.${field.name.value}`, system);
      const stream = node.name.value === 'Subscription' ? decodeStreamField(field) : undefined;
      if (stream !== undefined) streams.set(field.name.value, stream);
    }
  }
  const urls = new Map([...graphs.values()].map(({ name, url }) => [name, url]));
  return { ast: document, urls, systemByCoordinate, streams };
}

function parseSupergraph(supergraphSdl: string): DocumentNode {
  try {
    return parse(supergraphSdl, { noLocation: true });
  } catch (thrown) {
    const reason = thrown instanceof GraphQLError ? thrown.message : String(thrown);
    throw new OperatorError(`the supergraph is not GraphQL SDL: ${reason}`, { exitCode: 2, cause: thrown });
  }
}

export interface Graph {
  readonly name: string;
  readonly url: string;
}

/** The values of `join__Graph` (https://specs.apollo.dev/join/v0.5). */
export function readGraphs(document: DocumentNode): ReadonlyMap<string, Graph> {
  const graphs = new Map<string, Graph>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.ENUM_TYPE_DEFINITION || node.name.value !== 'join__Graph') continue;
    for (const value of node.values ?? []) {
      const directive = value.directives?.find((candidate) => candidate.name.value === 'join__graph');
      const name = directive === undefined ? undefined : argumentText(directive, 'name');
      if (directive === undefined || name === undefined) continue;
      graphs.set(value.name.value, { name, url: argumentText(directive, 'url') ?? '' });
    }
  }
  return graphs;
}

/** The first graph that answers the field itself: `external` ones only know of it. */
function graphOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
  graphs: ReadonlyMap<string, Graph>,
): string | undefined {
  for (const directive of directives ?? []) {
    if (directive.name.value !== name || argumentText(directive, 'external') === 'true') continue;
    const graph = graphs.get(argumentText(directive, 'graph') ?? '');
    if (graph !== undefined) return graph.name;
  }
  return undefined;
}

function argumentText(directive: ConstDirectiveNode, name: string): string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  if (value?.kind === Kind.STRING || value?.kind === Kind.ENUM) return value.value;
  return value?.kind === Kind.BOOLEAN ? String(value.value) : undefined;
}
