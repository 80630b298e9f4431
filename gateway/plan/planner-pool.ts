// Plans in processes apart, bounded in time, memory and number; a dear operation goes on apart and delays no other.
import { HubError } from '@weft/core/errors';
import { PLAN_LIMITS, type PlanLimits } from './limits.ts';
import { createLruCache } from './lru-cache.ts';
import type { Plan, PlannerName } from './planner.ts';
import type { PlanMessage, PlannerProcessData } from './planner-messages.ts';
import type { PlannerProcess } from './planner-process.ts';
import { NO_SPARES, type PlannerSpares } from './planner-spares.ts';

export interface PlannerPool {
  /** Resolves with the planner that is asked first; rejects with OperatorError when the supergraph cannot be planned on. */
  readonly ready: Promise<PlannerName>;
  /**
   * @param key what makes the operation: one that passed a bound is refused at once for a while
   * @throws HubError DEADLINE_EXCEEDED, LIMIT_EXCEEDED naming the limit, or INTERNAL_SERVER_ERROR with the planner's words as cause
   */
  plan(key: string, message: PlanMessage): Promise<Plan>;
  /**
   * Whether there is a process to plan in, or there would be at once. False from the start until the first is ready; and when one
   * was found to have died by itself, until the next is, which is started then.
   */
  isUp(): boolean;
  /** Operations that wait for a planner. */
  waiting(): number;
  /** Ends the processes; what waits is refused. */
  close(): void;
}

interface Job {
  readonly key: string;
  message: PlanMessage;
  readonly done: PromiseWithResolvers<Plan>;
  readonly timer: NodeJS.Timeout;
  isSettled: boolean;
}

/** A process and what it does. */
interface Lane {
  planner: PlannerProcess | undefined;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

interface Pool {
  readonly data: PlannerProcessData;
  readonly limits: PlanLimits;
  readonly spares: PlannerSpares;
  /** Takes every operation first. */
  quick: Lane;
  /** Takes over those that turn out to be dear, one at a time. */
  dear: Lane;
  readonly queue: Job[];
  readonly dearQueue: Job[];
  /** Until when an operation is refused, and why. */
  readonly refused: ReturnType<typeof createLruCache<{ readonly untilMs: number; readonly error: HubError }>>;
  /** Operations that ended a process, or were never done with: the native planner is not given them again. */
  readonly fatal: ReturnType<typeof createLruCache<true>>;
  isUp: boolean;
  isClosed: boolean;
}

/**
 * Starts the first process at once, so that the first operation finds it warm.
 * @param spares where processes come from, and go to when it is closed; default: each is started, and ended
 */
export function createPlannerPool(
  data: PlannerProcessData,
  given: Partial<PlanLimits> = {},
  spares: PlannerSpares = NO_SPARES,
): PlannerPool {
  const limits = { ...PLAN_LIMITS, ...given };
  const pool: Pool = {
    data,
    limits,
    spares,
    quick: { planner: spares.start(data, limits), job: undefined, timer: undefined },
    dear: { planner: undefined, job: undefined, timer: undefined },
    queue: [],
    dearQueue: [],
    refused: createLruCache(limits.planRefusedMax),
    fatal: createLruCache(limits.planFatalMax),
    isUp: false,
    isClosed: false,
  };
  watchStart(pool);
  const ready = pool.quick.planner?.ready ?? Promise.reject(closedError());
  return {
    ready,
    plan: (key, message) => enqueue(pool, key, message),
    isUp: () => isUp(pool),
    waiting: () => pool.queue.length + pool.dearQueue.length,
    close: () => close(pool),
  };
}

function isUp(pool: Pool): boolean {
  const { planner } = pool.quick;
  // A lane without a process is no failure: an operation that turned out to be dear took it along.
  if (pool.isClosed || planner === undefined || planner.isAlive) return pool.isUp;
  pool.isUp = false;
  pool.quick.planner = pool.spares.start(pool.data, pool.limits);
  watchStart(pool);
  return false;
}

function watchStart(pool: Pool): void {
  const { planner } = pool.quick;
  const up = () => {
    pool.isUp = true;
    if (pool.quick.planner === planner) endWhenIdle(pool, pool.quick);
  };
  // Why it does not start, whoever asked for it is told.
  planner?.ready.then(up, () => undefined);
}

async function enqueue(pool: Pool, key: string, message: PlanMessage): Promise<Plan> {
  if (pool.isClosed) throw closedError();
  const { planQueueMax, planWaitMs } = pool.limits;
  const refusal = pool.refused.get(key);
  if (refusal !== undefined && refusal.untilMs > performance.now()) throw refusal.error;
  if (pool.queue.length >= planQueueMax) throw queueFull('planQueueMax', planQueueMax);
  const isFatal = pool.fatal.get(key) === true;
  if (isFatal && message.avoid === 'apollo') throw noPlannerLeft();
  const job: Job = {
    key,
    message: isFatal ? { ...message, avoid: 'hive' } : message,
    done: Promise.withResolvers<Plan>(),
    timer: setTimeout(() => settle(job, (done) => done.reject(tooLate(planWaitMs))), planWaitMs),
    isSettled: false,
  };
  pool.queue.push(job);
  runNext(pool);
  return job.done.promise;
}

function settle(job: Job, how: (done: PromiseWithResolvers<Plan>) => void): void {
  if (job.isSettled) return;
  job.isSettled = true;
  clearTimeout(job.timer);
  how(job.done);
}

function runNext(pool: Pool): void {
  if (pool.isClosed) return;
  const { planSliceMs, planTimeoutMs } = pool.limits;
  if (pool.dear.job === undefined) {
    const dear = takeWaiting(pool.dearQueue);
    if (dear !== undefined) run(pool, pool.dear, dear, planTimeoutMs, () => refuseDear(pool));
  }
  if (pool.quick.job === undefined) {
    const job = takeWaiting(pool.queue);
    if (job !== undefined) run(pool, pool.quick, job, planSliceMs, () => moveApart(pool));
  }
}

/** The next that still waits for an answer. */
function takeWaiting(queue: Job[]): Job | undefined {
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) if (!job.isSettled) return job;
  return undefined;
}

function run(pool: Pool, lane: Lane, job: Job, timeoutMs: number, onTimeout: () => void): void {
  lane.job = job;
  clearTimeout(lane.timer);
  if (lane.planner?.isAlive !== true) lane.planner = pool.spares.start(pool.data, pool.limits);
  const { planner } = lane;
  const bound = (isLoading: boolean) => {
    // The pool may have been closed meanwhile, or the lanes have changed places.
    if (lane.job !== job || lane.planner !== planner) return;
    clearTimeout(lane.timer);
    lane.timer = setTimeout(onTimeout, isLoading ? pool.limits.planStartTimeoutMs : timeoutMs);
  };
  void planner.ready
    .then(() => {
      bound(false);
      return planner.plan(job.message, bound);
    })
    .then(
      (plan) => settle(job, (done) => done.resolve(plan)),
      (thrown: unknown) => fail(pool, job, planner, thrown),
    )
    .finally(() => finish(pool, planner, job));
}

function fail(pool: Pool, job: Job, planner: PlannerProcess, thrown: unknown): void {
  const error = HubError.from(thrown);
  if (planner.hasDied && avoidNative(pool, job, planner)) {
    pool.queue.unshift(job);
    return;
  }
  // Cut off to wait in the other queue.
  if (error.code === 'CANCELLED' && !pool.isClosed) return;
  if (error.code === 'LIMIT_EXCEEDED') remember(pool, job, error);
  settle(job, (done) => done.reject(error));
}

/** Whether the operation is left to the other planner, since the native one does not come back from it. */
function avoidNative(pool: Pool, job: Job, planner: PlannerProcess): boolean {
  if (planner.begun !== 'hive' || job.isSettled) return false;
  pool.fatal.set(job.key, true);
  if (job.message.avoid !== undefined) return false;
  job.message = { ...job.message, avoid: 'hive' };
  return true;
}

/** The lane that now holds the process is free, if it still does this job. */
function finish(pool: Pool, planner: PlannerProcess, job: Job): void {
  for (const lane of [pool.quick, pool.dear]) {
    if (lane.planner !== planner || lane.job !== job) continue;
    clearTimeout(lane.timer);
    lane.job = undefined;
    endWhenIdle(pool, lane);
  }
  runNext(pool);
}

/** The next operation finds a process or starts one. */
function endWhenIdle(pool: Pool, lane: Lane): void {
  const { planner } = lane;
  if (planner === undefined || lane.job !== undefined) return;
  const { planIdleMs, planIdleStarts } = pool.limits;
  clearTimeout(lane.timer);
  const end = () => {
    planner.end();
    lane.planner = undefined;
  };
  lane.timer = setTimeout(end, Math.max(planIdleMs, planIdleStarts * planner.startMs));
  lane.timer.unref();
}

/** The quick lane's operation is dear: the lanes change places, or, where a dear one runs already, it waits for that lane. */
function moveApart(pool: Pool): void {
  const { planTimeoutMs, planSliceMs, planDearQueueMax } = pool.limits;
  const { job, planner } = pool.quick;
  if (job === undefined) return;
  if (pool.dear.job === undefined) {
    clearTimeout(pool.dear.timer);
    [pool.quick, pool.dear] = [pool.dear, pool.quick];
    pool.dear.timer = setTimeout(() => refuseDear(pool), planTimeoutMs - planSliceMs);
    endWhenIdle(pool, pool.quick);
    runNext(pool);
    return;
  }
  pool.quick.job = undefined;
  pool.quick.planner = undefined;
  planner?.end();
  if (pool.dearQueue.length < planDearQueueMax) pool.dearQueue.push(job);
  else settle(job, (done) => done.reject(queueFull('planDearQueueMax', planDearQueueMax)));
  runNext(pool);
}

function refuseDear(pool: Pool): void {
  const { job, planner } = pool.dear;
  if (job === undefined || planner === undefined) return;
  pool.dear.job = undefined;
  pool.dear.planner = undefined;
  planner.end();
  if (avoidNative(pool, job, planner)) pool.dearQueue.unshift(job);
  else refuse(pool, job);
  runNext(pool);
}

function refuse(pool: Pool, job: Job): void {
  const error = new HubError(
    'DEADLINE_EXCEEDED',
    `To plan this operation takes longer than ${pool.limits.planTimeoutMs} ms: ask for less at once.`,
    { retryable: false, details: { limit: 'planTimeoutMs', max: pool.limits.planTimeoutMs } },
  );
  remember(pool, job, error);
  settle(job, (done) => done.reject(error));
}

function remember(pool: Pool, job: Job, error: HubError): void {
  pool.refused.set(job.key, { untilMs: performance.now() + pool.limits.planRefusedMs, error });
}

function close(pool: Pool): void {
  pool.isClosed = true;
  const running = [pool.quick.job, pool.dear.job].filter((job) => job !== undefined);
  for (const job of [...running, ...pool.queue.splice(0), ...pool.dearQueue.splice(0)])
    settle(job, (done) => done.reject(closedError()));
  for (const lane of [pool.quick, pool.dear]) {
    clearTimeout(lane.timer);
    // One that has a job may be about to be asked for its plan.
    if (lane.job !== undefined) lane.planner?.end();
    else if (lane.planner !== undefined) pool.spares.giveBack(lane.planner);
    lane.planner = undefined;
    lane.job = undefined;
  }
}

function closedError(): HubError {
  return new HubError('CANCELLED', 'The gateway is closing.', { retryable: true });
}

function noPlannerLeft(): HubError {
  return new HubError('INTERNAL_SERVER_ERROR', 'The operation could not be planned.', {
    cause: 'the native planner does not come back from this operation, and the other plans it wrong',
  });
}

function tooLate(planWaitMs: number): HubError {
  return new HubError('DEADLINE_EXCEEDED', `The operation was not planned within ${planWaitMs} ms.`, {
    details: { limit: 'planWaitMs', max: planWaitMs },
  });
}

function queueFull(limit: keyof PlanLimits, max: number): HubError {
  return new HubError('LIMIT_EXCEEDED', `More than ${max} operations wait to be planned.`, {
    retryable: true,
    details: { limit, max },
  });
}
