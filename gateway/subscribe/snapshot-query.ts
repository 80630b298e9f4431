// Writes the query that a snapshot is read by: the keys of a list's objects, page by page where it is paged.
import { invariant } from '@weft/core/errors';
import { parseSnapshotField } from '@weft/schema/snapshot-field';
import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  parse,
  print,
} from 'graphql';
import type { EventStreamField } from '../engine.ts';

export interface SnapshotQuery {
  readonly text: string;
  /** Whether the list is a connection, read with `$weftFirst` and `$weftAfter`. */
  readonly isPaged: boolean;
  /** Of the query, and of the connection: `nodes`, or undefined where it has `edges`. */
  readonly field: string;
  readonly hasNodes: boolean;
  /** The field of the message that an object of the list stands in. */
  readonly messageField: string;
  /** Arguments of the live field that the snapshot is asked with. */
  readonly usedArguments: ReadonlySet<string>;
}

/** @throws Error where composition would have refused the field */
export function writeSnapshotQuery(schema: GraphQLSchema, stream: EventStreamField): SnapshotQuery {
  const { node, usedArguments } = parseSnapshotField(stream.snapshot ?? '');
  const field = schema.getQueryType()?.getFields()[node.name.value];
  invariant(field !== undefined, `Query has the field ${node.name.value} of a snapshot`);
  const list = getNamedType(field.type);
  const connection = isObjectType(list) ? connectionOf(list) : undefined;
  const entity = connection?.entity ?? list.name;
  const message = messageFieldOf(schema, stream, entity);
  const variables = new Map<string, string>();
  for (const argument of node.arguments ?? []) {
    const type = field.args.find(({ name }) => name === argument.name.value)?.type;
    if (argument.value.kind === Kind.VARIABLE && type !== undefined)
      variables.set(argument.value.name.value, String(type));
  }
  const given = (node.arguments ?? []).map((argument) => print(argument));
  const isPaged = connection !== undefined;
  if (isPaged) {
    variables.set('weftFirst', 'Int');
    variables.set('weftAfter', 'String');
    given.push('first: $weftFirst', 'after: $weftAfter');
  }
  const declared = [...variables].map(([name, type]) => `$${name}: ${type}`);
  const keys = message.keys;
  const items =
    connection === undefined ? keys : connection.hasNodes ? `{ nodes ${keys}` : `{ edges { node ${keys} }`;
  const selection = isPaged ? `${items} pageInfo { hasNextPage endCursor } }` : items;
  const head = declared.length === 0 ? 'query' : `query (${declared.join(', ')})`;
  const call = given.length === 0 ? node.name.value : `${node.name.value}(${given.join(', ')})`;
  return {
    text: `${head} { ${call} ${selection} }`,
    isPaged,
    field: node.name.value,
    hasNodes: connection?.hasNodes ?? false,
    messageField: message.name,
    usedArguments,
  };
}

/** By its shape (https://relay.dev/graphql/connections.htm): `pageInfo`, and `nodes` or `edges { node }`. */
function connectionOf(
  type: GraphQLObjectType,
): { readonly entity: string; readonly hasNodes: boolean } | undefined {
  const { nodes, edges, pageInfo } = type.getFields();
  if (pageInfo === undefined) return undefined;
  if (nodes !== undefined) return { entity: namedTypeOf(nodes.type), hasNodes: true };
  const edge = edges === undefined ? undefined : getNamedType(edges.type);
  const node = isObjectType(edge) ? edge.getFields().node : undefined;
  return node === undefined ? undefined : { entity: namedTypeOf(node.type), hasNodes: false };
}

function namedTypeOf(type: GraphQLOutputType): string {
  return getNamedType(type).name;
}

function messageFieldOf(
  schema: GraphQLSchema,
  { message, returnType }: EventStreamField,
  entity: string,
): { readonly name: string; readonly keys: string } {
  const type = schema.getType(returnType);
  const fields = isObjectType(type) ? type.getFields() : {};
  const [definition] = parse(message, { noLocation: true }).definitions;
  const selections = definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [];
  for (const node of selections) {
    if (node.kind !== Kind.FIELD || node.selectionSet === undefined) continue;
    const field = fields[node.name.value];
    if (field !== undefined && namedTypeOf(field.type) === entity)
      return { name: node.name.value, keys: print(node.selectionSet) };
  }
  invariant(false, `the message of a snapshot has a field of its type ${entity}`);
}
