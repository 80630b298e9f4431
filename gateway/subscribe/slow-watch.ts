// Looks now and then at those whose transport is full, and cuts off who takes nothing; asleep while nobody is.
import { HubError } from '@weft/core/errors';
import type { FanOutLimits } from './limits.ts';
import type { Member } from './member.ts';

export interface SlowWatch {
  readonly members: Set<Member>;
  /** Somebody is slow. */
  start(): void;
}

/** A client is cut off at most so much later than its time-out says. */
const LOOKS_A_TIMEOUT = 8;

export function createSlowWatch({
  slowClientTimeoutMs,
}: Pick<FanOutLimits, 'slowClientTimeoutMs'>): SlowWatch {
  const members = new Set<Member>();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    timer = undefined;
    const now = performance.now();
    for (const member of [...members])
      if (member.isStuck(now)) void member.cutOff(tooSlow(slowClientTimeoutMs));
    if (members.size > 0) start();
  };
  const start = () => {
    if (timer !== undefined) return;
    timer = setTimeout(look, Math.max(1, slowClientTimeoutMs / LOOKS_A_TIMEOUT)).unref();
  };
  return { members, start };
}

function tooSlow(max: number): HubError {
  const details = { limit: 'slowClientTimeoutMs', max };
  const message = `The client took nothing for ${max} ms: resume by the last cursor.`;
  return new HubError('LIMIT_EXCEEDED', message, { details, retryable: true });
}
