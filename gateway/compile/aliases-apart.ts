// Keeps apart fetches that bring different fields under one name: types of one interface may use an alias each in its own way.
import { type FieldNode, type GraphQLSchema, isObjectType, Kind, print } from 'graphql';
import { mapFetches } from '../plan/map-fetches.ts';
import type { FetchStep, RequiredSelection, Step } from '../plan/planner.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import { typesAsking } from './asked-types.ts';

/**
 * A plan may send the objects of all types to each of two fetches that write the same name, as if the types' fields were one:
 * the last answer would win. Each is sent only those whose type asks for what it brings.
 * @param schema what clients see
 */
export function keepAliasesApart(
  schema: GraphQLSchema,
  steps: Step,
  planned: Pick<PlannedOperation, 'operation' | 'fragments' | 'rootType'>,
): Step {
  const written = readWritten(steps);
  const isContested = (step: FetchStep) =>
    fieldsOf(step).some((node) => (written.get(placeOf(step))?.get(nameOf(node))?.size ?? 0) > 1);
  return mapFetches(steps, (step) => {
    if (step.requires === undefined || !isContested(step)) return step;
    const brought = new Map(fieldsOf(step).map((node) => [nameOf(node), askedOf(node)] as const));
    const types = typesAsking(schema, planned, step.path, (fields) =>
      [...brought].some(
        ([name, asked]) => fields.get(name)?.some(({ node }) => askedOf(node) === asked) === true,
      ),
    );
    // What no type asks for is the plan's own.
    if (types.length === 0) return step;
    return { ...step, requires: step.requires.filter((selection) => isOfType(schema, selection, types)) };
  });
}

/** By place and name in the data: what is fetched to be there. */
function readWritten(steps: Step): ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>> {
  const places = new Map<string, Map<string, Set<string>>>();
  mapFetches(steps, (step) => {
    if (step.requires === undefined) return step;
    const names = places.getOrInsertComputed(placeOf(step), () => new Map());
    for (const node of fieldsOf(step))
      names.getOrInsertComputed(nameOf(node), () => new Set()).add(askedOf(node));
    return step;
  });
  return places;
}

function placeOf({ path }: FetchStep): string {
  return path.filter((segment) => !segment.startsWith('... on ')).join('/');
}

/** Of the entities themselves. */
function fieldsOf({ selection }: FetchStep): readonly FieldNode[] {
  return selection.selections.flatMap((node) =>
    node.kind === Kind.INLINE_FRAGMENT
      ? node.selectionSet.selections.filter(
          (below) => below.kind === Kind.FIELD && below.name.value !== '__typename',
        )
      : [],
  ) as readonly FieldNode[];
}

function nameOf({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

function askedOf({ name, arguments: given = [] }: FieldNode): string {
  return `${name.value}(${given.map(print).sort().join()})`;
}

function isOfType(schema: GraphQLSchema, selection: RequiredSelection, types: readonly string[]): boolean {
  if (selection.kind !== 'fragment' || selection.typeCondition === undefined) return true;
  const condition = schema.getType(selection.typeCondition);
  return !isObjectType(condition) || types.includes(selection.typeCondition);
}
