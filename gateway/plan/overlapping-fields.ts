// Whether fields of one response name can be merged (https://spec.graphql.org/September2025/#sec-Field-Selection-Merging), in bounded steps.

import { HubError } from '@weft/core/errors';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  print,
  type SelectionSetNode,
} from 'graphql';
import { sortValueNode } from 'graphql/utilities/sortValueNode.js';

/** One field of the document where it stands. */
interface Occurrence {
  /** Undefined below fields that the type itself does not declare: introspection. */
  readonly parent: GraphQLNamedType | undefined;
  readonly node: FieldNode;
  readonly type: GraphQLOutputType | undefined;
}

type ByResponseName = Map<string, Occurrence[]>;

interface Check {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly errors: GraphQLError[];
  readonly errorsMax: number;
  readonly stepsMax: number;
  steps: number;
}

/**
 * Fields are merged level by level, each level once for all parents and once for each object type that parts them, instead of
 * compared pair by pair as graphql-js does, whose time is quadratic in the fields and worse in fragments.
 * @param document valid otherwise: without fragments that spread themselves
 * @throws HubError LIMIT_EXCEEDED when it takes more than `stepsMax` visits of a field
 */
export function findOverlaps(
  schema: GraphQLSchema,
  document: DocumentNode,
  limits: { readonly overlapStepsMax: number; readonly validationErrorsMax: number },
): readonly GraphQLError[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  const { overlapStepsMax: stepsMax, validationErrorsMax: errorsMax } = limits;
  const check: Check = { schema, fragments, errors: [], errorsMax, stepsMax, steps: 0 };
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    const fields: ByResponseName = new Map();
    const rootType = schema.getRootType(node.operation) ?? undefined;
    collect(check, node.selectionSet, rootType, fields, new Set());
    checkFields(check, fields, { shapes: true, names: true }, []);
  }
  return check.errors;
}

/** What remains to be checked of a level: under parents that exclude each other only shapes must agree. */
interface Wanted {
  readonly shapes: boolean;
  readonly names: boolean;
}

function checkFields(check: Check, fields: ByResponseName, wanted: Wanted, path: readonly string[]): void {
  for (const [responseName, occurrences] of fields) {
    if (check.errors.length >= check.errorsMax) return;
    const below = [...path, responseName];
    if (wanted.shapes && occurrences.length > 1) requireSameShape(check, occurrences, below);
    const groups = wanted.names ? groupsByParent(occurrences) : [occurrences];
    if (wanted.names) for (const group of groups) requireSameField(check, group, below);
    if (groups.length === 1) {
      checkFields(check, childrenOf(check, occurrences), wanted, below);
      continue;
    }
    if (wanted.shapes)
      checkFields(check, childrenOf(check, occurrences), { shapes: true, names: false }, below);
    for (const group of groups)
      checkFields(check, childrenOf(check, group), { shapes: false, names: true }, below);
  }
}

/** Fields of two object types never stand in one object; those of an abstract type may stand beside any. */
function groupsByParent(occurrences: readonly Occurrence[]): readonly (readonly Occurrence[])[] {
  if (occurrences.length === 1) return [occurrences];
  const objectTypes = new Set(occurrences.map(({ parent }) => parent).filter(isObjectType));
  if (objectTypes.size < 2) return [occurrences];
  return [...objectTypes].map((type) =>
    occurrences.filter(({ parent }) => parent === type || !isObjectType(parent)),
  );
}

function requireSameField(check: Check, group: readonly Occurrence[], path: readonly string[]): void {
  const [first, ...others] = group;
  if (first === undefined || others.length === 0) return;
  const name = first.node.name.value;
  const given = printArguments(first.node);
  for (const { node } of others) {
    const reason =
      node.name.value !== name
        ? `"${name}" and "${node.name.value}" are different fields`
        : printArguments(node) !== given && 'they have differing arguments';
    if (reason === false) continue;
    report(check, path, reason, [first.node, node]);
    return;
  }
}

function printArguments({ arguments: given }: FieldNode): string {
  if (given === undefined || given.length === 0) return '';
  const printed = given.map(({ name, value }) => `${name.value}:${print(sortValueNode(value))}`);
  return printed.sort().join();
}

function requireSameShape(check: Check, occurrences: readonly Occurrence[], path: readonly string[]): void {
  const typed = occurrences.filter(({ type }) => type !== undefined);
  const [first] = typed;
  const other = typed.find(({ type }) => first?.type && type && conflict(first.type, type));
  if (first === undefined || other === undefined) return;
  const reason = `they return conflicting types "${first.type}" and "${other.type}"`;
  report(check, path, reason, [first.node, other.node]);
}

/** Lists, non-nulls and leaves must agree; of composite types the fields are compared. */
function conflict(one: GraphQLOutputType, other: GraphQLOutputType): boolean {
  if (one === other) return false;
  if (isListType(one) || isListType(other))
    return !(isListType(one) && isListType(other)) || conflict(one.ofType, other.ofType);
  if (isNonNullType(one) || isNonNullType(other))
    return !(isNonNullType(one) && isNonNullType(other)) || conflict(one.ofType, other.ofType);
  return isLeafType(one) || isLeafType(other);
}

function report(check: Check, path: readonly string[], reason: string, nodes: readonly FieldNode[]): void {
  const [responseName, ...below] = path;
  const reasons = [...below.map((name) => `subfields "${name}" conflict because `), reason].join('');
  const advice = 'Use different aliases on the fields to fetch both if this was intentional.';
  const message = `Fields "${responseName}" conflict because ${reasons}. ${advice}`;
  if (check.errors.some((error) => error.message === message)) return;
  check.errors.push(new GraphQLError(message, { nodes }));
}

function childrenOf(check: Check, occurrences: readonly Occurrence[]): ByResponseName {
  const fields: ByResponseName = new Map();
  const spread = new Set<string>();
  for (const { node, type } of occurrences) {
    const named = type === undefined ? undefined : getNamedType(type);
    if (node.selectionSet !== undefined) collect(check, node.selectionSet, named, fields, spread);
  }
  return fields;
}

function collect(
  check: Check,
  selectionSet: SelectionSetNode,
  parent: GraphQLNamedType | undefined,
  fields: ByResponseName,
  spread: Set<string>,
): void {
  for (const node of selectionSet.selections) {
    check.steps += 1;
    if (check.steps > check.stepsMax) throw tooManySteps(check.stepsMax);
    if (node.kind === Kind.FIELD) {
      addField(fields, node, parent);
      continue;
    }
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? check.fragments.get(node.name.value) : node;
    if (fragment === undefined) continue;
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      // Under a parent of its own it brings the same again.
      if (spread.has(node.name.value)) continue;
      spread.add(node.name.value);
    }
    const condition = fragment.typeCondition?.name.value;
    const type = condition === undefined ? parent : check.schema.getType(condition);
    collect(check, fragment.selectionSet, type, fields, spread);
  }
}

function addField(fields: ByResponseName, node: FieldNode, parent: GraphQLNamedType | undefined): void {
  const declares = isObjectType(parent) || isInterfaceType(parent);
  const type = declares ? parent.getFields()[node.name.value]?.type : undefined;
  const responseName = (node.alias ?? node.name).value;
  const known = fields.get(responseName);
  if (known === undefined) fields.set(responseName, [{ parent, node, type }]);
  else known.push({ parent, node, type });
}

function tooManySteps(max: number): HubError {
  const details = { limit: 'overlapStepsMax', max };
  const message = 'The document has too many fields of one name, under too many types, to be checked.';
  return new HubError('LIMIT_EXCEEDED', message, { details });
}
