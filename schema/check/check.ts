// Checks a proposed supergraph against the one that is served, and against the operations that clients really use.
import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { buildApiSchema } from '../api-schema.ts';
import { type OperationSigns, readSigns, signsOfCoordinates } from './operation-signs.ts';
import {
  type ChangeLevel,
  type ChangeSigns,
  findSchemaChanges,
  type SchemaChange,
} from './schema-changes.ts';
import {
  type OperationUse,
  selectOperations,
  type UsedOperation,
  type UseFilter,
} from './used-operations.ts';

/** Operations that one check looks at, the most used first; the rest is counted in `notChecked`. */
export const CHECKED_OPERATIONS_MAX = 10_000;

/**
 * BREAKS: operations that are used are broken by it. UNUSED: it could break some, and nobody uses such. NOTICED: operations
 * that are used can be told something new. SAFE: nobody can notice it, or nobody who could is there.
 */
export type ChangeEffect = 'BREAKS' | 'UNUSED' | 'NOTICED' | 'SAFE';

export interface CheckedChange {
  /** FIELD_REMOVED and the like: docs/schema-checks.md. */
  readonly code: string;
  /** By its kind alone, whoever uses it. */
  readonly level: ChangeLevel;
  readonly effect: ChangeEffect;
  readonly message: string;
  readonly coordinate: string | undefined;
  /** Of a BREAKING or DANGEROUS one: those that it breaks, or that can notice it; the most used first. */
  readonly operations: readonly UsedOperation[];
}

export interface BrokenOperation {
  readonly operation: UsedOperation;
  /** What validation against the new schema says; empty for one that is still valid, and is answered otherwise. */
  readonly errors: readonly string[];
  /** Coordinates of the changes that break it; empty when validation alone knows. */
  readonly coordinates: readonly string[];
}

export interface CheckReport {
  /** Nothing that is used is broken. */
  readonly passes: boolean;
  /** All there are, in the order of coordinates. */
  readonly changes: readonly CheckedChange[];
  /** The most used first. */
  readonly broken: readonly BrokenOperation[];
  readonly operations: {
    readonly checked: number;
    /** Too old, too seldom or by excluded clients only. */
    readonly passedOver: number;
    /** Not valid against what is served now either: no change can break them. */
    readonly invalidBefore: number;
    /** Beyond the limit. */
    readonly notChecked: number;
  };
}

export interface CheckInput {
  /** The supergraph that is served; undefined when there is none yet. */
  readonly before: string | undefined;
  /** The supergraph that is proposed, composed of all that the change set has. */
  readonly after: string;
  readonly uses: readonly OperationUse[];
  readonly filter?: UseFilter | undefined;
}

/**
 * Which changes there are, and whom of those who use the graph they break. Validation has the last word: an operation that is
 * not valid any more is broken, whatever the changes are called. Reads nothing and keeps nothing; takes about a millisecond
 * an operation, so that it belongs in a worker.
 * @throws OperatorError when one of the texts is no supergraph
 */
export async function checkSupergraph({
  before,
  after,
  uses,
  filter = {},
}: CheckInput): Promise<CheckReport> {
  const next = buildApiSchema(after);
  const { operations, passedOver } = selectOperations(uses, filter);
  if (before === undefined || before === after) {
    const none = { checked: 0, passedOver, invalidBefore: 0, notChecked: operations.length };
    return { passes: true, changes: [], broken: [], operations: none };
  }
  const now = buildApiSchema(before);
  const changes = await findSchemaChanges(now, next);
  const chosen = operations.slice(0, CHECKED_OPERATIONS_MAX);
  const met = chosen.map((operation) => ({ operation, signs: signsOf(now, next, operation) }));
  const checked = met.filter((one): one is Met => one.signs !== undefined);
  const checkedChanges = changes.map((change) => checkChange(change, checked));
  const broken = findBroken(checkedChanges, checked);
  return {
    passes: broken.length === 0,
    changes: checkedChanges,
    broken,
    operations: {
      checked: checked.length,
      passedOver,
      invalidBefore: chosen.length - checked.length,
      notChecked: operations.length - chosen.length,
    },
  };
}

interface Met {
  readonly operation: UsedOperation;
  readonly signs: OperationSigns;
}

/** Undefined for one that is not valid against the schema of now. */
function signsOf(
  now: GraphQLSchema,
  next: GraphQLSchema,
  { document, coordinates }: UsedOperation,
): OperationSigns | undefined {
  if (document === undefined) return signsOfCoordinates(coordinates);
  const parsed = parseOperation(document);
  if (parsed === undefined || validate(now, parsed, undefined, { maxErrors: 1 }).length > 0) return undefined;
  return readSigns(now, next, parsed);
}

function parseOperation(document: string): DocumentNode | undefined {
  try {
    return parse(document);
  } catch (thrown) {
    // What was reported is no GraphQL: it counts with what was not valid before.
    if (thrown instanceof GraphQLError) return undefined;
    throw thrown;
  }
}

function checkChange(change: SchemaChange, met: readonly Met[]): CheckedChange {
  const { code, level, message, coordinate } = change;
  const concerned = level === 'SAFE' ? [] : met.filter(({ signs }) => meets(change.signs, signs));
  const effect = effectOf(level, concerned.length > 0);
  return {
    code,
    level,
    effect,
    message,
    coordinate,
    operations: concerned.map(({ operation }) => operation),
  };
}

function meets(change: ChangeSigns, operation: OperationSigns): boolean {
  return (['blamed', 'answered', 'held', 'received', 'left'] as const).some((sign) =>
    change[sign]?.some((name) => operation[sign].has(name)),
  );
}

function effectOf(level: ChangeLevel, isMet: boolean): ChangeEffect {
  switch (level) {
    case 'BREAKING':
      return isMet ? 'BREAKS' : 'UNUSED';
    case 'DANGEROUS':
      return isMet ? 'NOTICED' : 'SAFE';
    case 'SAFE':
      return 'SAFE';
    default:
      return level satisfies never;
  }
}

function findBroken(changes: readonly CheckedChange[], met: readonly Met[]): readonly BrokenOperation[] {
  const coordinatesBy = new Map<UsedOperation, Set<string>>();
  for (const { effect, operations, coordinate } of changes) {
    if (effect !== 'BREAKS') continue;
    for (const operation of operations) {
      const coordinates = coordinatesBy.getOrInsertComputed(operation, () => new Set());
      if (coordinate !== undefined) coordinates.add(coordinate);
    }
  }
  return met.flatMap(({ operation, signs: { errors } }) => {
    const coordinates = coordinatesBy.get(operation);
    if (coordinates === undefined && errors.length === 0) return [];
    return [{ operation, errors, coordinates: [...(coordinates ?? [])] }];
  });
}
