// One call of a system: its door, its breaker, its deadline, its tries, and the verdict that each of them is told.
import { HubError } from '@weft/core/errors';
import { TELL_HEADER } from '@weft/core/telling';
import type { FetchOutcome } from '../observe/meter.ts';
import { decodeAnswer, type UpstreamAnswer } from './answer.ts';
import { type Exchanged, exchange } from './exchange.ts';
import { breakerOpen, isBrokenOff, networkError, stoppedError, tooManyRequests } from './failures.ts';
import type { ForwardedHeaders } from './forwarded-headers.ts';
import type { SubgraphRequest } from './request.ts';
import { REQUEST_TYPE } from './signing.ts';
import { Stopper } from './stopper.ts';
import type { System } from './system.ts';
import { traceparent } from './trace-context.ts';

export interface Received {
  readonly status: number;
  readonly text: string;
  /** Of the body as it came. */
  readonly bytes: number;
  /** Of the text; belongs to one caller. */
  readonly answer: UpstreamAnswer;
}

/** @throws HubError, as `SubgraphClient.send` tells */
export async function callSystem(
  system: System,
  request: SubgraphRequest,
  forwarded: ForwardedHeaders,
): Promise<Received> {
  const { limits, meter } = system;
  const { signal, deadlineAtMs } = request.context;
  const startedAtMs = performance.now();
  const timeoutMs = Math.floor(Math.min(limits.subgraphTimeoutMs, deadlineAtMs - startedAtMs));
  const call: Call = { system, request, forwarded, timeoutMs };
  let stopper: Stopper | undefined;
  let outcome: FetchOutcome = 'ok';
  try {
    if (signal.aborted || timeoutMs <= 0) throw stopped(call, false);
    if (!system.breaker.admits()) throw breakerOpen(system.name);
    stopper = new Stopper(signal, timeoutMs);
    const received = await callAdmitted(call, stopper);
    if (received.answer.errors.length > 0) outcome = 'errors';
    return received;
  } catch (thrown) {
    outcome = HubError.from(thrown).code;
    throw thrown;
  } finally {
    stopper?.free();
    meter?.fetched(system.name, outcome, performance.now() - startedAtMs);
  }
}

async function callAdmitted(call: Call, stopper: Stopper): Promise<Received> {
  const { system } = call;
  const entered = system.admission.enter(stopper);
  switch (typeof entered === 'string' ? entered : await entered) {
    case 'full':
      throw tooManyRequests(system.name, system.limits.subgraphRequestsMax);
    case 'stopped':
      throw stopped(call, false);
    case 'admitted':
      break;
  }
  try {
    return await tryWithinBudget(call, stopper);
  } finally {
    system.admission.leave();
  }
}

/** For whoever looks into the operation. */
export function noteReceived({ note }: SubgraphRequest, { status, bytes }: Received): void {
  if (note === undefined) return;
  note.status = status;
  note.bytes = bytes;
}

interface Call {
  readonly system: System;
  readonly request: SubgraphRequest;
  readonly forwarded: ForwardedHeaders;
  readonly timeoutMs: number;
}

const TRIES_MAX = 2;

/** A kept connection may be closed by a subgraph that restarts: then, and for reads only, one more try. */
async function tryWithinBudget(call: Call, stopper: Stopper): Promise<Received> {
  const { system, request } = call;
  const deadlineAtMs = performance.now() + call.timeoutMs;
  // Encoded once for all that reads it: the digest of a signature, and the socket.
  const body = Buffer.from(request.body);
  system.budget.deposit();
  for (let tries = 1; ; tries += 1) {
    const headers = headersOf(call, body, Math.max(1, Math.floor(deadlineAtMs - performance.now())));
    const exchanged = await exchange(system, headers, body, stopper);
    const mayRetry = tries < TRIES_MAX && !request.isMutation && !stopper.isStopped;
    if (mayRetry && isWorthRetry(exchanged) && system.budget.withdraw()) continue;
    return conclude(call, exchanged);
  }
}

function isWorthRetry(exchanged: Exchanged): boolean {
  switch (exchanged.kind) {
    case 'received':
      return exchanged.status === 503 && exchanged.mayAskAgain;
    case 'broken':
      return isBrokenOff(exchanged.cause);
    case 'refused':
    case 'stopped':
      return false;
    default:
      return exchanged satisfies never;
  }
}

/** Tells the breaker, and makes an answer or an error. A system that answers nonsense is there; it is not failing to answer. */
function conclude(call: Call, exchanged: Exchanged): Received {
  const { system, request } = call;
  switch (exchanged.kind) {
    case 'received':
      return decode(system, exchanged);
    case 'refused':
      system.breaker.recordSuccess();
      throw exchanged.error;
    case 'broken':
      system.breaker.recordFailure();
      throw networkError(system.name, request.isMutation, exchanged);
    case 'stopped':
      // A client that leaves, or an operation that left the system little time, says nothing of the system.
      if (call.timeoutMs >= system.limits.subgraphTimeoutMs && !request.context.signal.aborted)
        system.breaker.recordFailure();
      throw stopped(call, exchanged.wasSent);
    default:
      return exchanged satisfies never;
  }
}

function decode(system: System, { status, text, bytes }: Extract<Exchanged, { kind: 'received' }>): Received {
  try {
    const answer = decodeAnswer(system.name, status, text, system.limits, system.hidesUncoded);
    system.breaker.recordSuccess();
    return { status, text, bytes, answer };
  } catch (thrown) {
    if ((thrown as HubError).code === 'UPSTREAM_UNAVAILABLE') system.breaker.recordFailure();
    else system.breaker.recordSuccess();
    throw thrown;
  }
}

function stopped({ system, request, timeoutMs }: Call, wasSent: boolean): HubError {
  const { signal } = request.context;
  const { isMutation } = request;
  return stoppedError({ system: system.name, signal, isMutation, waitedMs: timeoutMs, wasSent });
}

function headersOf(
  { system, request, forwarded }: Call,
  body: Buffer,
  remainingMs: number,
): readonly string[] {
  const { context, note } = request;
  const own = [
    'content-type',
    REQUEST_TYPE,
    'accept',
    'application/graphql-response+json, application/json',
    'traceparent',
    traceparent(context.traceId, note?.spanId, context.watch?.marksSampled),
    'x-weft-deadline-ms',
    String(remainingMs),
    ...(context.telling === undefined ? [] : [TELL_HEADER, context.telling]),
  ];
  const signed = system.signer === undefined ? own : own.concat(system.signer.sign(body, context.principal));
  return forwarded.length === 0 ? signed : signed.concat(forwarded);
}
