// Answers `__schema` and `__type` from the API schema; no system is asked.
import { invariant } from '@weft/core/errors';
import { execute, type FieldNode, type GraphQLSchema, Kind } from 'graphql';
import type { PlannedOperation } from '../plan/prepare.ts';
import type { CollectedFields, Variables } from './collect-fields.ts';

/** Response name to answer, for the introspection fields among the root fields. */
export function answerIntrospection(
  schema: GraphQLSchema,
  planned: PlannedOperation,
  rootFields: CollectedFields,
  variableValues: Variables,
): Readonly<Record<string, unknown>> {
  const fields = [...rootFields.values()].flat().filter(isIntrospection);
  if (fields.length === 0) return {};
  const { operation, fragments } = planned;
  const result = execute({
    schema,
    document: {
      kind: Kind.DOCUMENT,
      definitions: [
        { ...operation, selectionSet: { kind: Kind.SELECTION_SET, selections: fields } },
        ...fragments.values(),
      ],
    },
    variableValues,
  });
  invariant(!('then' in result), 'introspection waits for nothing');
  return result.data ?? {};
}

function isIntrospection(field: FieldNode): boolean {
  return field.name.value === '__schema' || field.name.value === '__type';
}
