// The few single requests of the bench: is a candidate there, is its answer right, what did the subgraphs count.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Program } from './program.ts';
import type { SubgraphStats } from './workload/endpoints.ts';
import { canonicalJson, expectedData, type QueryName, requestBodyOf } from './workload/operations.ts';

const START_MS_MAX = 60_000;
const POLL_MS = 50;
const REQUEST_TIMEOUT_MS = 15_000;
const SHOWN_CHARACTERS_MAX = 300;

/** A port that was free a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** Where a candidate is asked, and as whom. */
export interface Target {
  readonly url: string;
  /** Header of every request; undefined: none. */
  readonly authorization: string | undefined;
}

interface Posted {
  readonly status: number;
  readonly text: string;
}

async function post({ url, authorization }: Target, query: QueryName, signal: AbortSignal): Promise<Posted> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: requestBodyOf(query),
    signal: deadlineSignal(REQUEST_TIMEOUT_MS, signal),
  });
  return { status: response.status, text: await response.text() };
}

/**
 * Asks until the candidate answers with a status below 500.
 * @throws HubError when it ends, or has not answered after 60 s
 */
export async function untilAnswering(
  program: Program,
  target: Target,
  query: QueryName,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + START_MS_MAX;
  let last = 'nothing listens';
  while (performance.now() < until) {
    signal.throwIfAborted();
    const ended = program.ended();
    if (ended !== undefined) throw new HubError('UPSTREAM_UNAVAILABLE', `${program.name} ${ended}`);
    try {
      const { status, text } = await post(target, query, signal);
      if (status < 500) return;
      last = `status ${status} ${text.slice(0, SHOWN_CHARACTERS_MAX)}`;
    } catch (thrown) {
      // Nobody listens yet, as is expected of a process that starts; the last reason is told at the end.
      last = String((thrown as Error).cause ?? thrown);
    }
    await delay(POLL_MS, signal);
  }
  throw new HubError('DEADLINE_EXCEEDED', `${program.name} did not answer in ${START_MS_MAX} ms: ${last}`);
}

/**
 * Compares the candidate's answer with the monolith's, as canonical JSON.
 * @returns the bytes of the answer
 * @throws HubError UPSTREAM_INVALID when they differ
 */
export async function checkAnswer(target: Target, query: QueryName, signal: AbortSignal): Promise<number> {
  const { status, text } = await post(target, query, signal);
  const shown = text.slice(0, SHOWN_CHARACTERS_MAX);
  if (status !== 200) throw new HubError('UPSTREAM_INVALID', `answered with status ${status}: ${shown}`);
  const { data, errors } = JSON.parse(text) as { readonly data?: unknown; readonly errors?: unknown };
  if (errors !== undefined) throw new HubError('UPSTREAM_INVALID', `answered with errors: ${shown}`);
  if (canonicalJson(data) !== canonicalJson(expectedData(query))) {
    throw new HubError('UPSTREAM_INVALID', `the answer differs from the monolith's: ${shown}`);
  }
  return Buffer.byteLength(text);
}

/** What the subgraphs were asked since the last reset. */
export async function readStats(
  origin: string,
  path: 'stats' | 'reset',
  signal: AbortSignal,
): Promise<SubgraphStats> {
  const response = await fetch(`${origin}/${path}`, { signal: deadlineSignal(REQUEST_TIMEOUT_MS, signal) });
  return (await response.json()) as SubgraphStats;
}
