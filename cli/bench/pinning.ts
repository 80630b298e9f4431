// Which core does what: the gateway has one for itself, load, subgraphs and the bench itself have the other.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export const GATEWAY_CORE = 0;
export const LOAD_CORE = 1;

/** Whether processes can be pinned here: `taskset` (util-linux) and two cores are needed. */
export function canPin(): boolean {
  return availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0;
}

/** Pins this process: what it starts stays on its core unless told otherwise. */
export function pinSelf(core: number): void {
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(process.pid)]);
}

/** The command line that runs `command` on one core; as it is when nothing can be pinned. */
export function pinned(command: readonly string[], core: number, isPinning: boolean): readonly string[] {
  return isPinning ? ['taskset', '--cpu-list', String(core), ...command] : command;
}
