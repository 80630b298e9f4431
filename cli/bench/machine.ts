// The machine and the versions that figures hold for.
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../checkout.ts';

export interface Machine {
  /** ISO 8601, UTC. */
  readonly measuredAt: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Packages of the gateway and of each peer: owner to package to version. */
  readonly versions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const BYTES_PER_GIB = 2 ** 30;

/** @param peers versions by peer */
export function describeMachine(peers: Readonly<Record<string, Readonly<Record<string, string>>>>): Machine {
  return {
    measuredAt: new Date().toISOString(),
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    // Not availableParallelism(): the bench has pinned itself to one of them.
    cores: cpus().length,
    memoryGiB: totalmem() / BYTES_PER_GIB,
    kernel: `${type()} ${release()}`,
    node: process.version,
    versions: { weft: gatewayDependencies(), ...peers },
  };
}

/** What the gateway's own package asks for: exact versions, our own packages aside. */
function gatewayDependencies(): Readonly<Record<string, string>> {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'gateway', 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return Object.fromEntries(Object.entries(dependencies).filter(([name]) => !name.startsWith('@weft/')));
}
