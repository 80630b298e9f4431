// What one measurement of one candidate says, and what a whole bench is made of.
import type { LoadTool } from './load/run-load.ts';
import type { Machine } from './machine.ts';
import type { QueryName } from './workload/operations.ts';

export interface Measurement {
  /** By its name in candidates.ts. */
  readonly candidate: string;
  readonly query: QueryName;
  /** From 1. */
  readonly round: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the candidate's processes; undefined where the system does not tell. */
  readonly cpuMsPerRequest: number | undefined;
  /** Each process's own peak, from its start to the end of the load, summed over those that live then. */
  readonly rssPeakMiB: number | undefined;
  /** The most that its processes had together at one moment from the start on, those that have ended since among them. */
  readonly rssAtOnceMiB: number | undefined;
  /** Requests to subgraphs under load; below `fetchesAlone` where requests in flight share. */
  readonly fetchesPerRequest: number;
  /** Requests to subgraphs for one request that has the gateway for itself. */
  readonly fetchesAlone: number;
  /** Requests that the subgraphs had to execute under load: dear ones, which blur the figure when there are many. */
  readonly subgraphMisses: number;
  /** Share of its core that the candidate used, 0 to 1: near 1 says that it was the bottleneck. */
  readonly gatewayShare: number | undefined;
  /** Share of the candidate's core that others used. */
  readonly foreignShare: number | undefined;
  /** Share of the other core that was in use: near 1 says that load and subgraphs were the bottleneck. */
  readonly loadCoreShare: number | undefined;
  /** From its start to the first right answer. */
  readonly readyMs: number;
  readonly answerBytes: number;
}

/** A candidate that could not be measured. */
export interface Failure {
  readonly candidate: string;
  readonly query: QueryName;
  readonly round: number;
  readonly reason: string;
}

export interface BenchSettings {
  readonly rounds: number;
  /** Of each measurement. */
  readonly seconds: number;
  /** Of load before each measurement. */
  readonly warmUpSeconds: number;
  readonly loadTool: LoadTool;
  /** Whether gateway and load had a core each. */
  readonly isPinning: boolean;
}

export interface BenchResult {
  readonly machine: Machine;
  readonly settings: BenchSettings;
  readonly measurements: readonly Measurement[];
  readonly failures: readonly Failure[];
}

/** Above this share of its core in the hands of others a measurement says less of the candidate than of the machine. */
export const FOREIGN_SHARE_MAX = 0.05;

/** The measurements during which other processes took more than 5 % of the candidate's core. */
export function disturbedOf(measurements: readonly Measurement[]): readonly Measurement[] {
  return measurements.filter(({ foreignShare }) => (foreignShare ?? 0) > FOREIGN_SHARE_MAX);
}
