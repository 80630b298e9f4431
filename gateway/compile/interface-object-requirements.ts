// What a planned fetch from an interface object does not send: types that the client asks of, and what fields require (`@requires`).
import {
  type ConstDirectiveNode,
  type FieldNode,
  type GraphQLSchema,
  isInterfaceType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { parseFetch } from '../plan/fetch-text.ts';
import type { FetchStep, RequiredSelection } from '../plan/planner.ts';
import { keysOf, textArgumentOf } from './entity-keys.ts';
import { isWithin } from './type-names.ts';

/** Interfaces that one subgraph knows as object types. */
export interface InterfaceObjectsOfGraph {
  /** The supergraph's whole schema. */
  readonly schema: GraphQLSchema;
  /** The subgraph's name in `join__Graph`. */
  readonly graph: string | undefined;
  readonly isInterfaceObject: (typeName: string | undefined) => typeName is string;
  /** Object types at the path of which the client asks for a field of these response names. */
  readonly askedTypes: (path: readonly string[], names: readonly string[]) => readonly string[];
  /** Under which name a field that the plan needs lies in the data. */
  readonly nameOf: (fieldName: string) => string;
}

export const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** For the fields of interface objects: the types that the client asks of and, of every type, what they require; planners name some only. */
export function missingRequirements(
  { schema, graph, isInterfaceObject, askedTypes, nameOf }: InterfaceObjectsOfGraph,
  step: FetchStep,
): readonly RequiredSelection[] {
  return step.selection.selections.flatMap((node): readonly RequiredSelection[] => {
    if (node.kind !== Kind.INLINE_FRAGMENT) return [];
    const typeName = node.typeCondition?.name.value;
    if (!isInterfaceObject(typeName)) return [];
    const fields = fieldsWithin(step, node.selectionSet);
    const required = fields.flatMap((field) => requiredBy(schema, graph, typeName, field.name.value));
    const added = missingTypes(schema, step, typeName, askedTypes(step.path, responseNames(fields)));
    if (required.length === 0 || sends(step.requires ?? [], typeName, required)) return added;
    const own = fragmentWithin(schema, step, typeName)?.selections;
    const [key] = own === undefined ? keysOf(schema, step.system, typeName) : [];
    const nodes = [...(own === undefined ? [TYPENAME] : []), ...(key?.selections ?? []), ...required];
    const selections = toRequired(nodes, nameOf);
    // Arguments make two fields of one name: the plan alone knows which value lies where.
    return selections === undefined ? added : [fragmentOn(typeName, [...(own ?? []), ...selections])];
  });
}

/** What the plan sends of such objects: under which names keys lie in the data is its to know. */
function fragmentWithin(schema: GraphQLSchema, step: FetchStep, typeName: string) {
  return step.requires?.find(
    (selection) => selection.kind === 'fragment' && isWithin(schema, selection.typeCondition ?? '', typeName),
  );
}

function fragmentOn(typeCondition: string, selections: readonly RequiredSelection[]): RequiredSelection {
  return { kind: 'fragment', typeCondition, skipIf: undefined, includeIf: undefined, selections };
}

/** Of the objects themselves, those of fragments too: what a text says more than once, a planner may give a name. */
function fieldsWithin(step: FetchStep, selectionSet: SelectionSetNode): readonly FieldNode[] {
  return selectionSet.selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node];
    const body = node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : step.fragments.get(node.name.value);
    return body === undefined ? [] : fieldsWithin(step, body);
  });
}

function responseNames(fields: readonly FieldNode[]): readonly string[] {
  return fields.flatMap(({ alias, name }) => (name.value === '__typename' ? [] : [(alias ?? name).value]));
}

/** The same of the types that the client asks about and the plan leaves out. */
function missingTypes(
  schema: GraphQLSchema,
  step: FetchStep,
  typeName: string,
  asked: readonly string[],
): readonly RequiredSelection[] {
  const own = fragmentWithin(schema, step, typeName);
  if (own === undefined) return [];
  const sent = (step.requires ?? []).flatMap((selection) =>
    selection.kind === 'fragment' && selection.typeCondition !== undefined ? [selection.typeCondition] : [],
  );
  return asked
    .filter((name) => isWithin(schema, name, typeName) && !sent.some((each) => isWithin(schema, name, each)))
    .map((name) => fragmentOn(name, own.selections ?? []));
}

function requiredBy(
  schema: GraphQLSchema,
  graph: string | undefined,
  typeName: string,
  fieldName: string,
): readonly SelectionNode[] {
  const type = schema.getType(typeName);
  if (!isInterfaceType(type)) return [];
  const directives: readonly ConstDirectiveNode[] = type.getFields()[fieldName]?.astNode?.directives ?? [];
  return directives.flatMap((directive) => {
    if (directive.name.value !== 'join__field' || textArgumentOf(directive, 'graph') !== graph) return [];
    const requires = textArgumentOf(directive, 'requires');
    const [definition] = requires === undefined ? [] : parseFetch(`{ ${requires} }`).definitions;
    return definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [];
  });
}

/** Whether every object of the type comes with these fields. */
function sends(
  requires: readonly RequiredSelection[],
  typeName: string,
  required: readonly SelectionNode[],
): boolean {
  const names = new Set(
    requires.flatMap((selection) =>
      selection.kind === 'fragment' && selection.typeCondition === typeName
        ? selection.selections.map((field) => (field.kind === 'field' ? (field.sentAs ?? field.name) : ''))
        : [],
    ),
  );
  return required.every((node) => node.kind === Kind.FIELD && names.has(node.name.value));
}

/** Undefined when a field takes arguments. */
function toRequired(
  selections: readonly SelectionNode[],
  nameOf: InterfaceObjectsOfGraph['nameOf'],
): readonly RequiredSelection[] | undefined {
  const all: RequiredSelection[] = [];
  for (const node of selections) {
    if (node.kind === Kind.FRAGMENT_SPREAD) return undefined;
    const below =
      node.selectionSet === undefined ? undefined : toRequired(node.selectionSet.selections, nameOf);
    if (node.selectionSet !== undefined && below === undefined) return undefined;
    if (node.kind === Kind.FIELD) {
      if ((node.arguments?.length ?? 0) > 0) return undefined;
      const sentAs = node.name.value;
      const name = nameOf(sentAs);
      all.push({ kind: 'field', name, ...(name === sentAs ? {} : { sentAs }), selections: below });
      continue;
    }
    const typeCondition = node.typeCondition?.name.value;
    all.push({
      kind: 'fragment',
      typeCondition,
      skipIf: undefined,
      includeIf: undefined,
      selections: below ?? [],
    });
  }
  return all;
}
