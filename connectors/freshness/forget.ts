// A change that comes in drops what was known of its record, before anybody is told of the change.
import type { Logger } from '@weft/core/logger';
import type { EventAppender } from '@weft/events/event-log';
import type { RunningSystem } from '../load/system.ts';
import { callsGroup, type FreshAnswers, recordGroup, sourceGroup } from './fresh-answers.ts';

const SYSTEM_SOURCE = /^\/systems\/(.+)$/;

/** The old system has the change already: whoever asks it after the drop gets what is new, whether or not the append is committed. */
export function forgettingAppender(
  appender: EventAppender,
  systems: readonly RunningSystem[],
  answers: FreshAnswers,
): EventAppender {
  const lives = new Map(systems.map((system) => [system.plan.name, longestLifeMs(system)]));
  return {
    ...appender,
    async append(transaction, topic, events) {
      const groups: string[] = [];
      let lifeMs = 0;
      for (const { source, partitionkey } of events) {
        const system = SYSTEM_SOURCE.exec(source)?.[1];
        const life = system === undefined ? 0 : (lives.get(system) ?? 0);
        if (system === undefined || life === 0 || partitionkey === undefined) continue;
        groups.push(recordGroup(system, topic, partitionkey));
        lifeMs = Math.max(lifeMs, life);
      }
      if (groups.length > 0) await answers.drop(groups, lifeMs);
      return appender.append(transaction, topic, events);
    },
  };
}

/**
 * After a write that succeeded: what calls of the source brought is dropped, and the records that the write names; where it
 * names none, all that the source brought.
 * @param keys of records of `type`
 */
export async function forgetWritten(
  system: RunningSystem,
  source: string,
  type: string,
  keys: readonly string[],
): Promise<void> {
  const lifeMs = longestLifeMs(system);
  if (lifeMs === 0) return;
  const { name } = system.plan;
  const groups =
    keys.length === 0
      ? [sourceGroup(name, source)]
      : [callsGroup(name, source), ...keys.map((key) => recordGroup(name, type, key))];
  await system.protection.answers.drop(groups, lifeMs);
}

/** As after any write that succeeded, for one that was sent as a command: its receipt names no records. Never throws. */
export async function forgetApplied(
  systems: readonly RunningSystem[],
  applied: { readonly system: string; readonly source: string; readonly field: string },
  logger: Logger,
): Promise<void> {
  const system = systems.find(({ plan }) => plan.name === applied.system);
  if (system === undefined) return;
  try {
    await forgetWritten(system, applied.source, applied.field, []);
  } catch (err) {
    // What was kept ends by its age; the write stands.
    logger.warn({ err, system: applied.system }, 'what was kept of before a write could not be dropped');
  }
}

/** Of any answer of the system that is kept; 0 when none is. */
function longestLifeMs({ plan }: RunningSystem): number {
  const all = [...plan.entities.values(), ...plan.fields.values()];
  return Math.max(
    0,
    ...all.map((each) => {
      const freshness = 'freshness' in each ? each.freshness : undefined;
      return freshness === undefined ? 0 : Math.max(freshness.maxAgeMs, freshness.staleIfErrorMs);
    }),
  );
}
