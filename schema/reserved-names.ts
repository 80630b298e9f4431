// Names that belong to GraphQL, to Federation and to the supergraph: a system that brings one of its own would stand in their place.
import { type DefinitionNode, type DocumentNode, Kind } from 'graphql';
import type { Problem } from './problem.ts';

/** https://www.apollographql.com/docs/federation/subgraph-spec: the gateway asks a subgraph by these alone. */
const RESERVED_QUERY_FIELDS: ReadonlySet<string> = new Set(['_entities', '_service']);
const RESERVED_TYPES: ReadonlySet<string> = new Set(['_Any', '_Entity', '_Service']);
const RESERVED_PREFIXES = ['__', 'join__', 'core__', 'federation__', 'link__'] as const;
/** What a library may print of these into its own SDL, with the meaning that they have. */
const PRINTED: ReadonlySet<string> = new Set([
  'federation__ContextFieldValue',
  'federation__FieldSet',
  'federation__Policy',
  'federation__Scope',
  'link__Import',
  'link__Purpose',
]);

/** @param document undefined: nothing is found in what is no GraphQL */
export function findReservedNames(system: string, document: DocumentNode | undefined): readonly Problem[] {
  return (document?.definitions ?? []).flatMap((definition) => {
    const name = 'name' in definition ? definition.name?.value : undefined;
    if (name === undefined || definition.kind === Kind.DIRECTIVE_DEFINITION) return [];
    return isReserved(name) ? [problem(system, name)] : reservedFields(system, name, definition);
  });
}

function isReserved(name: string): boolean {
  const hasPrefix = RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));
  return RESERVED_TYPES.has(name) || (hasPrefix && !PRINTED.has(name));
}

function reservedFields(system: string, type: string, definition: DefinitionNode): readonly Problem[] {
  if (type !== 'Query' || !('fields' in definition)) return [];
  return (definition.fields ?? [])
    .filter(({ name }) => RESERVED_QUERY_FIELDS.has(name.value))
    .map(({ name }) => problem(system, `${type}.${name.value}`));
}

function problem(system: string, coordinate: string): Problem {
  const message = `the name ${coordinate} belongs to GraphQL or to Federation: leave it out, or call it otherwise`;
  return { code: 'RESERVED_NAME', level: 'ERROR', message, systems: [system], coordinate, locations: [] };
}
