// Asks in one way, and says what is wrong with the answer by what its asker may not see.
import type { GatewayEngine } from '@weft/gateway/execute/create-engine';
import type { Principal } from '@weft/gateway/identity/principal';
import { isObjectType } from 'graphql';
import { type Answer, asClient, TRACE_ID } from '../gateway/library-gateway.ts';
import { markedAs } from './guarded-graph.ts';
import { markOf, typeOfOne } from './marking-subgraph.ts';
import { type Way, waysTo } from './ways.ts';

/**
 * Asks for the coordinate by every way and for everyone; tells each answer that leaks, or refuses wrongly.
 * @param forbiddenTo coordinates that an asker may not see
 * @param typesOfOne in how many ways objects of several types are served, where one field brings one object
 */
export async function wrongAnswers(
  engine: GatewayEngine,
  coordinate: string,
  askers: ReadonlyMap<string, Principal>,
  forbiddenTo: (principal: Principal) => readonly string[],
  typesOfOne = 1,
): Promise<readonly string[]> {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const ways = waysTo(engine.schema, typeName, fieldName);
  if (ways.length < WAYS_MIN) return [`only ${ways.length} ways lead to ${coordinate}`];
  const type = engine.schema.getType(typeName);
  const isText = isObjectType(type) && String(type.getFields()[fieldName]?.type).startsWith('String');
  const wrong: string[] = [];
  for (const [asker, principal] of askers) {
    const forbidden = forbiddenTo(principal);
    for (const way of ways) {
      const wrongs: string[] = [];
      let isReached = false;
      for (typeOfOne.index = 0; typeOfOne.index < typesOfOne; typeOfOne.index += 1) {
        const answer = await runWay(engine, way, principal);
        const verdict = judgeAnswer(answer, way, coordinate, isText, forbidden);
        // An object of another type has neither the value nor the error.
        if (verdict === undefined) isReached = true;
        if (verdict !== undefined && !UNREACHED.has(verdict))
          wrongs.push(`${verdict} ${JSON.stringify(answer)}`);
      }
      if (!isReached && wrongs.length === 0) wrongs.push('is not reached');
      for (const verdict of wrongs) wrong.push(`${asker}, ${way.title}: ${verdict}\n${way.query}`);
    }
  }
  return wrong;
}

/** A field of the root is reached plainly, by an alias and in fragments. */
const WAYS_MIN = 3;

/** The first answer, and the parts that followed. */
export interface WholeAnswer extends Answer {
  readonly parts?: readonly Answer[];
}

async function runWay(engine: GatewayEngine, way: Way, principal: Principal): Promise<WholeAnswer> {
  const prepared = await engine.prepare(way.query, undefined, principal);
  if ('errors' in prepared) return asClient(prepared);
  const context = { signal: AbortSignal.timeout(20_000), traceId: TRACE_ID, principal };
  const execute = (way.isDeferred && engine.executeIncrementally) || engine.execute;
  const result = await execute(prepared, way.variables, context);
  if (!('subsequent' in result)) return asClient(result);
  const parts: Answer[] = [];
  for await (const part of result.subsequent)
    parts.push(...(part.incremental ?? []).map((one) => asClient(one)));
  return { ...asClient(result.initial), parts };
}

/**
 * Undefined when all is right.
 * @param isText whether the field's value holds its mark
 * @param forbidden coordinates that the asker may not see
 */
function judgeAnswer(
  answer: WholeAnswer,
  way: Way,
  coordinate: string,
  isText: boolean,
  forbidden: readonly string[],
): string | undefined {
  const text = JSON.stringify(answer);
  const leaked = forbidden.find((one) => text.includes(markOf(markedAs(one))));
  if (leaked !== undefined) return `leaks ${leaked}`;
  const errors = [answer, ...(answer.parts ?? [])].flatMap((part) => part.errors ?? []);
  const foreign = errors.find(({ extensions }) => !CODES.includes(String(extensions.code)));
  if (foreign !== undefined) return `fails: ${foreign.message}`;
  const untrue = errors.find(({ path }) => !isNullAt(answer, path ?? []));
  if (untrue !== undefined) return `has an error where there is a value: ${untrue.path?.join('.')}`;
  if (forbidden.includes(coordinate)) return errors.length === 0 ? NO_ERROR : undefined;
  const refused = errors.find(({ message }) => !forbidden.includes(message.split(' ')[0] ?? ''));
  if (refused !== undefined) return `is refused: ${refused.message}`;
  const isOnWay = way.passes.some((one) => forbidden.includes(one));
  return isOnWay || !isText || text.includes(markOf(markedAs(coordinate))) ? undefined : NO_VALUE;
}

const NO_ERROR = 'has no error';
const NO_VALUE = 'does not show it';
const UNREACHED: ReadonlySet<string> = new Set([NO_ERROR, NO_VALUE]);

const CODES: readonly string[] = ['UNAUTHENTICATED', 'FORBIDDEN'];

/** Whether a null stands at the path or before its end, in the first answer or in a part that has its own path. */
function isNullAt(answer: WholeAnswer, path: readonly (string | number)[]): boolean {
  if (answer.data === null || answer.data === undefined) return true;
  let value: unknown = answer.data;
  for (const segment of path) {
    if (value === null) return true;
    const below = (value as Readonly<Record<string | number, unknown>>)[segment];
    // What is not in the first answer is in a part.
    if (below === undefined) return (answer.parts ?? []).length > 0;
    value = below;
  }
  return value === null;
}
