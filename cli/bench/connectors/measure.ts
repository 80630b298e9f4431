// The connector host beside a program by hand, over one old system: answers and calls compared, then processor time in short turns.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HubError, invariant } from '@weft/core/errors';
import { type ExactLoad, openExactLoad } from '../load/exact-load.ts';
import { GATEWAY_CORE, LOAD_CORE, pinned, pinSelf } from '../pinning.ts';
import { preciseCpuMsOf, processTree, rssPeakMiBOf } from '../process-stats.ts';
import { bareEnvironment, type Program, startProgram } from '../program.ts';
import { medianInterval, type Quartiles, quartilesOf } from '../statistics.ts';
import { canonicalJson } from '../workload/operations.ts';

/** Asked for in one request, as a gateway does that completes a long list. */
export const ENTITIES = 500;
/** What the old system takes in one call. */
export const ENTITIES_PER_CALL = 100;

export const QUERY =
  'query($r: [_Any!]!) { _entities(representations: $r) { ... on Business { id name openedAt capital state rawState address { area text } } } }';

export const CANDIDATES = ['by hand', 'by hand, no deadline', 'connectors'] as const;
export type CandidateName = (typeof CANDIDATES)[number];
/** Programs by hand, beside which the connectors stand. */
export type ByHandName = Exclude<CandidateName, 'connectors'>;

const PROGRAMS: Readonly<
  Record<CandidateName, { readonly file: string; readonly env: Readonly<Record<string, string>> }>
> = {
  'by hand': { file: 'by-hand-program.ts', env: { BY_HAND_DEADLINE_MS: '4000' } },
  'by hand, no deadline': { file: 'by-hand-program.ts', env: {} },
  connectors: { file: 'hub-program.ts', env: {} },
};

/** How much more processor time the connectors take: 0.15 is 15 %. */
export interface Over {
  /** Of pairs of turns that follow each other. */
  readonly pairs: Quartiles;
  /** The median of the pairs is between these with 95 % confidence, other starts of the programs among what may differ. */
  readonly interval: readonly [number, number];
  /** The median of the pairs of each start of the programs. */
  readonly rounds: readonly number[];
}

export interface ConnectorsResult {
  /** Calls that the old system counted for one query of `ENTITIES`, by candidate. */
  readonly calls: Readonly<Record<CandidateName, number>>;
  readonly answerBytes: number;
  readonly cpuMsPerRequest: Readonly<Record<CandidateName, Quartiles>>;
  /** Requests that a second of the wall clock saw, all connections together. */
  readonly requestsPerSecond: Readonly<Record<CandidateName, Quartiles>>;
  readonly rssPeakMiB: Readonly<Record<CandidateName, number>>;
  readonly over: Readonly<Record<ByHandName, Over>>;
  /** Of each round. */
  readonly turns: number;
  readonly rounds: number;
}

export interface ConnectorsOptions {
  /** Of each round. */
  readonly turns: number;
  /** All programs are started anew for each: what one start lays out and compiles by chance differs by more than a turn. */
  readonly rounds: number;
  readonly isPinning: boolean;
  /** Absolute; logs are kept there. */
  readonly folder: string;
  onTurn(turn: number): void;
}

interface Contender {
  readonly name: CandidateName;
  readonly program: Program;
  readonly url: string;
  readonly load: ExactLoad;
}

/** What turns have shown of one candidate. */
interface Turns {
  /** By round, by turn. */
  readonly cpuMs: number[][];
  readonly perSecond: number[];
  rssPeakMiB: number;
}

/** Their calls all find a place in the guard's queue (32 for each of its 4 slots): what is refused would not be measured as an answer. */
export const CONNECTIONS = 16;
export const REQUESTS_PER_TURN = 64;
/** Before the first that counts: code is compiled, and memory has grown. */
const WARM_UP_TURNS = 12;

/**
 * @throws HubError when a program does not start or fails requests, when the answers differ, or when a candidate calls the old
 * system more often than it must; the signal's reason when it aborts
 */
export async function measureConnectors(
  options: ConnectorsOptions,
  signal: AbortSignal,
): Promise<ConnectorsResult> {
  mkdirSync(join(options.folder, 'logs'), { recursive: true });
  if (options.isPinning) pinSelf(LOAD_CORE);
  const oldSystem = startBenchProgram(options, 'old-system-program.ts', LOAD_CORE, {});
  const seen = new Map(
    CANDIDATES.map((name) => [name, { cpuMs: [], perSecond: [], rssPeakMiB: 0 } as Turns]),
  );
  try {
    const { old = '' } = await oldSystem.ready(signal);
    let checked: Awaited<ReturnType<typeof takeRound>> | undefined;
    for (let round = 0; round < options.rounds; round += 1)
      checked = await takeRound({ old, round, seen }, options, signal);
    invariant(checked !== undefined, 'a bench has a round');
    return { ...checked, ...summarize(seen), turns: options.turns, rounds: options.rounds };
  } finally {
    await oldSystem.stop();
  }
}

function startBenchProgram(
  { folder, isPinning }: ConnectorsOptions,
  file: string,
  core: number,
  env: Readonly<Record<string, string>>,
): Program {
  const command = [process.execPath, fileURLToPath(new URL(`./${file}`, import.meta.url))];
  return startProgram({
    name: file,
    command: pinned(command, core, isPinning),
    env: bareEnvironment(env),
    logFile: join(folder, 'logs', `${file}.log`),
  });
}

interface Round {
  /** The old system's address. */
  readonly old: string;
  readonly round: number;
  readonly seen: ReadonlyMap<CandidateName, Turns>;
}

/** Starts the candidates, compares their answers, lets them take turns, and ends them. */
async function takeRound({ old, round, seen }: Round, options: ConnectorsOptions, signal: AbortSignal) {
  const opened: { close(): Promise<void> }[] = [];
  try {
    const contenders: Contender[] = [];
    for (const name of CANDIDATES) {
      const { file, env } = PROGRAMS[name];
      const program = startBenchProgram(options, file, GATEWAY_CORE, { MARKET_URL: old, ...env });
      opened.push({ close: () => program.stop() });
      const { subgraph: url = '' } = await program.ready(signal);
      const load = openExactLoad({ url, authorization: undefined }, Buffer.from(requestBody()), CONNECTIONS);
      opened.push(load);
      contenders.push({ name, program, url, load });
    }
    const checked = await checkContenders(contenders, old, signal);
    const before = await countCalls(old, signal);
    await takeTurns(contenders, { round, seen }, options, signal);
    const calls = (await countCalls(old, signal)) - before;
    const requests = (options.turns + WARM_UP_TURNS) * REQUESTS_PER_TURN * contenders.length;
    const callsMin = (requests * ENTITIES) / ENTITIES_PER_CALL;
    // A request that was refused by a full queue, or asked twice, shows here.
    if (calls !== callsMin)
      throw new HubError(
        'UPSTREAM_INVALID',
        `under load expected ${callsMin} calls of the old system, got ${calls}`,
      );
    return checked;
  } finally {
    for (const part of opened.toReversed()) await part.close();
  }
}

function requestBody(): string {
  const r = Array.from({ length: ENTITIES }, (_, index) => ({ __typename: 'Business', id: `B${index + 1}` }));
  return JSON.stringify({ query: QUERY, variables: { r } });
}

async function checkContenders(contenders: readonly Contender[], old: string, signal: AbortSignal) {
  const calls: Partial<Record<CandidateName, number>> = {};
  const answers: string[] = [];
  const callsMin = ENTITIES / ENTITIES_PER_CALL;
  for (const { name, url } of contenders) {
    const before = await countCalls(old, signal);
    const text = await ask(url, signal);
    const counted = (await countCalls(old, signal)) - before;
    if (counted !== callsMin)
      throw new HubError(
        'UPSTREAM_INVALID',
        `${name}: expected ${callsMin} calls of the old system, got ${counted}`,
      );
    calls[name] = counted;
    answers.push(text);
  }
  const [first, ...others] = answers.map((text) =>
    canonicalJson((JSON.parse(text) as { data: unknown }).data),
  );
  if (others.some((other) => other !== first))
    throw new HubError('UPSTREAM_INVALID', 'the candidates answer differently');
  return { calls: calls as ConnectorsResult['calls'], answerBytes: Buffer.byteLength(answers[0] ?? '') };
}

async function ask(url: string, signal: AbortSignal): Promise<string> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: requestBody(), signal });
  const text = await response.text();
  if (response.status !== 200) throw new HubError('UPSTREAM_INVALID', `${url} answered ${response.status}`);
  return text;
}

async function countCalls(old: string, signal: AbortSignal): Promise<number> {
  return ((await (await fetch(`${old}/calls`, { signal })).json()) as { calls: number }).calls;
}

async function takeTurns(
  contenders: readonly Contender[],
  { round, seen }: Pick<Round, 'round' | 'seen'>,
  { turns, onTurn }: ConnectorsOptions,
  signal: AbortSignal,
): Promise<void> {
  for (const { cpuMs } of seen.values()) cpuMs.push([]);
  for (let turn = -WARM_UP_TURNS; turn < turns; turn += 1) {
    // Nobody is always the one who comes after another.
    for (const { name, program, load } of turn % 2 === 0 ? contenders : contenders.toReversed()) {
      signal.throwIfAborted();
      const members = processTree(program.pid);
      const [before, startedAt] = [preciseCpuMsOf(members), performance.now()];
      await load.ask(REQUESTS_PER_TURN);
      const turnsOf = seen.get(name);
      if (turn < 0 || turnsOf === undefined) continue;
      turnsOf.perSecond.push((REQUESTS_PER_TURN * 1_000) / (performance.now() - startedAt));
      turnsOf.cpuMs[round]?.push((preciseCpuMsOf(members) - before) / REQUESTS_PER_TURN);
    }
    if (turn >= 0) onTurn(round * turns + turn + 1);
  }
  for (const { name, program } of contenders) {
    const turnsOf = seen.get(name);
    if (turnsOf !== undefined) turnsOf.rssPeakMiB = Math.max(turnsOf.rssPeakMiB, rssPeakMiBOf(program.pid));
  }
}

function summarize(seen: ReadonlyMap<CandidateName, Turns>) {
  const of = <Name extends CandidateName, Value>(names: readonly Name[], read: (turns: Turns) => Value) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        read(seen.get(name) ?? { cpuMs: [], perSecond: [], rssPeakMiB: Number.NaN }),
      ]),
    ) as Readonly<Record<Name, Value>>;
  const hub = seen.get('connectors')?.cpuMs ?? [];
  return {
    cpuMsPerRequest: of(CANDIDATES, ({ cpuMs }) => quartilesOf(cpuMs.flat())),
    requestsPerSecond: of(CANDIDATES, ({ perSecond }) => quartilesOf(perSecond)),
    rssPeakMiB: of(CANDIDATES, ({ rssPeakMiB }) => rssPeakMiB),
    over: of(BY_HAND, ({ cpuMs }) => overOf(hub, cpuMs)),
  };
}

const BY_HAND = ['by hand', 'by hand, no deadline'] as const satisfies readonly ByHandName[];

/** @param hub processor time of the connectors, by round and turn @param hand of a program by hand, likewise */
function overOf(hub: readonly (readonly number[])[], hand: readonly (readonly number[])[]): Over {
  const rounds = hub.map((turns, round) =>
    turns.map((ms, turn) => ms / (hand[round]?.[turn] ?? Number.NaN) - 1),
  );
  return {
    pairs: quartilesOf(rounds.flat()),
    interval: medianInterval(rounds),
    rounds: rounds.map((pairs) => quartilesOf(pairs).median),
  };
}
