// Holds back an entity fetch for a short while, so that others to its subgraph go in the same request.
import { runEntityFetches } from './entity-fetch.ts';
import type { Group } from './groups.ts';
import type { Gathering, ReadyFetch, Run } from './run.ts';

/** How long a fetch waits for the others of its group; a slow system delays another's fields by no more. */
const GATHERING_TIMEOUT_MS = 100;

/** The fetch joins its group; resolves when its answer is in place. Sent when the last member is there, or time is up. */
export function joinGroup(run: Run, group: Group, ready: ReadyFetch): Promise<void> {
  const gathering = gatheringOf(run, group);
  gathering.missing -= 1;
  gathering.ready.push(ready);
  gathering.sent ??= Promise.withResolvers();
  const { promise } = gathering.sent;
  if (gathering.missing === 0) send(run, group, gathering);
  else gathering.timer ??= setTimeout(() => send(run, group, gathering), GATHERING_TIMEOUT_MS);
  return promise;
}

/** A member that has nothing to ask makes the others wait no longer. */
export function leaveGroup(run: Run, group: Group): void {
  const gathering = gatheringOf(run, group);
  gathering.missing -= 1;
  if (gathering.missing === 0 && gathering.ready.length > 0) send(run, group, gathering);
}

/** When the operation is over, however it ended. */
export function endGatherings(run: Run): void {
  for (const gathering of run.gatherings) clearTimeout(gathering?.timer);
}

function gatheringOf(run: Run, group: Group): Gathering {
  const known = run.gatherings[group.number];
  if (known !== undefined) return known;
  const gathering: Gathering = {
    missing: group.members.length,
    ready: [],
    timer: undefined,
    sent: undefined,
  };
  run.gatherings[group.number] = gathering;
  return gathering;
}

function send(run: Run, group: Group, gathering: Gathering): void {
  const { ready, sent } = gathering;
  clearTimeout(gathering.timer);
  gathering.timer = undefined;
  gathering.ready = [];
  gathering.sent = undefined;
  runEntityFetches(run, ready, group.merged).then(sent?.resolve, sent?.reject);
}
