// Gives answers that are young enough again, asks once for what several want, and falls back to what is old when the source cannot be asked.
import { createHash } from 'node:crypto';
import { deadlineSignal, delay } from '@weft/core/deadline';
import { HubError, invariant } from '@weft/core/errors';
import { shutGateOf } from '../guard/guard.ts';
import { runWithin } from '../guard/within.ts';
import type { Row } from '../load/connect.ts';
import type { FreshnessPlan } from '../plan.ts';
import {
  FLIGHT_MS_MAX,
  OTHERS_POLL_MS_MAX,
  OTHERS_POLL_MS_MIN,
  OTHERS_WAIT_MS_MAX,
  STALE_PATIENCE_MS,
} from './limits.ts';
import type { FreshnessState } from './origin.ts';
import type { FreshStore, Kept, Place } from './store.ts';

/** The rows of one key, or why there are none, and how old they are. */
export interface Answered {
  readonly rows: readonly (Row | Error)[];
  readonly state: FreshnessState;
  readonly observedAtMs: number;
  readonly ageMs: number;
  readonly reason?: string | undefined;
}

/** What is asked, whoever asks. */
export interface Question {
  readonly system: string;
  readonly source: string;
  /** The entity type, or `Type.field`. */
  readonly coordinate: string;
  readonly freshness: FreshnessPlan;
  /** Who asks, as text; undefined: nobody is known. */
  readonly asker: string | undefined;
  /** The caller's own: one who leaves does not end what others wait for. */
  readonly signal: AbortSignal;
  /** Who has something old to show waits so long, and the asking goes on without them. Default: 3 s, and it ends with the last who waits. */
  readonly patienceMs?: number | undefined;
  readonly keys: readonly string[];
  /** The record that an answer is about, which a change or a write of it drops; undefined for what calls bring. */
  recordOf(key: string): { readonly type: string; readonly key: string } | undefined;
  /** Whether these rows may be given again: not those that are an error in themselves. */
  mayKeep(rows: readonly Row[]): boolean;
  /** Whether rows of this kind may be given when the source cannot be asked. */
  mayBeStale(rows: readonly Row[]): boolean;
  ask(keys: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, readonly (Row | Error)[]>>;
}

export interface FreshAnswers {
  /** For every key its answer. A key whose source failed has the error among its rows; never rejects for the source. @throws the caller's reason */
  answer(question: Question): Promise<ReadonlyMap<string, Answered>>;
  /** What was observed of these groups up to now is not given any more. */
  drop(groups: readonly string[], lifeMs: number): Promise<void>;
  /** Since the start. */
  counts(): { readonly fresh: number; readonly cached: number; readonly stale: number };
}

/** What several wait for at once. */
interface Flight {
  readonly groups: ReadonlySet<string>;
  readonly answers: Promise<ReadonlyMap<string, FlightAnswer>>;
  readonly controller: AbortController;
  sharers: number;
  /** It goes on when nobody waits for it any more. */
  goesOn: boolean;
}

interface FlightAnswer extends Kept {
  readonly rows: readonly Row[];
  readonly error: Error | undefined;
  readonly isFresh: boolean;
}

/** A hash of parts, none of which can pass for two. */
export function placeHash(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}

/** The group of a record, under whatever type of the graph. */
export function recordGroup(system: string, type: string, key: string): string {
  return placeHash('record', system, type, key);
}

/** The group of all that calls of a source brought, as opposed to its loaders. */
export function callsGroup(system: string, source: string): string {
  return placeHash('calls', system, source);
}

/** The group of all that a source brought. */
export function sourceGroup(system: string, source: string): string {
  return placeHash('source', system, source);
}

export function createFreshAnswers(store: FreshStore): FreshAnswers {
  const flights = new Map<string, Flight>();
  const counts = { fresh: 0, cached: 0, stale: 0 };
  return {
    counts: () => ({ ...counts }),
    async drop(groups, lifeMs) {
      // Whoever asks from now on must not be given what was asked for before.
      for (const [entry, flight] of flights)
        if (groups.some((group) => flight.groups.has(group))) flights.delete(entry);
      await store.drop(groups, lifeMs);
    },
    async answer(question) {
      const answers = await answerFrom(store, flights, question);
      for (const { state } of answers.values()) {
        if (state === 'FRESH') counts.fresh += 1;
        else if (state === 'CACHED') counts.cached += 1;
        else counts.stale += 1;
      }
      return answers;
    },
  };
}

async function answerFrom(
  store: FreshStore,
  flights: Map<string, Flight>,
  question: Question,
): Promise<ReadonlyMap<string, Answered>> {
  const { keys, freshness } = question;
  const places = placesOf(question);
  if (places === undefined) return answerUnkept(question);
  const { nowMs, found } = await store.read(keys.map((key) => placeOf(places, key)));
  const answers = new Map<string, Answered>();
  const old = new Map<string, Kept>();
  for (const [index, key] of keys.entries()) {
    const kept = found[index];
    if (kept === undefined) continue;
    const ageMs = Math.max(0, nowMs - kept.observedAtMs);
    if (ageMs < freshness.maxAgeMs)
      answers.set(key, { rows: kept.rows, state: 'CACHED', observedAtMs: kept.observedAtMs, ageMs });
    else if (ageMs < freshness.staleIfErrorMs && question.mayBeStale(kept.rows)) old.set(key, kept);
  }
  const missing = keys.filter((key) => !answers.has(key));
  if (missing.length === 0) return answers;
  // Who has something old to show waits for a while only.
  const patienceMs = missing.every((key) => old.has(key))
    ? (question.patienceMs ?? STALE_PATIENCE_MS)
    : FLIGHT_MS_MAX * 2;
  const asking: Asking = { question, places, nowMs, patienceMs };
  const asked = await askShared(store, flights, asking, missing).catch((thrown: unknown) =>
    inVain(asking, missing, HubError.from(thrown)),
  );
  for (const key of missing) answers.set(key, concluded(asked.get(key), old.get(key), nowMs));
  return answers;
}

/** Nobody is known to be asking: nothing is shared, nothing is kept. */
async function answerUnkept(question: Question): Promise<ReadonlyMap<string, Answered>> {
  const observedAtMs = Date.now();
  const rows = await question.ask(question.keys, question.signal);
  return new Map(
    question.keys.map((key) => [
      key,
      { rows: rows.get(key) ?? [], state: 'FRESH' as const, observedAtMs, ageMs: 0 },
    ]),
  );
}

function placesOf(question: Question): ReadonlyMap<string, Place> | undefined {
  const { system, source, coordinate, freshness, asker, keys } = question;
  const isShared = freshness.scope === 'SHARED';
  if (!isShared && asker === undefined) return undefined;
  const who = isShared ? ['shared'] : ['user', asker];
  const all = sourceGroup(system, source);
  const calls = callsGroup(system, source);
  return new Map(
    keys.map((key): [string, Place] => {
      const record = question.recordOf(key);
      const about = record === undefined ? calls : recordGroup(system, record.type, record.key);
      const entry = placeHash(freshness.sdlHash, system, source, coordinate, who, key);
      return [key, { entry, groups: [about, all] }];
    }),
  );
}

function placeOf(places: ReadonlyMap<string, Place>, key: string): Place {
  const place = places.get(key);
  invariant(place !== undefined, 'every key of a question has its place');
  return place;
}

/** What came of asking, or else what is old, if that is allowed. */
function concluded(answer: FlightAnswer | undefined, old: Kept | undefined, nowMs: number): Answered {
  if (answer === undefined) return { rows: [], state: 'FRESH', observedAtMs: nowMs, ageMs: 0 };
  const { rows, error, observedAtMs, isFresh } = answer;
  if (error === undefined) {
    const ageMs = isFresh ? 0 : Math.max(0, nowMs - observedAtMs);
    return { rows, state: isFresh ? 'FRESH' : 'CACHED', observedAtMs, ageMs };
  }
  const reason = old === undefined ? undefined : staleReason(error);
  if (old === undefined || reason === undefined)
    return { rows: [error], state: 'FRESH', observedAtMs, ageMs: 0 };
  const ageMs = Math.max(0, Date.now() - old.observedAtMs);
  return { rows: old.rows, state: 'STALE', observedAtMs: old.observedAtMs, ageMs, reason };
}

/** Why something old may be given in the place of this error; undefined when it may not: the source did answer. */
function staleReason(error: Error): string | undefined {
  if (!(error instanceof HubError)) return undefined;
  if (error.code !== 'UPSTREAM_UNAVAILABLE' && error.code !== 'DEADLINE_EXCEEDED') return undefined;
  return shutGateOf(error) ?? error.code;
}

/** Time passed: for who asked that is as if the source had not answered. @throws whatever else ended it */
function inVain(
  { nowMs }: Asking,
  keys: readonly string[],
  error: HubError,
): ReadonlyMap<string, FlightAnswer> {
  if (error.code !== 'DEADLINE_EXCEEDED') throw error;
  return new Map(keys.map((key) => [key, { rows: [], observedAtMs: nowMs, error, isFresh: true }]));
}

interface Asking {
  readonly patienceMs: number;
  readonly question: Question;
  readonly places: ReadonlyMap<string, Place>;
  /** By the store's clock, before anything is asked. */
  readonly nowMs: number;
}

/** Joins what is under way in this process, and starts the rest. */
async function askShared(
  store: FreshStore,
  flights: Map<string, Flight>,
  asking: Asking,
  keys: readonly string[],
): Promise<ReadonlyMap<string, FlightAnswer>> {
  const { places, question } = asking;
  const joined = new Set<Flight>();
  const own: string[] = [];
  for (const key of keys) {
    const flight = flights.get(placeOf(places, key).entry);
    if (flight === undefined || flight.controller.signal.aborted) own.push(key);
    else joined.add(flight);
  }
  if (own.length > 0) joined.add(startFlight(store, flights, asking, own));
  if (question.patienceMs !== undefined) for (const flight of joined) flight.goesOn = true;
  const parts = await Promise.all(
    [...joined].map((flight) => board(flight, question.signal, asking.patienceMs)),
  );
  const answers = new Map<string, FlightAnswer>();
  for (const key of keys) {
    const { entry } = placeOf(places, key);
    const answer = parts.map((part) => part.get(entry)).find((each) => each !== undefined);
    if (answer !== undefined) answers.set(key, answer);
  }
  return answers;
}

/** Ends with the last who waits for it, or by itself where it goes on. */
async function board(
  flight: Flight,
  signal: AbortSignal,
  patienceMs: number,
): Promise<ReadonlyMap<string, FlightAnswer>> {
  flight.sharers += 1;
  try {
    return await runWithin(patienceMs, signal, { execute: () => flight.answers });
  } finally {
    flight.sharers -= 1;
    if (flight.sharers === 0 && !flight.goesOn) flight.controller.abort();
  }
}

function startFlight(
  store: FreshStore,
  flights: Map<string, Flight>,
  asking: Asking,
  keys: readonly string[],
): Flight {
  const controller = new AbortController();
  const places = keys.map((key) => placeOf(asking.places, key));
  const answers = fly(store, asking, keys, deadlineSignal(FLIGHT_MS_MAX, controller.signal));
  answers.catch(() => undefined);
  const groups = new Set(places.flatMap(({ groups: both }) => both));
  const flight: Flight = { groups, answers, controller, sharers: 0, goesOn: false };
  for (const { entry } of places) flights.set(entry, flight);
  const land = () => {
    for (const { entry } of places) if (flights.get(entry) === flight) flights.delete(entry);
  };
  answers.then(land, land);
  return flight;
}

/** Asks for what no other replica asks for, and waits a while for the rest. By entry. */
async function fly(
  store: FreshStore,
  asking: Asking,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FlightAnswer>> {
  const answers = new Map<string, FlightAnswer>();
  const untilMs = performance.now() + OTHERS_WAIT_MS_MAX;
  let waiting = keys;
  let pollMs = OTHERS_POLL_MS_MIN;
  while (waiting.length > 0) {
    const isLate = performance.now() >= untilMs;
    const places = waiting.map((key) => placeOf(asking.places, key));
    const claims = isLate ? undefined : await store.claim(places);
    const mine = waiting.filter((_key, index) => claims?.mine[index] ?? true);
    try {
      if (mine.length > 0) await askSource(store, asking, mine, signal, answers);
    } finally {
      claims?.release();
    }
    waiting = waiting.filter((key) => !answers.has(placeOf(asking.places, key).entry));
    if (waiting.length === 0) break;
    await delay(pollMs, signal);
    pollMs = Math.min(pollMs * 2, OTHERS_POLL_MS_MAX);
    waiting = await takeOthers(store, asking, waiting, answers);
  }
  return answers;
}

/** What another replica has brought meanwhile. */
async function takeOthers(
  store: FreshStore,
  { places, question }: Asking,
  keys: readonly string[],
  answers: Map<string, FlightAnswer>,
): Promise<readonly string[]> {
  const { nowMs, found } = await store.read(keys.map((key) => placeOf(places, key)));
  return keys.filter((key, index) => {
    const kept = found[index];
    if (kept === undefined || nowMs - kept.observedAtMs >= question.freshness.maxAgeMs) return true;
    const { rows, observedAtMs } = kept;
    answers.set(placeOf(places, key).entry, { rows, observedAtMs, error: undefined, isFresh: false });
    return false;
  });
}

async function askSource(
  store: FreshStore,
  { question, places }: Asking,
  keys: readonly string[],
  signal: AbortSignal,
  answers: Map<string, FlightAnswer>,
): Promise<void> {
  const { maxAgeMs, staleIfErrorMs } = question.freshness;
  // The store's clock, before the source is asked: what changes while it answers is not taken for known.
  const { nowMs: observedAtMs } = await store.read([]);
  const asked = await question.ask(keys, signal).catch((thrown: unknown) => HubError.from(thrown));
  const kept = keys.flatMap((key) => {
    const place = placeOf(places, key);
    const rows = asked instanceof Error ? [asked] : (asked.get(key) ?? []);
    const error = rows.find((row) => row instanceof Error);
    const good = rows.filter((row): row is Row => !(row instanceof Error));
    answers.set(place.entry, {
      rows: error === undefined ? good : [],
      error: error instanceof Error ? error : undefined,
      observedAtMs,
      isFresh: true,
    });
    if (error !== undefined || !question.mayKeep(good)) return [];
    return [{ place, rows: good, observedAtMs, lifeMs: Math.max(maxAgeMs, staleIfErrorMs) }];
  });
  if (kept.length > 0) await store.write(kept);
}
