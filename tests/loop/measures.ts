// What a run costs: processor time and memory of each process of the hub, and figures of a list of times.
import { readdirSync, readFileSync } from 'node:fs';

/** A tick of the processor times in /proc, on every Linux that Node runs on. */
const TICK_MS = 10;
const PAGE_KB = 4;

export interface Usage {
  /** In user and system mode, with that of children that have ended. */
  readonly cpuMs: number;
  readonly rssMb: number;
}

/** Of one process and all below it; zeros for one that has gone. */
export function usageOf(pid: number): Usage {
  const all = [pid, ...below(pid)].map(usageOfOne);
  return {
    cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    rssMb: Math.round(all.reduce((sum, { rssMb }) => sum + rssMb, 0)),
  };
}

/** Of one process, and of its children that have ended. */
export function usageOfOne(pid: number): Usage {
  const { own, ended, rssMb } = readStat(pid);
  return { cpuMs: own + ended, rssMb };
}

/** The same apart. */
export function readStat(pid: number): {
  readonly own: number;
  readonly ended: number;
  readonly rssMb: number;
} {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets, which may hold spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ms = (...indexes: readonly number[]) =>
      indexes.reduce((sum, index) => sum + Number(fields[index]), 0) * TICK_MS;
    return { own: ms(11, 12), ended: ms(13, 14), rssMb: (Number(fields[21]) * PAGE_KB) / 1_024 };
  } catch {
    // It has ended since it was listed.
    return { own: 0, ended: 0, rssMb: 0 };
  }
}

function below(pid: number): readonly number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '),
    );
    const own = children.filter((child) => child !== '').map(Number);
    return own.flatMap((child) => [child, ...below(child)]);
  } catch {
    return [];
  }
}

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Whole milliseconds. */
export function spreadOf(times: readonly number[]): Spread {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
