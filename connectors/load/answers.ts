// Loads the rows of many keys, and what a call brings, as fresh as the SDL asks for.
import { createHash } from 'node:crypto';
import { invariant } from '@weft/core/errors';
import type { Answered } from '../freshness/fresh-answers.ts';
import type { Origin, PathLink } from '../freshness/origin.ts';
import type { ConnectPlan, FieldPlan, FreshnessPlan } from '../plan.ts';
import { type BatchedConnect, loadRows } from './batch.ts';
import { type CallScope, callConnect, type Row } from './connect.ts';
import type { RequestContext } from './request-context.ts';

export interface LoadQuestion {
  /** The entity type, or `Type.field`. */
  readonly coordinate: string;
  /** The type whose records the keys name. */
  readonly parentType: string;
  readonly connect: BatchedConnect;
  readonly freshness: FreshnessPlan | undefined;
  readonly keyField: string;
  readonly keys: readonly string[];
  mayKeep(rows: readonly Row[]): boolean;
  mayBeStale(rows: readonly Row[]): boolean;
}

/** The rows of each key, by the key's text, and how old they are. @throws HubError of the source where nothing may be kept */
export async function loadAnswers(
  request: RequestContext,
  question: LoadQuestion,
): Promise<ReadonlyMap<string, Answered>> {
  const { connect, freshness, keyField, keys, parentType } = question;
  if (freshness === undefined) {
    const observedAtMs = Date.now();
    const groups = await loadRows(request, connect, keyField, keys);
    return new Map(
      [...groups].map(([key, rows]) => [key, { rows, state: 'FRESH' as const, observedAtMs, ageMs: 0 }]),
    );
  }
  const { system, asker, signal } = request;
  return system.protection.answers.answer({
    system: system.plan.name,
    source: connect.source,
    coordinate: question.coordinate,
    freshness,
    asker,
    signal,
    keys,
    recordOf: (key) => ({ type: parentType, key }),
    mayKeep: question.mayKeep,
    mayBeStale: question.mayBeStale,
    ask: (some, flight) => loadRows({ ...request, signal: flight }, connect, keyField, some),
  });
}

/** What a call brings that only reads. The whole of it is noted at the path of its field. */
export async function callRead(
  request: RequestContext,
  coordinate: string,
  { connect, freshness, list }: Extract<FieldPlan, { kind: 'call' }>,
  scope: CallScope,
  path: PathLink,
): Promise<readonly Row[]> {
  if (freshness === undefined) {
    const observedAtMs = Date.now();
    const rows = await callConnect(request, connect, scope);
    const answered: Answered = { rows, state: 'FRESH', observedAtMs, ageMs: 0 };
    request.origins.noteOrigin(path, originOf(connect.source, undefined, answered));
    return rows;
  }
  const answered = await answerCall(request, coordinate, { connect, freshness, list }, scope);
  const rows = answered.rows.filter((row): row is Row => !(row instanceof Error));
  request.origins.noteOrigin(path, originOf(connect.source, undefined, answered));
  return rows;
}

/** A call whose answer is kept. */
export interface KeptCall {
  readonly connect: ConnectPlan;
  readonly freshness: FreshnessPlan;
  readonly list: boolean;
}

/**
 * What a call brings, and how old it is.
 * @param patienceMs as of `Question`
 * @throws HubError of the source, when nothing old may stand in
 */
export async function answerCall(
  request: RequestContext,
  coordinate: string,
  { connect, freshness, list }: KeptCall,
  scope: CallScope,
  patienceMs?: number,
): Promise<Answered> {
  const key = createHash('sha256').update(canonical(scope)).digest('hex');
  const { system, asker, signal } = request;
  const isGood = (rows: readonly Row[]) => list || rows.length <= 1;
  const answers = await system.protection.answers.answer({
    system: system.plan.name,
    source: connect.source,
    coordinate,
    freshness,
    asker,
    signal,
    patienceMs,
    keys: [key],
    recordOf: () => undefined,
    mayKeep: isGood,
    mayBeStale: isGood,
    ask: async (_keys, flight) =>
      new Map([[key, await callConnect({ ...request, signal: flight }, connect, scope)]]),
  });
  const answered = answers.get(key);
  invariant(answered !== undefined, 'every key of a question has its answer');
  const failure = answered.rows.find((row) => row instanceof Error);
  if (failure instanceof Error) throw failure;
  return answered;
}

/** JSON in which the order of an object's fields does not count. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : typeof part === 'bigint'
        ? `${part}n`
        : part,
  );
}

export function originOf(
  source: string,
  recordKey: string | undefined,
  answered: Omit<Answered, 'rows'>,
): Origin {
  const { state, observedAtMs, ageMs, reason } = answered;
  return { source, recordKey, state, observedAtMs, ageMs, reason };
}
