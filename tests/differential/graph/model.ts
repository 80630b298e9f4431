// The model of a generated federated graph: what each member declares, and what is true of each field.
import { parse, type SelectionSetNode } from 'graphql';
import type { Feature } from '../features.ts';
import type { Random } from '../random.ts';

/** One thing of the data: its type and its name in it determine all its fields. */
export interface Instance {
  readonly type: string;
  readonly id: string;
}

/** An instance as a resolver holds it. */
export interface Position {
  readonly instance: Instance;
  /** The representation that a subgraph was asked with. */
  readonly sent?: Readonly<Record<string, unknown>> | undefined;
  /** The name under which a subgraph knows it, where that is an interface object. */
  readonly knownAs?: string | undefined;
  /** What the field that led here provides besides what its subgraph owns. */
  readonly provided?: SelectionSetNode | undefined;
  /** The instances that set a context on the way here, by the context's name; in the monolith only. */
  readonly contexts: ReadonlyMap<string, Instance>;
}

/** A field's value: leaves as JSON, things as `Instance`, lists of either. Pure, but for mutations. */
export type Truth = (position: Position, args: Readonly<Record<string, unknown>>) => unknown;

export type Role =
  /** Answered here. */
  | 'own'
  /** Known here as another's. */
  | 'external'
  /** Once answered here; now another's by @override, and wrong here. */
  | 'stale';

export interface FieldDeclaration {
  readonly name: string;
  /** In SDL. */
  readonly type: string;
  /** In SDL, without the parentheses. */
  readonly args?: string | undefined;
  readonly directives?: string | undefined;
  readonly role: Role;
  readonly requires?: string | undefined;
  readonly provides?: string | undefined;
}

export interface TypeDeclaration {
  readonly kind: 'type' | 'interface';
  readonly name: string;
  readonly implements: readonly string[];
  readonly directives: readonly string[];
  /** Selections without braces. */
  readonly keys: readonly string[];
  readonly isInterfaceObject: boolean;
  /** Federation 1: another member is where the type comes from. */
  readonly isExtension: boolean;
  readonly fields: Map<string, FieldDeclaration>;
}

export interface Member {
  readonly name: string;
  readonly version: 1 | 2;
  readonly types: Map<string, TypeDeclaration>;
  readonly unions: Map<string, readonly string[]>;
  /** Enums, inputs, directives as SDL. */
  readonly definitions: string[];
  /** Further `@link`s and their like, as directives of the schema. */
  readonly schemaDirectives: string[];
}

export interface Graph {
  readonly seed: number;
  readonly random: Random;
  readonly members: readonly Member[];
  /** By `Type.field`; a field of an interface holds for its types. */
  readonly truths: Map<string, Truth>;
  /** Entities, by type. */
  readonly instances: Map<string, readonly Instance[]>;
  /** Object types of an interface or union in the whole graph. */
  readonly possible: Map<string, readonly string[]>;
  /** By type: the context that its instances set. */
  readonly contexts: Map<string, string>;
  /** By `Type.field`: what an operation that selects it uses. */
  readonly tags: Map<string, Set<Feature>>;
  readonly features: Set<Feature>;
  /** Entities with the plain key `id`, which any member may refer to. */
  readonly plainEntities: string[];
  /** Types and fields are named from here, so that none is named twice. */
  readonly words: string[];
  /** Mutations so far in the operation that is run. */
  readonly clock: { ticks: number };
}

/** A selection as in `@key(fields:)`, parsed. */
export function parseSelection(fields: string): SelectionSetNode {
  const known = selections.get(fields);
  if (known !== undefined) return known;
  const [definition] = parse(`{ ${fields} }`, { noLocation: true }).definitions;
  if (definition?.kind !== 'OperationDefinition') throw new Error(`not a selection: ${fields}`);
  selections.set(fields, definition.selectionSet);
  return definition.selectionSet;
}

const selections = new Map<string, SelectionSetNode>();
