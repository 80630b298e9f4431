// One call of a system: its door, its breaker, its deadline, its tries, and the verdict that each of them is told.
import { HubError } from '@weft/core/errors';
import { TELL_HEADER } from '@weft/core/telling';
import type { FetchOutcome } from '../observe/meter.ts';
import type { Admitted } from './admission.ts';
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

/**
 * @param take makes of what came what the caller wants, here rather than in a promise of its own: every fetch of every request comes by
 * @throws HubError, as `SubgraphClient.send` tells
 */
export async function callSystem<Taken>(
  system: System,
  request: SubgraphRequest,
  forwarded: ForwardedHeaders,
  take: (received: Received, request: SubgraphRequest) => Taken,
): Promise<Taken> {
  const { limits, meter } = system;
  const { signal, deadlineAtMs } = request.context;
  const startedAtMs = performance.now();
  const timeoutMs = Math.floor(Math.min(limits.subgraphTimeoutMs, deadlineAtMs - startedAtMs));
  const call: Call = { system, request, forwarded, timeoutMs };
  let stopper: Stopper | undefined;
  let isInside = false;
  let outcome: FetchOutcome = 'ok';
  try {
    if (signal.aborted || timeoutMs <= 0) throw stopped(call, false);
    if (system.refusal !== undefined) throw system.refusal;
    if (!system.breaker.admits()) throw breakerOpen(system.name);
    stopper = new Stopper(signal, timeoutMs);
    const entered = system.admission.enter(stopper);
    requireAdmitted(call, typeof entered === 'string' ? entered : await entered);
    isInside = true;
    system.budget.deposit();
    // Encoded once for all that reads it: the digest of a signature, and the socket.
    const body = Buffer.from(request.body);
    const untilMs = performance.now() + timeoutMs;
    let exchanged: Exchanged;
    let tries = 0;
    do {
      exchanged = await exchange(system, headersOf(call, body, untilMs), body, stopper);
      tries += 1;
    } while (tries < TRIES_MAX && mayTryAgain(call, stopper, exchanged));
    const received = conclude(call, exchanged);
    if (exchanged.kind === 'received') exchanged.text = '';
    if (received.answer.errors.length > 0) outcome = 'errors';
    return take(received, request);
  } catch (thrown) {
    outcome = HubError.from(thrown).code;
    throw thrown;
  } finally {
    stopper?.free();
    if (isInside) system.admission.leave();
    meter?.fetched(system.name, outcome, performance.now() - startedAtMs);
  }
}

function requireAdmitted(call: Call, admitted: Admitted): void {
  const { system } = call;
  switch (admitted) {
    case 'admitted':
      return;
    case 'full':
      throw tooManyRequests(system.name, system.limits.subgraphRequestsMax);
    case 'stopped':
      throw stopped(call, false);
    default:
      admitted satisfies never;
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

/** A kept connection may be closed by a subgraph that restarts: then, and for reads only, one more try, within the budget. */
const TRIES_MAX = 2;

function mayTryAgain({ system, request }: Call, stopper: Stopper, exchanged: Exchanged): boolean {
  return !request.isMutation && !stopper.isStopped && isWorthRetry(exchanged) && system.budget.withdraw();
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

function headersOf({ system, request, forwarded }: Call, body: Buffer, untilMs: number): readonly string[] {
  const { context, note } = request;
  const own = [
    'content-type',
    REQUEST_TYPE,
    'accept',
    'application/graphql-response+json, application/json',
    'traceparent',
    traceparent(context.traceId, note?.spanId, context.watch?.marksSampled),
    'x-weft-deadline-ms',
    String(Math.max(1, Math.floor(untilMs - performance.now()))),
  ];
  if (context.telling !== undefined) own.push(TELL_HEADER, context.telling);
  const signed = system.signer === undefined ? own : own.concat(system.signer.sign(body, context.principal));
  return forwarded.length === 0 ? signed : signed.concat(forwarded);
}
