// Validates a document against the schema in bounded time, and tells a bounded number of its mistakes.
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  OverlappingFieldsCanBeMergedRule,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql';
import type { EngineLimits } from '../limits.ts';
import { DEFER_RULES } from './defer-rules.ts';
import { findOverlaps } from './overlapping-fields.ts';

export interface ValidationOptions {
  readonly schema: GraphQLSchema;
  readonly limits: Pick<EngineLimits, 'overlapStepsMax' | 'validationErrorsMax'>;
  readonly incrementalDelivery?: boolean | undefined;
  /** Whether clients may ask for the schema; default yes. */
  readonly introspection?: boolean | undefined;
}

/** All are linear in the document, or nearly; the one that is not is replaced by our own. */
const RULES: readonly ValidationRule[] = specifiedRules.filter(
  (rule) => rule !== OverlappingFieldsCanBeMergedRule,
);

/** @throws HubError LIMIT_EXCEEDED when it would take too long to find out */
export function validateBounded(document: DocumentNode, options: ValidationOptions): readonly GraphQLError[] {
  const { schema, limits, incrementalDelivery, introspection } = options;
  const rules = [
    ...RULES,
    ...(incrementalDelivery === true ? DEFER_RULES : []),
    ...(introspection === false ? [NoSchemaIntrospectionCustomRule] : []),
  ];
  // graphql-js adds one that says that it looked no further.
  const errors = validate(schema, document, rules, { maxErrors: limits.validationErrorsMax - 1 });
  return errors.length > 0 ? errors : findOverlaps(schema, document, limits);
}
