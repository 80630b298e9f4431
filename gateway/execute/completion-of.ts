// What completion needs to know of one run of an operation.
import type { SupergraphFacts } from '../compile/compile-operation.ts';
import type { Run } from '../compile/run.ts';
import { notFoundError } from '../compile/unresolved.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import { createFieldCollector } from './collect-fields.ts';
import type { Completion } from './complete.ts';
import type { DataObject } from './data.ts';
import type { ErrorList } from './error-list.ts';
import { answerIntrospection } from './introspection.ts';

/** @param errors where what completion finds goes */
export function completionOf(
  planned: PlannedOperation,
  { schema, fullSchema, systemByCoordinate, depthMax }: SupergraphFacts,
  { variables, unresolved }: Pick<Run, 'variables' | 'unresolved'>,
  errors: ErrorList,
): Completion {
  const collector = createFieldCollector(schema, planned.fragments, variables);
  const rootFields = collector.ofSelectionSet(planned.rootType, planned.operation.selectionSet);
  const systemOf = (type: string, field: string) =>
    systemByCoordinate.get(`${type}.${field}`) ?? systemByCoordinate.get(type);
  return {
    access: planned.access,
    schema,
    fullSchema,
    collector,
    errors,
    depthMax,
    systemOf,
    notFound: (object: DataObject, type: string, field: string) =>
      notFoundError(fullSchema, unresolved, object, systemOf(type, field)),
    introspection: answerIntrospection(schema, planned, rootFields, variables),
  };
}
