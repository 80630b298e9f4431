// Processor time and memory of a process with its children, and how busy a core is, read from Linux's /proc.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Whether this system tells any of it: Linux, its list of a thread's children included. */
export const HAS_PROC = existsSync('/proc/thread-self/children');

/** USER_HZ: the kernel's unit in /proc is fixed at 100 for user space on every platform that Node runs on. */
const TICK_MS = 10;
const NS_PER_MS = 1e6;
const KIB_PER_MIB = 1_024;
const VM_RSS = /VmRSS:\s+(\d+)/;
const VM_HWM = /VmHWM:\s+(\d+)/;

/** User and system time of the process and all its descendants that live. */
export function cpuMsOf(pid: number): number {
  return processTree(pid).reduce((sum, member) => sum + readCpuMs(member), 0);
}

/**
 * What the scheduler counted of all threads of these processes, to the nanosecond: for stretches that are short beside the
 * ticks of `cpuMsOf`. A thread that ended takes its time with it.
 * @see https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat
 */
export function preciseCpuMsOf(pids: readonly number[]): number {
  const threads = pids.flatMap((pid) => readFolder(`${pid}/task`).map((thread) => `${pid}/task/${thread}`));
  return threads.reduce(
    (sum, thread) => sum + Number.parseInt(readProc(`${thread}/schedstat`) || '0', 10) / NS_PER_MS,
    0,
  );
}

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(`/proc/${path}`);
  } catch {
    // As in `readProc`.
    return [];
  }
}

/** The most memory that was resident (VmHWM), the process and its descendants summed, in MiB. */
export function rssPeakMiBOf(pid: number): number {
  return sumOfStatus(processTree(pid), VM_HWM);
}

export interface RssWatch {
  /** The most so far, in MiB. */
  peakMiB(): number;
  close(): void;
}

const RSS_WATCH_MS = 100;

/**
 * The most memory that the process and its descendants had resident at one moment, from now on: looked at ten times a second,
 * and never less than the process itself had between two looks (VmHWM). What has ended counts for when it was there.
 */
export function watchRss(pid: number): RssWatch {
  let peakMiB = 0;
  const look = () => {
    peakMiB = Math.max(peakMiB, sumOfStatus(processTree(pid), VM_RSS));
  };
  const timer = setInterval(look, RSS_WATCH_MS);
  return {
    peakMiB() {
      look();
      return Math.max(peakMiB, sumOfStatus([pid], VM_HWM));
    },
    close: () => clearInterval(timer),
  };
}

function sumOfStatus(members: readonly number[], kibField: RegExp): number {
  return members.reduce((sum, member) => {
    const kib = kibField.exec(readProc(`${member}/status`))?.[1];
    return sum + Number(kib ?? 0) / KIB_PER_MIB;
  }, 0);
}

/** The memory that is resident now (VmRSS), the process and its descendants summed, in MiB. */
export function rssMiBOf(pid: number): number {
  return sumOfStatus(processTree(pid), VM_RSS);
}

/** File descriptors that the process itself has open. */
export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    // It may end between two looks, and then counts for nothing.
    return 0;
  }
}

/** The most descriptors that a process started here may open; NaN where the system does not tell. */
export function descriptorsMax(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readProc('self/limits'))?.[1] ?? Number.NaN);
}

/** Time in which a core ran processes or interrupts since the machine started, in ms. */
export function coreBusyMs(core: number): number {
  const line = readProc('stat')
    .split('\n')
    .find((candidate) => candidate.startsWith(`cpu${core} `));
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (line ?? '')
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}

/** The process and its descendants that live; each thread of a process has children of its own (proc_pid_task(5)). */
export function processTree(pid: number): readonly number[] {
  if (!HAS_PROC) return [];
  const tree = [pid];
  for (const member of tree) {
    for (const thread of readFolder(`${member}/task`)) {
      const children = readProc(`${member}/task/${thread}/children`).split(' ');
      tree.push(...children.filter((child) => child !== '').map(Number));
    }
  }
  return tree;
}

/** User and system time; none when it has ended. */
function readCpuMs(pid: number): number {
  const text = readProc(`${pid}/stat`);
  // The name in parentheses may hold blanks: fields are counted after it (proc_pid_stat(5)).
  const [, , , , , , , , , , , user = 0, system = 0] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(user) + Number(system)) * TICK_MS;
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    // A process may end between two looks, and then counts for nothing.
    return '';
  }
}
