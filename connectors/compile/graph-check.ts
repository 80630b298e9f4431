// Checks of the whole folder: what a field is filled by, and what a list would cost.
import type { FieldDefinitionNode } from 'graphql';
import type { ReadEntity, ReadField } from './compilation.ts';
import {
  findDirective,
  isListType,
  namedType,
  type ObjectType,
  ROOT_TYPES,
  type SdlFolder,
} from './sdl-folder.ts';
import {
  ANY_NAME,
  checkListness,
  checkSelect,
  isFilledOtherwise,
  isStub,
  reportUnfilled,
  type ShapeCheck,
} from './shape-check.ts';
import { filledByHub } from './writes.ts';

export interface ReadGraph {
  readonly entities: ReadonlyMap<string, ReadEntity>;
  /** By `Type.field`. */
  readonly fields: ReadonlyMap<string, ReadField>;
}

/** Compares every select with its type, and finds fields that nothing fills and calls that a list would repeat. */
export function checkGraph(check: ShapeCheck, graph: ReadGraph): void {
  for (const [name, { plan, select, others = [] }] of graph.entities) {
    const { shape } = select.mapping;
    if (plan.connect.call.protocol === 'store') {
      for (const { mapping, node } of [select, ...others])
        checkSelect(check, mapping.shape, name, node, { helper: ANY_NAME, isLoader: true });
      continue;
    }
    checkSelect(check, shape, name, select.node, { helper: plan.connect.batch.match, isLoader: true });
    if (
      plan.connect.batch.how !== 'FAN_OUT' &&
      plan.connect.call.protocol !== 'sql' &&
      shape.list === false
    ) {
      const message = 'yields one, and the call is for many keys';
      check.issues.add('SHAPE_MISMATCH', select.node, message, 'take ->list, or batch by FAN_OUT');
    }
  }
  for (const [coordinate, { plan, select }] of graph.fields) {
    if (select === undefined || plan.kind === 'reference') continue;
    const { shape } = select.mapping;
    const helper = plan.kind === 'batch' ? plan.connect.batch.match : undefined;
    checkSelect(check, shape, plan.returnType, select.node, { helper, filled: filledByHub(plan) });
    // SQL selects are for each row, and a batch is for many parents: there the list is not the field's.
    if (plan.kind === 'call' && plan.connect.call.protocol !== 'sql') {
      const field = fieldOf(check.sdl, coordinate);
      if (field !== undefined) checkListness(check, shape.list, field.type, { node: select.node, offset: 0 });
    }
  }
  checkUnfilled(check);
  checkRepeatedCalls(check);
}

function fieldOf(sdl: SdlFolder, coordinate: string): FieldDefinitionNode | undefined {
  const [type, field] = coordinate.split('.');
  return sdl.objects.get(type ?? '')?.fields.get(field ?? '');
}

/** Fields of root types, and of entities that have no loader; those of value types are checked at each select. */
function checkUnfilled(check: ShapeCheck): void {
  for (const type of check.sdl.objects.values()) {
    for (const field of type.fields.values()) {
      if (isUnfilled(check, type, field)) reportUnfilled(check, type, field);
    }
  }
}

function isUnfilled(check: ShapeCheck, type: ObjectType, field: FieldDefinitionNode): boolean {
  if (type.name === 'Subscription') return findDirective(field.directives, 'changes') === undefined;
  if (ROOT_TYPES.has(type.name)) return findDirective(field.directives, 'connect') === undefined;
  const hasLoader = check.loaded.has(type.name);
  return type.keys.length > 0 && !hasLoader && !isStub(type) && !isFilledOtherwise(type, field);
}

function checkRepeatedCalls(check: ShapeCheck): void {
  const repeated = typesInLists(check.sdl);
  for (const type of check.sdl.objects.values()) {
    if (ROOT_TYPES.has(type.name) || !repeated.has(type.name)) continue;
    for (const [name, field] of type.fields) {
      const given = findDirective(field.directives, 'connect')?.arguments?.map(
        (argument) => argument.name.value,
      );
      if (given === undefined || given.includes('batch') || given.includes('reference')) continue;
      // Told where it was read: it stands on Query only.
      if (given.includes('store')) continue;
      const message = `a list of ${type.name} would call once for each '${name}'`;
      check.issues.add(
        'N_PLUS_ONE',
        field,
        message,
        'add batch, FAN_OUT where the system has nothing better',
      );
    }
  }
}

/** Types that can be asked for many at once: entities, what lists return, and all that these reach. */
function typesInLists(sdl: SdlFolder): ReadonlySet<string> {
  const found = new Set<string>();
  for (const type of sdl.objects.values()) {
    if (type.keys.length > 0) found.add(type.name);
    for (const field of type.fields.values()) if (isListType(field.type)) found.add(namedType(field.type));
  }
  // Grows while it is walked.
  for (const name of found) {
    for (const field of sdl.objects.get(name)?.fields.values() ?? []) found.add(namedType(field.type));
  }
  return found;
}
