// The phases of a storm: everything well, one system down, Redis killed in the middle, and Redis back.
import type { BUDGETS, Load, Reload, Storm } from './storm.ts';

export interface Phase {
  readonly name: string;
  readonly reload: Reload;
  readonly loads: Readonly<Record<keyof typeof BUDGETS, Load>>;
}

export async function* runPhases(storm: Storm, dashboards: number): AsyncGenerator<Phase> {
  const phase = async (name: string, during?: () => Promise<void>): Promise<Phase> => {
    const reload = await storm.reload(dashboards, during);
    return { name, reload, loads: await storm.loads() };
  };
  await storm.loads();
  yield await phase('everything is asked for the first time');
  await storm.simulators.control('police', '/faults', 'POST', { refuse: true });
  yield await phase('the police refuse connections');
  await storm.simulators.control('police', '/faults', 'POST', { latencyMs: 25 });
  yield await phase('Redis is killed in the middle', () => storm.redis.signal('SIGKILL'));
  yield await phase('Redis is away');
  await storm.redis.restart();
  await storm.shared();
  yield await phase('Redis is back');
}

/** What may arrive within one second, however late what was sent arrives. */
export function arrivalsMax({ perSecond, burst }: (typeof BUDGETS)[keyof typeof BUDGETS]): number {
  return perSecond + burst;
}
