// Asks in one way, and says what is wrong with the answer by what its asker may not see.
import type { GatewayEngine } from '@weft/gateway/execute/create-engine';
import type { Principal } from '@weft/gateway/identity/principal';
import { type Answer, asClient, TRACE_ID } from '../gateway/library-gateway.ts';
import { markedAs } from './guarded-graph.ts';
import { markOf } from './marking-subgraph.ts';
import type { Way } from './ways.ts';

/** The first answer, and the parts that followed. */
export interface WholeAnswer extends Answer {
  readonly parts?: readonly Answer[];
}

export async function runWay(engine: GatewayEngine, way: Way, principal: Principal): Promise<WholeAnswer> {
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
export function judgeAnswer(
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
  if (forbidden.includes(coordinate)) return errors.length === 0 ? 'has no error' : undefined;
  const refused = errors.find(({ message }) => !forbidden.includes(message.split(' ')[0] ?? ''));
  if (refused !== undefined) return `is refused: ${refused.message}`;
  const isOnWay = way.passes.some((one) => forbidden.includes(one));
  return isOnWay || !isText || text.includes(markOf(markedAs(coordinate))) ? undefined : 'does not show it';
}

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
