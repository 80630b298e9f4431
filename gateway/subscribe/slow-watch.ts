// Looks now and then at those whose transport is full, and cuts off who takes nothing; asleep while nobody is.
import { HubError } from '@weft/core/errors';
import type { FanOutLimits } from './limits.ts';
import type { Member } from './member.ts';
import type { Turns } from './turns.ts';

export interface SlowWatch {
  readonly members: Set<Member>;
  /** Somebody is slow. */
  start(): void;
}

/** A client is cut off at most so much later than its time-out says. */
const LOOKS_A_TIMEOUT = 8;

/** @param turns in which they are cut off: those of one socket become slow together */
export function createSlowWatch(
  { slowClientTimeoutMs }: Pick<FanOutLimits, 'slowClientTimeoutMs'>,
  turns: Turns,
): SlowWatch {
  const members = new Set<Member>();
  let timer: NodeJS.Timeout | undefined;
  const cutOffStuck = (member: Member) => {
    // Some of what waited may have left meanwhile.
    if (member.isStuck(performance.now())) void member.cutOff(tooSlow(slowClientTimeoutMs));
  };
  const look = () => {
    timer = undefined;
    const now = performance.now();
    for (const member of members) if (member.isStuck(now)) void turns.next().then(() => cutOffStuck(member));
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
