// Answers the questions that are compiled, and leaves every other, and whatever is not plainly good, to execution.
import { type GraphQLSchema, parse, validate } from 'graphql';
import type { PathLink } from '../freshness/origin.ts';
import type { Row } from '../load/connect.ts';
import { keepEntities, loadEntities } from '../load/loaders.ts';
import type { RequestContext } from '../load/request-context.ts';
import type { SystemPlan } from '../plan.ts';
import { recordKey } from '../record-key.ts';
import { compileEntitiesQuery, type EntitiesQuery } from './entities-query.ts';

/** Documents that are remembered, compiled or not: gateways send few. */
const DOCUMENTS_MAX = 500;
/** A longer document is executed as it comes. */
const DOCUMENT_CHARS_MAX = 20_000;

/**
 * The answer as JSON text, or undefined: then the request is to be executed as any other, with the same context, whose loaders
 * hold what was loaded here, so that the old system is not asked again.
 */
export type AnswerEntities = (body: unknown, context: () => RequestContext) => Promise<string | undefined>;

export function createAnswerEntities(plan: SystemPlan, schema: GraphQLSchema): AnswerEntities {
  const known = new Map<string, EntitiesQuery | null>();
  const find = (text: string): EntitiesQuery | null => {
    let query = known.get(text);
    if (query === undefined) {
      query = compile(plan, schema, text);
      if (known.size >= DOCUMENTS_MAX) known.clear();
      known.set(text, query);
    }
    return query;
  };
  return async (body, context) => {
    const asked = readAsked(body);
    const query = asked === undefined ? null : find(asked.query);
    if (asked === undefined || query === null) return undefined;
    const keys = keysOf(asked.variables[query.variable], query);
    return keys === undefined ? undefined : answer(query, keys, context());
  };
}

function compile(plan: SystemPlan, schema: GraphQLSchema, text: string): EntitiesQuery | null {
  try {
    const document = parse(text);
    return validate(schema, document).length > 0
      ? null
      : (compileEntitiesQuery(plan, schema, document) ?? null);
  } catch {
    return null; // Not GraphQL: execution says what is wrong with it.
  }
}

async function answer(
  { entity, responseName, complete }: EntitiesQuery,
  keys: readonly string[],
  context: RequestContext,
): Promise<string | undefined> {
  const rows = await loadEntities(context, entity, keys);
  const completed = new Array<unknown>(keys.length);
  for (let at = 0; at < keys.length; at += 1) {
    const row = rows[at];
    const value = row === undefined || row instanceof Error ? undefined : row === null ? null : complete(row);
    if (value === undefined) {
      keepEntities(context, entity, keys, rows);
      return undefined;
    }
    completed[at] = value;
  }
  const data = { [responseName]: completed };
  const weft = told(rows, responseName, context);
  return JSON.stringify(weft === undefined ? { data } : { data, extensions: { weft } });
}

/** As execution notes it, once nothing is left to that. */
function told(
  rows: readonly (Row | null | Error)[],
  responseName: string,
  { origins, system }: RequestContext,
): Readonly<Record<string, unknown>> | undefined {
  if (origins.isEmpty()) return undefined;
  const prev: PathLink = { prev: undefined, key: responseName };
  for (const [at, row] of rows.entries()) origins.note({ prev, key: at }, row);
  return origins.toExtensions(system.plan.name);
}

interface Asked {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

function readAsked(body: unknown): Asked | undefined {
  if (!isObject(body)) return undefined;
  const { query, variables } = body;
  if (typeof query !== 'string' || query.length > DOCUMENT_CHARS_MAX || !isObject(variables))
    return undefined;
  return { query, variables };
}

/** The keys of representations that are of the query's type, each with its key; undefined when one is anything else. */
function keysOf(representations: unknown, { entity }: EntitiesQuery): readonly string[] | undefined {
  if (!Array.isArray(representations)) return undefined;
  const keys: string[] = [];
  const fields = entity.keyFields ?? [entity.keyField];
  for (const representation of representations) {
    if (!isObject(representation) || representation.__typename !== entity.type) return undefined;
    const key = recordKey(fields, representation);
    if (key === undefined) return undefined;
    keys.push(key);
  }
  return keys;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
