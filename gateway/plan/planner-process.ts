// One planning process as the gateway holds it: started, asked one plan at a time, killed whatever it is doing.
import { type ChildProcess, fork } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { compileCacheEnvironment } from '@weft/core/compile-cache';
import { HubError, invariant, OperatorError } from '@weft/core/errors';
import type { PlanLimits } from './limits.ts';
import type { Plan, PlannerName } from './planner.ts';
import type {
  PlanMessage,
  PlannerAnswer,
  PlannerInstruction,
  PlannerProcessData,
} from './planner-messages.ts';

export interface PlannerProcess {
  /** Of the supergraph that it was given last: who plans by default. Rejects with OperatorError when the supergraph cannot be planned on, or the start takes too long. */
  readonly ready: Promise<PlannerName>;
  /** One at a time. Rejects with HubError; when the process is ended meanwhile, with CANCELLED. */
  plan(message: PlanMessage, onLoading: (isLoading: boolean) => void): Promise<Plan>;
  /** False once it has ended, by itself or not. */
  readonly isAlive: boolean;
  /** Whose code it was last in. */
  readonly begun: PlannerName | undefined;
  /** Whether it ended by itself, out of memory apart: native code failed in a way that no exception tells of. */
  readonly hasDied: boolean;
  /** Whether it is alive, knows its supergraph and has nothing to do. */
  readonly isIdle: boolean;
  /** Supergraphs that it was given so far. */
  readonly graphs: number;
  /** What it took to know a supergraph, in ms; of several, the longest. */
  readonly startMs: number;
  /** Gives an idle one another supergraph in place of the one that it has. */
  restart(data: PlannerProcessData): void;
  /** Kills it and returns at once. */
  end(): void;
}

/** What a process was asked and has not answered. */
interface Asked {
  readonly child: ChildProcess;
  start: PromiseWithResolvers<PlannerName>;
  isStarting: boolean;
  graphs: number;
  startedAtMs: number;
  startMs: number;
  pending: PromiseWithResolvers<Plan> | undefined;
  tellLoading: (isLoading: boolean) => void;
  isAlive: boolean;
  begun: PlannerName | undefined;
  hasDied: boolean;
  /** The last of what it wrote to its standard error. */
  lastWords: string;
}

const LAST_WORDS_CHARS_MAX = 4_000;
const PROGRAM = fileURLToPath(new URL('./planner-program.ts', import.meta.url));

/**
 * A process and no thread: the native planner can abort the process that it is in, and hang where no thread can be stopped.
 */
export function startPlannerProcess(data: PlannerProcessData, limits: PlanLimits): PlannerProcess {
  const asked = spawnPlanner(limits);
  const { child } = asked;
  const end = (error: Error = new HubError('CANCELLED', 'Planning was cut off.')) => {
    clearTimeout(timer);
    process.off('exit', kill);
    asked.isAlive = false;
    asked.start.reject(error);
    takePending(asked)?.reject(error);
    kill();
  };
  const kill = () => void child.kill('SIGKILL');
  const start = (given: PlannerProcessData) => {
    beginStart(asked, given);
    timer = setTimeout(() => end(notStarted(limits)), limits.planStartTimeoutMs);
  };
  let timer: NodeJS.Timeout | undefined;
  process.once('exit', kill);
  child.on('message', (answer: PlannerAnswer) => {
    if (answer.kind === 'ready') clearTimeout(timer);
    if (answer.kind === 'unusable')
      end(new OperatorError(`the supergraph cannot be used: ${answer.reason}`, { exitCode: 2 }));
    else take(answer, asked);
  });
  child.on('error', (thrown) => end(planFailed(String(thrown))));
  child.on('close', (exitCode, signal) => {
    const how = `${exitCode ?? signal}`;
    asked.start.reject(new OperatorError(`planning did not start: its process ended with ${how}`));
    end(failureOf(asked, how, limits));
  });
  start(data);
  return {
    get ready() {
      return asked.start.promise;
    },
    get isIdle() {
      return asked.isAlive && !asked.isStarting && asked.pending === undefined;
    },
    get graphs() {
      return asked.graphs;
    },
    restart(next) {
      invariant(this.isIdle, 'a planning process is given another supergraph in the midst of its work');
      start(next);
    },
    get startMs() {
      return asked.startMs;
    },
    get isAlive() {
      return asked.isAlive;
    },
    get begun() {
      return asked.begun;
    },
    get hasDied() {
      return asked.hasDied;
    },
    plan(message, onLoading) {
      asked.pending = Promise.withResolvers<Plan>();
      asked.tellLoading = onLoading;
      asked.begun = undefined;
      const { promise } = asked.pending;
      keepAlive(child, true);
      send(asked, { kind: 'plan', message });
      return promise;
    },
    end: () => end(),
  };
}

function beginStart(asked: Asked, data: PlannerProcessData): void {
  asked.start = Promise.withResolvers();
  asked.isStarting = true;
  asked.graphs += 1;
  asked.startedAtMs = performance.now();
  // Whoever needs the process asks for `ready` again and learns why.
  asked.start.promise.catch(() => undefined);
  keepAlive(asked.child, true);
  send(asked, { kind: 'start', data });
}

function spawnPlanner({ planHeapMbMax }: PlanLimits): Asked {
  const child = fork(PROGRAM, [], {
    serialization: 'advanced',
    // A process of the gateway's own, but not one that may see its settings, nor one that inherits a loader.
    env: compileCacheEnvironment(),
    execArgv: [`--max-old-space-size=${planHeapMbMax}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const asked: Asked = {
    child,
    start: Promise.withResolvers<PlannerName>(),
    isStarting: true,
    graphs: 0,
    startedAtMs: 0,
    startMs: 0,
    pending: undefined,
    tellLoading: () => undefined,
    isAlive: true,
    begun: undefined,
    hasDied: false,
    lastWords: '',
  };
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    asked.lastWords = `${asked.lastWords}${text}`.slice(-LAST_WORDS_CHARS_MAX);
  });
  return asked;
}

/** A process that has died meanwhile is told of by its end, not by the failed writing to it. */
function send({ child }: Asked, instruction: PlannerInstruction): void {
  if (child.connected) child.send(instruction, () => undefined);
}

function take(answer: Exclude<PlannerAnswer, { kind: 'unusable' }>, asked: Asked): void {
  switch (answer.kind) {
    case 'ready':
      asked.isStarting = false;
      asked.startMs = Math.max(asked.startMs, performance.now() - asked.startedAtMs);
      asked.start.resolve(answer.preferred);
      takePending(asked);
      return;
    case 'loading':
    case 'loaded':
      asked.tellLoading(answer.kind === 'loading');
      return;
    case 'begun':
      asked.begun = answer.planner;
      return;
    case 'planned':
      takePending(asked)?.resolve(answer.plan);
      return;
    case 'failed':
      takePending(asked)?.reject(planFailed(answer.reason));
      return;
    default:
      answer satisfies never;
  }
}

function takePending(asked: Asked): PromiseWithResolvers<Plan> | undefined {
  const { pending } = asked;
  asked.pending = undefined;
  // An idle planner does not keep the gateway alive.
  keepAlive(asked.child, false);
  return pending;
}

function keepAlive(child: ChildProcess, isNeeded: boolean): void {
  const { channel, stderr } = child;
  for (const handle of [child, channel, stderr instanceof Socket ? stderr : undefined]) {
    if (isNeeded) handle?.ref();
    else handle?.unref();
  }
}

function notStarted({ planStartTimeoutMs }: PlanLimits): OperatorError {
  return new OperatorError(`planning did not start within ${planStartTimeoutMs} ms`);
}

/** A planner's words are for the log: they may tell of the graph what a client may not know. */
function planFailed(reason: unknown): HubError {
  return new HubError('INTERNAL_SERVER_ERROR', 'The operation could not be planned.', { cause: reason });
}

function failureOf(asked: Asked, how: string, { planHeapMbMax }: PlanLimits): HubError {
  if (asked.lastWords.includes('heap out of memory')) {
    return new HubError('LIMIT_EXCEEDED', `To plan this operation takes more than ${planHeapMbMax} MB.`, {
      details: { limit: 'planHeapMbMax', max: planHeapMbMax },
    });
  }
  asked.hasDied = asked.isAlive;
  return planFailed(`the planning process ended (${how}): ${asked.lastWords}`);
}
