// Sends equal queries that are under way at one moment once, and gives each who asked an answer of their own.
import type { EngineLimits } from '../limits.ts';
import { decodeAnswer, type UpstreamAnswer } from './answer.ts';
import { callSystem, noteReceived, type Received } from './call.ts';
import { stoppedError } from './failures.ts';
import type { ForwardedHeaders } from './forwarded-headers.ts';
import type { SubgraphRequest } from './request.ts';
import { principalHeader } from './signing.ts';
import { Stopper } from './stopper.ts';
import type { System } from './system.ts';

export interface InFlight {
  /** Queries only. @throws HubError, as `SubgraphClient.send` tells */
  send(system: System, request: SubgraphRequest, forwarded: ForwardedHeaders): Promise<UpstreamAnswer>;
  /** What is under way ends for those who share it, and nobody joins it any more. */
  startAnew(): void;
}

interface Shared {
  readonly startedAtMs: number;
  readonly received: Promise<Received>;
  readonly controller: AbortController;
  /** Who wait for it now. */
  sharers: number;
  isAnswerTaken: boolean;
}

/** Two fetches are equal when everything that reaches the subgraph is, the authority behind it included. */
export function createInFlight(limits: EngineLimits): InFlight {
  let byKey = new Map<string, Shared>();
  return {
    async send(system, request, forwarded) {
      const { authority, principal, telling } = request.context;
      const told = system.signer === undefined ? undefined : principalHeader(principal);
      const key = JSON.stringify([system.name, authority, told, telling, forwarded, request.body]);
      const known = byKey.get(key);
      const now = performance.now();
      const isJoinable =
        known !== undefined && known.sharers > 0 && now - known.startedAtMs < limits.shareAgeMsMax;
      const shared = isJoinable ? known : start(system, request, forwarded);
      if (isJoinable) {
        system.meter?.shared(system.name);
        if (request.note !== undefined) request.note.isShared = true;
      }
      if (!isJoinable) {
        const at = byKey;
        at.set(key, shared);
        const forget = () => {
          if (at.get(key) === shared) at.delete(key);
        };
        shared.received.then(forget, forget);
      }
      return take(system, request, shared);
    },
    startAnew() {
      byKey = new Map();
    },
  };
}

/** With a signal of its own: the one who asked first may leave, and those who joined stay. */
function start(system: System, request: SubgraphRequest, forwarded: ForwardedHeaders): Shared {
  const controller = new AbortController();
  const context = { ...request.context, signal: controller.signal };
  const received = callSystem(system, { ...request, context }, forwarded, (whole) => whole);
  return { startedAtMs: performance.now(), received, controller, sharers: 0, isAnswerTaken: false };
}

async function take(system: System, request: SubgraphRequest, shared: Shared): Promise<UpstreamAnswer> {
  shared.sharers += 1;
  try {
    const received = await withinOwnTime(system, request, shared.received);
    const { status, text, answer } = received;
    noteReceived(request, received);
    if (!shared.isAnswerTaken) {
      shared.isAnswerTaken = true;
      return answer;
    }
    // The engine writes into what it is given: each gets a tree of their own, from the text.
    return decodeAnswer(system.name, status, text, system.limits, system.hidesUncoded);
  } finally {
    shared.sharers -= 1;
    if (shared.sharers === 0) shared.controller.abort();
  }
}

function withinOwnTime(
  { name, limits }: System,
  { context: { signal, deadlineAtMs } }: SubgraphRequest,
  received: Promise<Received>,
): Promise<Received> {
  const timeoutMs = Math.floor(Math.min(limits.subgraphTimeoutMs, deadlineAtMs - performance.now()));
  const end = (wasSent: boolean) =>
    stoppedError({ system: name, signal, isMutation: false, waitedMs: timeoutMs, wasSent });
  if (signal.aborted || timeoutMs <= 0) return Promise.reject(end(false));
  return new Promise<Received>((resolve, reject) => {
    const stopper = new Stopper(signal, timeoutMs);
    stopper.onStop = () => {
      stopper.free();
      reject(end(true));
    };
    const settle = <Value>(then: (value: Value) => void) => {
      return (value: Value) => {
        stopper.free();
        then(value);
      };
    };
    received.then(settle(resolve), settle(reject));
  });
}
