// Sends a fetch; where somebody wants to look into the operation, it is noted what came of it.
import { HubError } from '@weft/core/errors';
import type { SubgraphRequest, UpstreamAnswer } from '../fetch/subgraph-client.ts';
import type { FetchNote } from '../observe/operation-watch.ts';
import { newSpanId } from '../observe/trace-parent.ts';
import type { FetchStep } from '../plan/planner.ts';
import type { Run } from './run.ts';

/** What a fetch asks, in the plan's words. */
export interface FetchPurpose {
  readonly steps: readonly FetchStep[];
  /** Undefined for root fields. */
  readonly entities: number | undefined;
}

/** @throws HubError, as `SubgraphClient.send` tells */
export function sendWatched(
  run: Run,
  request: SubgraphRequest,
  purposeOf: () => FetchPurpose,
): Promise<UpstreamAnswer> {
  const { watch } = run.context;
  if (watch === undefined) return run.client.send(request);
  watch.fetches += 1;
  if (watch.notes === undefined) return run.client.send(request);
  return sendNoted(run, request, openNote(watch.notes, request.system, purposeOf()));
}

async function sendNoted(run: Run, request: SubgraphRequest, note: FetchNote): Promise<UpstreamAnswer> {
  try {
    const answer = await run.client.send({ ...request, note });
    note.errors = answer.errors.length;
    return answer;
  } catch (thrown) {
    const { code, details } = HubError.from(thrown);
    note.code = code;
    if (typeof details.upstreamStatus === 'number') note.status ??= details.upstreamStatus;
    throw thrown;
  } finally {
    note.endedAtMs = performance.now();
  }
}

/** Fetches of one operation that are noted; an event stream or a huge plan may make more, which are only counted. */
const NOTES_MAX = 500;

function openNote(notes: FetchNote[], system: string, { steps, entities }: FetchPurpose): FetchNote {
  const note: FetchNote = {
    spanId: newSpanId(),
    system,
    steps,
    entities,
    startedAtMs: performance.now(),
    endedAtMs: 0,
    status: undefined,
    bytes: undefined,
    isShared: false,
    code: undefined,
    errors: 0,
  };
  if (notes.length < NOTES_MAX) notes.push(note);
  return note;
}
