// Runs entity fetches to one subgraph in one request: representations once each, answers put where they belong.
import { HubError } from '@weft/core/errors';
import { type DataObject, isDataObject, readOwn } from '../execute/data.ts';
import { applyRewrites } from '../execute/rewrites.ts';
import type { SubgraphRequest, UpstreamAnswer } from '../fetch/subgraph-client.ts';
import type { Told } from '../fetch/told.ts';
import { bodyOf, type EntityList, type EntityRequest } from './entity-batches.ts';
import { addBelow, addMissed, logFailure, logHidden } from './failures.ts';
import { type CompiledFetch, variablesText } from './fetches.ts';
import type { MergedRequests } from './merged-request.ts';
import { placeTold } from './place-told.ts';
import type { Batch } from './representations.ts';
import type { ReadyFetch, Run } from './run.ts';
import { addUnresolved } from './unresolved.ts';
import { type FetchPurpose, sendWatched } from './watched-send.ts';

/** One `_entities` call: fetches that ask the same of different places share it. */
interface Call {
  /** Asks for all members: its text and rewrites are theirs. */
  readonly fetch: CompiledFetch;
  readonly batch: Batch;
  readonly members: Member[];
}

interface Member extends ReadyFetch {
  /** By object: the number of its representation, or -1. */
  readonly numbers: readonly number[];
}

/** Variables of the fetched text that stand for a context above the entities, as members of a JSON object. */
export type ContextText = string;

/**
 * Never rejects for a subgraph's failure: that is an error in the list.
 * @param ready fetches to one subgraph
 * @param merged texts for several calls in one request; undefined when there is one fetch only
 */
export async function runEntityFetches(
  run: Run,
  ready: readonly ReadyFetch[],
  merged: MergedRequests | undefined,
  contextText: ContextText = '',
): Promise<void> {
  const gathered = gatherCalls(run, ready, merged);
  const lacking = findLacking(gathered);
  const calls = gathered.filter(({ batch }) => batch.texts.length > 0);
  const sending = sendCalls(run, calls, merged, contextText);
  if (lacking.length === 0) return sending;
  await Promise.all([sending, ...lacking.map((each) => runEntityFetches(run, [each], undefined))]);
}

/** Objects of which something required never arrived, with what can be asked about them by their key alone. */
function findLacking(calls: readonly Call[]): readonly ReadyFetch[] {
  return calls.flatMap(({ members }) =>
    members.flatMap(({ fetch, objects, numbers }) => {
      if (fetch.core === undefined || !numbers.includes(-1)) return [];
      return [{ fetch: fetch.core, objects: objects.filter((_object, index) => numbers[index] === -1) }];
    }),
  );
}

async function sendCalls(
  run: Run,
  calls: readonly Call[],
  merged: MergedRequests | undefined,
  contextText: ContextText,
): Promise<void> {
  const [first, second] = calls;
  if (first === undefined) return;
  if (second === undefined || merged === undefined) {
    for (const call of calls) await runOneCall(run, call, contextText);
    return;
  }
  const { bodyStart, aliases } = merged.requestFor(calls.map(({ fetch }) => merged.callOf(fetch)));
  const names = [...new Set(calls.flatMap(({ fetch }) => fetch.step.variableNames))];
  const lists = calls.map(({ batch: { texts } }, index) => ({
    variable: `r${index}`,
    alias: aliases[index] ?? '',
    texts,
  }));
  const answer = await send(run, calls, bodyStart, variablesText(run.variables, names), lists);
  if (answer === undefined) return;
  if (answer.data === null) {
    // One call's failure took the others' answers with it: each is asked alone.
    await Promise.all(calls.map((call) => runOneCall(run, call, '')));
    return;
  }
  takeAnswer(run, calls, aliases, answer);
}

async function runOneCall(run: Run, call: Call, contextText: ContextText): Promise<void> {
  const { bodyStart, step } = call.fetch;
  const variables = joined(variablesText(run.variables, step.variableNames), contextText);
  const list = { variable: 'representations', alias: '_entities', texts: call.batch.texts };
  const answer = await send(run, [call], bodyStart, variables, [list]);
  if (answer !== undefined) takeAnswer(run, [call], ['_entities'], answer);
}

function joined(first: string, second: string): string {
  return first === '' || second === '' ? first + second : `${first},${second}`;
}

function gatherCalls(
  run: Run,
  ready: readonly ReadyFetch[],
  merged: MergedRequests | undefined,
): readonly Call[] {
  const calls = new Map<number, Call>();
  for (const { fetch, objects } of ready) {
    const representations = fetch.representations(run.variables);
    const call = calls.getOrInsertComputed(merged?.callOf(fetch) ?? 0, () => ({
      fetch,
      batch: representations.createBatch(),
      members: [],
    }));
    // The call's own function: the maps of its batch are numbered as that function numbers them.
    const numbers = call.fetch.representations(run.variables).add(call.batch, objects);
    call.members.push({ fetch, objects, numbers });
  }
  return [...calls.values()];
}

/** `undefined` when nothing came: the error then stands at every path that misses something. */
async function send(
  run: Run,
  calls: readonly Call[],
  bodyStart: string,
  variables: string,
  lists: readonly EntityList[],
): Promise<UpstreamAnswer | undefined> {
  const system = calls[0]?.fetch.step.system ?? '';
  try {
    const entities: EntityRequest = { system, bodyStart, variables, lists, context: run.context };
    if (run.batches !== undefined) return await run.batches.send(entities);
    const body = bodyOf(entities, lists);
    const request: SubgraphRequest = { system, body, isMutation: false, context: run.context };
    return await sendWatched(run, request, () => purposeOf(calls));
  } catch (thrown) {
    const error = HubError.from(thrown, { system });
    logFailure(run, error);
    for (const call of calls) addMissedCall(run, call, undefined, error);
    return undefined;
  }
}

function purposeOf(calls: readonly Call[]): FetchPurpose {
  const steps = calls.flatMap(({ members }) => members.map(({ fetch }) => fetch.step));
  return { steps, entities: calls.reduce((sum, { batch }) => sum + batch.texts.length, 0) };
}

function takeAnswer(
  run: Run,
  calls: readonly Call[],
  aliases: readonly string[],
  answer: UpstreamAnswer,
): void {
  if (answer.errors.length > 0) addErrors(run, calls, aliases, answer);
  if (answer.told !== undefined) addTold(run, calls, aliases, answer.told);
  for (const [index, call] of calls.entries()) {
    const entities =
      answer.data === null ? undefined : readOwn(answer.data as DataObject, aliases[index] ?? '');
    if (!Array.isArray(entities) || entities.length !== call.batch.texts.length) {
      // Without entities there are errors already, unless the answer contradicts the question.
      if (answer.errors.length === 0) addMissedCall(run, call, undefined, wrongEntities(call));
      continue;
    }
    mergeEntities(run, call, entities);
    if (answer.errors.length > 0) continue;
    for (const { fetch } of call.members) run.isWhole[fetch.number] = true;
  }
}

function wrongEntities({ fetch, batch }: Call): HubError {
  const { system } = fetch.step;
  const message = `${system} answered with something that cannot be used (expected ${batch.texts.length} entities)`;
  return new HubError('UPSTREAM_INVALID', message, { system });
}

function mergeEntities(run: Run, call: Call, entities: readonly unknown[]): void {
  const { step, merge } = call.fetch;
  const { texts } = call.batch;
  if (step.outputRewrites.length > 0) {
    for (const entity of entities)
      if (isDataObject(entity)) applyRewrites(run.schema, step.outputRewrites, entity);
  }
  // What is put into one place may be shared with the answer; into the next ones copies go.
  const isPlaced = new Uint8Array(entities.length);
  for (const { objects, numbers } of call.members) {
    for (let index = 0; index < objects.length; index += 1) {
      const number = numbers[index] ?? -1;
      const entity = number < 0 ? undefined : entities[number];
      const object = objects[index];
      if (object === undefined) continue;
      if (entity === null) addUnresolved(run.unresolved, object, step.system, texts[number] ?? '{}');
      if (!isDataObject(entity)) continue;
      merge(object, entity, isPlaced[number] === 1);
      isPlaced[number] = 1;
    }
  }
}

function addErrors(
  run: Run,
  calls: readonly Call[],
  aliases: readonly string[],
  answer: UpstreamAnswer,
): void {
  logHidden(run, answer.errors);
  for (const { error, path } of answer.errors) {
    const call = calls[aliases.indexOf(String(path?.[0]))];
    const number = path?.[1];
    if (path === undefined || call === undefined) {
      for (const each of calls) addMissedCall(run, each, undefined, error);
    } else if (typeof number !== 'number' || number >= call.batch.texts.length) {
      addMissedCall(run, call, undefined, error);
    } else if (path.length === 2) {
      addMissedCall(run, call, number, error);
    } else {
      for (const member of call.members)
        addBelow(run, member.fetch.step, objectsOf(member, number), path.slice(2), error);
    }
  }
}

function addTold(run: Run, calls: readonly Call[], aliases: readonly string[], told: Told): void {
  if (told.isTruncated) run.told.truncate();
  for (const { path, entry } of told.parts) {
    const call = calls[aliases.indexOf(String(path[0]))];
    const number = path[1];
    if (call === undefined || typeof number !== 'number') continue;
    for (const member of call.members)
      placeTold(run, member.fetch.step, objectsOf(member, number), { path: path.slice(2), entry });
  }
}

function addMissedCall(run: Run, call: Call, number: number | undefined, error: HubError): void {
  for (const member of call.members) addMissed(run, member.fetch.step, objectsOf(member, number), error);
}

/** The objects of one representation, or of all that were asked about. */
function objectsOf({ objects, numbers }: Member, number: number | undefined): ReadonlySet<DataObject> {
  return new Set(
    objects.filter((_object, index) =>
      number === undefined ? (numbers[index] ?? -1) >= 0 : numbers[index] === number,
    ),
  );
}
