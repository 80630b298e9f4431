// Runs a fetch of root fields: what came belongs at every object of its path, at the root itself as a rule.
import { HubError } from '@weft/core/errors';
import { Kind } from 'graphql';
import type { PrimaryResult } from '../engine.ts';
import type { DataObject } from '../execute/data.ts';
import { applyRewrites } from '../execute/rewrites.ts';
import type { SubgraphRequest, UpstreamAnswer } from '../fetch/subgraph-client.ts';
import type { FetchStep } from '../plan/planner.ts';
import { addBelow, addMissed, logFailure, logHidden } from './failures.ts';
import { type CompiledFetch, variablesText } from './fetches.ts';
import { placeTold } from './place-told.ts';
import type { Run } from './run.ts';
import { sendWatched } from './watched-send.ts';

/** Never rejects for a subgraph's failure: that is an error in the list. */
export async function runRootFetch(run: Run, fetch: CompiledFetch): Promise<void> {
  const objects = fetch.find(run.data);
  if (objects.length === 0) return;
  let answer: UpstreamAnswer;
  try {
    answer = await sendRoot(run, fetch);
  } catch (thrown) {
    // The error then stands at every path that misses something.
    const error = HubError.from(thrown, { system: fetch.step.system });
    logFailure(run, error);
    addMissed(run, fetch.step, undefined, error);
    return;
  }
  placeRoot(run, fetch, answer, objects, objects.length > 1);
  run.isWhole[fetch.number] = answer.data !== null && answer.errors.length === 0;
}

/** Puts the answer of a subscription's primary fetch where that of a query would be. The answer itself is not changed. */
export function placeResult(run: Run, fetch: CompiledFetch, answer: PrimaryResult): void {
  const isRewritten = fetch.step.outputRewrites.length > 0;
  const own = isRewritten ? { ...answer, data: structuredClone(answer.data) } : answer;
  placeRoot(run, fetch, own, fetch.find(run.data), true);
}

function placeRoot(
  run: Run,
  fetch: CompiledFetch,
  answer: PrimaryResult,
  objects: readonly DataObject[],
  copies: boolean,
): void {
  const { step } = fetch;
  logHidden(run, answer.errors);
  for (const { error, path } of answer.errors) {
    if (path === undefined) addMissed(run, step, undefined, error);
    else addBelow(run, step, undefined, path, error);
  }
  if (answer.told?.isTruncated === true) run.told.truncate();
  for (const part of answer.told?.parts ?? []) placeTold(run, step, undefined, part);
  if (answer.data === null) return;
  if (answer.errors.length === 0) addAbsent(run, step, answer.data);
  // Parsed JSON is data of the kind that is merged.
  const data = answer.data as DataObject;
  if (step.outputRewrites.length > 0) applyRewrites(run.schema, step.outputRewrites, data);
  for (const object of objects) fetch.merge(object, data, copies);
}

/** A root field that an answer without errors lacks is an error: it answers another question. */
function addAbsent(run: Run, step: FetchStep, data: Readonly<Record<string, unknown>>): void {
  for (const node of step.selection.selections) {
    if (node.kind !== Kind.FIELD || (node.directives?.length ?? 0) > 0) continue;
    const name = (node.alias ?? node.name).value;
    if (Object.hasOwn(data, name)) continue;
    const message = `${step.system} answered with something that cannot be used (no ${name})`;
    addBelow(
      run,
      step,
      undefined,
      [name],
      new HubError('UPSTREAM_INVALID', message, { system: step.system }),
    );
  }
}

function sendRoot(run: Run, { step, bodyStart }: CompiledFetch): Promise<UpstreamAnswer> {
  const request: SubgraphRequest = {
    system: step.system,
    body: `${bodyStart}${variablesText(run.variables, step.variableNames)}}}`,
    isMutation: step.operationKind === 'mutation',
    context: run.context,
  };
  return sendWatched(run, request, () => ({ steps: [step], entities: undefined }));
}
