// Keeps which entities a system was asked about and does not know: to be told where the answer cannot do without them.
import { HubError } from '@weft/core/errors';
import { type GraphQLSchema, Kind } from 'graphql';
import type { DataObject } from '../execute/data.ts';
import { keysOf } from './entity-keys.ts';

/** A system's null for a representation. */
export interface Unresolved {
  readonly system: string;
  /** JSON, as it was sent. */
  readonly representation: string;
}

/** By the object in the data. */
export type UnresolvedEntities = Map<DataObject, readonly Unresolved[]>;

export function addUnresolved(
  entities: UnresolvedEntities,
  object: DataObject,
  system: string,
  representation: string,
): void {
  entities.set(object, [...(entities.get(object) ?? []), { system, representation }]);
}

/**
 * NOT_FOUND with the type and the key, when a system does not know the object: the one that answers the missing field,
 * or any other, of which that one would have needed something.
 */
export function notFoundError(
  schema: GraphQLSchema,
  entities: UnresolvedEntities,
  object: DataObject,
  fieldSystem: string | undefined,
): HubError | undefined {
  const all = entities.get(object) ?? [];
  const unresolved = all.find(({ system }) => system === fieldSystem) ?? all[0];
  if (unresolved === undefined) return undefined;
  const { system, representation } = unresolved;
  const message = `${system} knows no ${describe(schema, system, representation)}`;
  return new HubError('NOT_FOUND', message, { system });
}

/** Characters of a key in a message: a key may be of a client's choosing. */
const KEY_LENGTH_MAX = 200;

/** The type and, of what was sent, its key: `Division with code "370100"`. */
function describe(schema: GraphQLSchema, system: string, representation: string): string {
  const sent = JSON.parse(representation) as Readonly<Record<string, unknown>>;
  const typeName = String(sent.__typename);
  const keys = keysOf(schema, system, typeName).map(({ selections }) =>
    selections.flatMap((node) => (node.kind === Kind.FIELD ? [node.name.value] : [])),
  );
  const names = keys.find((key) => key.every((name) => Object.hasOwn(sent, name))) ?? [];
  const text = names.map((name) => `${name} ${JSON.stringify(sent[name])}`).join(' and ');
  const shown = text.length > KEY_LENGTH_MAX ? `${text.slice(0, KEY_LENGTH_MAX)}…` : text;
  return shown === '' ? typeName : `${typeName} with ${shown}`;
}
