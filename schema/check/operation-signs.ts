// How an operation meets a new schema: where validation blames it, and what it would notice although it is still valid.
import {
  type ASTNode,
  type ASTVisitor,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  Kind,
  TypeInfo,
  typeFromAST,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { heldBy } from '../operations/held-by-variable.ts';

/** Validation of one operation stops after so many errors: the first ones say enough. */
const VALIDATION_ERRORS_MAX = 50;

/** Coordinates and type names of the schema before. */
export interface OperationSigns {
  /** What validation against the schema after says; empty when the operation is still valid. */
  readonly errors: readonly string[];
  /** What stands at the places of these errors. */
  readonly blamed: ReadonlySet<string>;
  /** Fields whose answer is of another type than the operation was written for. */
  readonly answered: ReadonlySet<string>;
  /** Types, input fields and enum values that its variables can hold. */
  readonly held: ReadonlySet<string>;
  /** Named types of the fields that it selects. */
  readonly received: ReadonlySet<string>;
  /** Arguments that fields which it selects have, and are not given. */
  readonly left: ReadonlySet<string>;
}

/** @param document one operation with its fragments, valid against the schema before */
export function readSigns(
  before: GraphQLSchema,
  after: GraphQLSchema,
  document: DocumentNode,
): OperationSigns {
  const found = validate(after, document, undefined, { maxErrors: VALIDATION_ERRORS_MAX });
  const walk = walkOperation(before, after, document, found.length === 0);
  const blamed = new Set(
    found.flatMap(({ nodes }) => nodes ?? []).flatMap((node) => walk.names.get(node) ?? []),
  );
  return { ...walk, errors: found.map(({ message }) => message), blamed };
}

/**
 * Of an operation whose text is not known. It is taken to notice whatever is about what it uses, so that it may be held for broken
 * where its text would have shown that it is not.
 */
export function signsOfCoordinates(coordinates: readonly string[]): OperationSigns {
  const names = new Set(coordinates.flatMap(withEnclosing));
  const nothing: ReadonlySet<string> = new Set();
  return { errors: [], blamed: names, answered: names, held: names, received: nothing, left: nothing };
}

/** `Type.field(argument:)` is in `Type.field`, which is in `Type`. */
function withEnclosing(coordinate: string): readonly string[] {
  const field = coordinate.split('(')[0] ?? '';
  return [coordinate, field, field.split('.')[0] ?? ''];
}

interface Walk extends Omit<OperationSigns, 'errors' | 'blamed'> {
  /** What a node is about. */
  readonly names: ReadonlyMap<ASTNode, readonly string[]>;
}

interface Growing {
  readonly names: Map<ASTNode, readonly string[]>;
  readonly answered: Set<string>;
  readonly held: Set<string>;
  readonly received: Set<string>;
  readonly left: Set<string>;
}

function walkOperation(
  before: GraphQLSchema,
  after: GraphQLSchema,
  document: DocumentNode,
  isValid: boolean,
): Walk {
  const walk: Growing = {
    names: new Map(),
    answered: new Set(),
    held: new Set(),
    received: new Set(),
    left: new Set(),
  };
  const [old, changed] = [new TypeInfo(before), new TypeInfo(after)];
  const visitors = { ...fieldVisitor(walk, old, changed, isValid), ...valueVisitor(walk, old, before) };
  visit(document, visitWithTypeInfo(old, visitWithTypeInfo(changed, visitors)));
  return walk;
}

function fieldVisitor(walk: Growing, old: TypeInfo, changed: TypeInfo, isValid: boolean): ASTVisitor {
  const parentName = () => old.getParentType()?.name ?? '';
  return {
    Field(node) {
      const field = old.getFieldDef();
      const coordinate = `${parentName()}.${node.name.value}`;
      walk.names.set(node, [coordinate]);
      if (node.selectionSet !== undefined) walk.names.set(node.selectionSet, [coordinate]);
      if (field === null || field === undefined || field.name.startsWith('__')) return;
      walk.received.add(getNamedType(field.type).name);
      for (const argument of field.args)
        if (!node.arguments?.some(({ name }) => name.value === argument.name))
          walk.left.add(`${coordinate}(${argument.name}:)`);
      const answer = changed.getType();
      if (answer === null || answer === undefined) return;
      // Which of two composite types it is, is seen by its name, or by what can no longer be selected.
      const seesName = !isValid || node.selectionSet?.selections.some(isTypename) === true;
      if (!fits(field.type, answer, seesName)) walk.answered.add(coordinate);
    },
    InlineFragment(node) {
      const condition = node.typeCondition?.name.value;
      walk.names.set(node, condition === undefined ? [] : [condition, changed.getParentType()?.name ?? '']);
    },
    FragmentSpread(node) {
      walk.names.set(node, [parentName()]);
    },
    Directive(node) {
      walk.names.set(node, [`@${node.name.value}`]);
    },
    NamedType(node) {
      walk.names.set(node, [node.name.value]);
    },
  };
}

function isTypename(node: ASTNode): boolean {
  return node.kind === Kind.FIELD && node.name.value === '__typename';
}

/** Whether who expects `old` can take `answer`. */
function fits(old: GraphQLOutputType, answer: GraphQLOutputType, seesName: boolean): boolean {
  if (isNonNullType(answer)) return fits(isNonNullType(old) ? old.ofType : old, answer.ofType, seesName);
  if (isNonNullType(old)) return false;
  if (isListType(old) || isListType(answer))
    return isListType(old) && isListType(answer) && fits(old.ofType, answer.ofType, seesName);
  if (isLeafType(old) || isLeafType(answer)) return old.name === answer.name;
  return !seesName || old.name === answer.name;
}

function valueVisitor(walk: Growing, old: TypeInfo, before: GraphQLSchema): ASTVisitor {
  /** Innermost last: what a value is given to. */
  const places: string[] = [];
  const nameValue = (node: ASTNode, ...more: readonly string[]): void => {
    const place = places.at(-1);
    walk.names.set(node, place === undefined ? more : [place, ...more]);
  };
  const leave = () => void places.pop();
  return {
    Argument: {
      enter(node) {
        const field = `${old.getParentType()?.name ?? ''}.${old.getFieldDef()?.name ?? ''}`;
        const directive = old.getDirective();
        const isDirectives = directive !== null && directive !== undefined;
        places.push(isDirectives ? `@${directive.name}` : `${field}(${node.name.value}:)`);
        nameValue(node);
      },
      leave,
    },
    ObjectField: {
      enter(node) {
        const input = getNamedType(old.getParentInputType() ?? undefined);
        places.push(`${input?.name ?? ''}.${node.name.value}`);
        nameValue(node);
      },
      leave,
    },
    ObjectValue(node) {
      const input = getNamedType(old.getInputType() ?? undefined);
      nameValue(node, ...(isInputObjectType(input) ? [input.name] : []));
    },
    EnumValue(node) {
      const type = getNamedType(old.getInputType() ?? undefined);
      nameValue(node, ...(isEnumType(type) ? [`${type.name}.${node.value}`] : []));
    },
    Variable: (node) => nameValue(node),
    IntValue: (node) => nameValue(node),
    FloatValue: (node) => nameValue(node),
    StringValue: (node) => nameValue(node),
    BooleanValue: (node) => nameValue(node),
    NullValue: (node) => nameValue(node),
    ListValue: (node) => nameValue(node),
    VariableDefinition(node) {
      const type = typeFromAST(before, node.type as Parameters<typeof typeFromAST>[1]);
      if (type === undefined) return;
      const { types, coordinates } = heldBy(type as GraphQLInputType);
      for (const name of [...types, ...coordinates]) walk.held.add(name);
    },
  };
}
