// The access rules of a supergraph as they stand in its text: which requirements each coordinate itself is given.
import { OperatorError } from '@weft/core/errors';
import {
  type ConstDirectiveNode,
  type ConstValueNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
} from 'graphql';
import { directivesNamed, readFeatures } from '../plan/supergraph-features.ts';
import type { AnyOf, Requirement } from './requirement.ts';

/** Requirements by number: places in `requirements`. */
export interface OwnRules {
  /** No two are equal. */
  readonly requirements: readonly Requirement[];
  /** `Type`, `Type.field`, `Type.field(argument:)` or `Input.field`, to what it needs. */
  readonly byCoordinate: ReadonlyMap<string, readonly number[]>;
}

type ReadRequirement = (directive: ConstDirectiveNode) => Requirement;

/** @throws OperatorError naming a rule that cannot be read: it would not be enforced */
export function readOwnRules(document: DocumentNode): OwnRules {
  const readers = readersOf(document);
  const numbers = new Map<string, number>();
  const requirements: Requirement[] = [];
  const byCoordinate = new Map<string, readonly number[]>();
  const add = (coordinate: string, directives: readonly ConstDirectiveNode[] | undefined): void => {
    const own = (directives ?? []).flatMap((directive) => {
      const requirement = readers.get(directive.name.value)?.(directive);
      if (requirement === undefined) return [];
      return [
        numbers.getOrInsertComputed(JSON.stringify(requirement), () => requirements.push(requirement) - 1),
      ];
    });
    if (own.length > 0) byCoordinate.set(coordinate, [...(byCoordinate.get(coordinate) ?? []), ...own]);
  };
  if (readers.size > 0) for (const node of document.definitions) addDefinition(add, node);
  return { requirements, byCoordinate };
}

/** By the directive's name in this document. */
function readersOf(document: DocumentNode): ReadonlyMap<string, ReadRequirement> {
  const features = readFeatures(document);
  const specifications: readonly (readonly [string, ReadRequirement])[] = [
    ['authenticated', () => ({ kind: 'authenticated' })],
    ['requiresScopes', (directive) => ({ kind: 'scopes', anyOf: readAnyOf(directive, 'scopes') })],
    ['policy', (directive) => ({ kind: 'policies', anyOf: readAnyOf(directive, 'policies') })],
  ];
  return new Map(
    specifications.flatMap(([name, read]) =>
      [...directivesNamed(features, name)].map((local) => [local, read] as const),
    ),
  );
}

function addDefinition(
  add: (coordinate: string, directives: readonly ConstDirectiveNode[] | undefined) => void,
  node: DefinitionNode,
): void {
  if (!('name' in node) || node.name === undefined || node.kind === Kind.DIRECTIVE_DEFINITION) return;
  if (node.kind === Kind.OPERATION_DEFINITION || node.kind === Kind.FRAGMENT_DEFINITION) return;
  const typeName = node.name.value;
  add(typeName, node.directives);
  if (!('fields' in node)) return;
  const fields: readonly (FieldDefinitionNode | InputValueDefinitionNode)[] = node.fields ?? [];
  for (const field of fields) {
    const coordinate = `${typeName}.${field.name.value}`;
    add(coordinate, field.directives);
    if (field.kind !== Kind.FIELD_DEFINITION) continue;
    for (const argument of field.arguments ?? [])
      add(`${coordinate}(${argument.name.value}:)`, argument.directives);
  }
}

/** `[["a", "b"], ["c"]]`: a and b, or c. */
function readAnyOf(directive: ConstDirectiveNode, argument: string): AnyOf {
  const value = directive.arguments?.find(({ name }) => name.value === argument)?.value;
  return itemsOf(directive, value).map((all) => itemsOf(directive, all).map((one) => textOf(directive, one)));
}

/** A single value stands for a list of it (GraphQL 2025-09, 3.11 List). */
function itemsOf(
  directive: ConstDirectiveNode,
  value: ConstValueNode | undefined,
): readonly ConstValueNode[] {
  if (value === undefined || value.kind === Kind.NULL) throw unreadable(directive);
  return value.kind === Kind.LIST ? value.values : [value];
}

function textOf(directive: ConstDirectiveNode, value: ConstValueNode): string {
  if (value.kind !== Kind.STRING) throw unreadable(directive);
  return value.value;
}

function unreadable({ name }: ConstDirectiveNode): OperatorError {
  return new OperatorError(`the supergraph has a rule @${name.value} that cannot be read: compose it anew`, {
    exitCode: 2,
  });
}
