// The connector host beside a program by hand, over one old system: answers and calls compared, then processor time in short turns.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HubError } from '@weft/core/errors';
import { type ExactLoad, openExactLoad } from '../load/exact-load.ts';
import { GATEWAY_CORE, LOAD_CORE, pinned, pinSelf } from '../pinning.ts';
import { preciseCpuMsOf, processTree, rssPeakMiBOf } from '../process-stats.ts';
import { bareEnvironment, type Program, startProgram } from '../program.ts';
import { type Quartiles, quartilesOf } from '../statistics.ts';
import { canonicalJson } from '../workload/operations.ts';

/** Asked for in one request, as a gateway does that completes a long list. */
export const ENTITIES = 500;
/** What the old system takes in one call. */
export const ENTITIES_PER_CALL = 100;

export const QUERY =
  'query($r: [_Any!]!) { _entities(representations: $r) { ... on Business { id name openedAt capital state rawState address { area text } } } }';

export const CANDIDATES = ['by hand', 'connectors'] as const;
export type CandidateName = (typeof CANDIDATES)[number];

const PROGRAMS: Readonly<Record<CandidateName, string>> = {
  'by hand': 'by-hand-program.ts',
  connectors: 'hub-program.ts',
};

export interface ConnectorsResult {
  /** Calls that the old system counted for one query of `ENTITIES`, by candidate. */
  readonly calls: Readonly<Record<CandidateName, number>>;
  readonly answerBytes: number;
  readonly cpuMsPerRequest: Readonly<Record<CandidateName, Quartiles>>;
  /** Requests that a second of the wall clock saw, all connections together. */
  readonly requestsPerSecond: Readonly<Record<CandidateName, Quartiles>>;
  readonly rssPeakMiB: Readonly<Record<CandidateName, number>>;
  /** How much more processor time the connectors take than the program by hand: 0.15 is 15 %. Of turns that follow each other. */
  readonly over: Quartiles;
  readonly turns: number;
}

export interface ConnectorsOptions {
  readonly turns: number;
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
  readonly cpuMs: number[];
  readonly perSecond: number[];
}

const REQUESTS_PER_TURN = 40;
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
  const opened: { close(): Promise<void> }[] = [];
  const start = (file: string, core: number, env: Readonly<Record<string, string>>) => {
    const program = startProgram({
      name: file,
      command: pinned(
        [process.execPath, fileURLToPath(new URL(`./${file}`, import.meta.url))],
        core,
        options.isPinning,
      ),
      env: bareEnvironment(env),
      logFile: join(options.folder, 'logs', `${file}.log`),
    });
    opened.push({ close: () => program.stop() });
    return program;
  };
  try {
    const { old = '' } = await start('old-system-program.ts', LOAD_CORE, {}).ready(signal);
    const contenders: Contender[] = [];
    for (const name of CANDIDATES) {
      const program = start(PROGRAMS[name], GATEWAY_CORE, { MARKET_URL: old });
      const { subgraph: url = '' } = await program.ready(signal);
      const load = openExactLoad({ url, authorization: undefined }, Buffer.from(requestBody()));
      opened.push(load);
      contenders.push({ name, program, url, load, cpuMs: [], perSecond: [] });
    }
    const checked = await checkContenders(contenders, old, signal);
    await takeTurns(contenders, options, signal);
    return { ...checked, ...summarize(contenders, options.turns) };
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
  { turns, onTurn }: ConnectorsOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let turn = -WARM_UP_TURNS; turn < turns; turn += 1) {
    // Nobody is always the one who comes after another.
    for (const { program, load, cpuMs, perSecond } of turn % 2 === 0 ? contenders : contenders.toReversed()) {
      signal.throwIfAborted();
      const members = processTree(program.pid);
      const [before, startedAt] = [preciseCpuMsOf(members), performance.now()];
      await load.ask(REQUESTS_PER_TURN);
      if (turn < 0) continue;
      perSecond.push((REQUESTS_PER_TURN * 1_000) / (performance.now() - startedAt));
      cpuMs.push((preciseCpuMsOf(members) - before) / REQUESTS_PER_TURN);
    }
    if (turn >= 0) onTurn(turn + 1);
  }
}

function summarize(contenders: readonly Contender[], turns: number) {
  const [hand, hub] = contenders;
  const of = <Value>(read: (contender: Contender) => Value) =>
    Object.fromEntries(contenders.map((contender) => [contender.name, read(contender)])) as Readonly<
      Record<CandidateName, Value>
    >;
  const over = (hub?.cpuMs ?? []).map((ms, turn) => ms / (hand?.cpuMs[turn] ?? Number.NaN) - 1);
  return {
    cpuMsPerRequest: of(({ cpuMs }) => quartilesOf(cpuMs)),
    requestsPerSecond: of(({ perSecond }) => quartilesOf(perSecond)),
    rssPeakMiB: of(({ program }) => rssPeakMiBOf(program.pid)),
    over: quartilesOf(over),
    turns,
  };
}
