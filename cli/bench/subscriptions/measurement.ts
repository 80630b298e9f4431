// What one measurement of one row says, and what a whole bench of subscriptions is made of.
import type { Machine } from '../machine.ts';
import type { IdleFigures } from './idle.ts';
import type { Shape } from './operations.ts';
import type { SlowFigures } from './slow.ts';

export interface LiveMeasurement {
  /** By its name in candidates.ts. */
  readonly candidate: string;
  readonly shape: Shape;
  /** From 1. */
  readonly round: number;
  /** That had to be made. */
  readonly expected: number;
  readonly delivered: number;
  /** Deliveries divided by the time from the first event to the last delivery, but no less than the time of the source. */
  readonly deliveriesPerSecond: number;
  readonly duplicates: number;
  readonly misordered: number;
  /** From the source's stamp in the event to the arrival at the client. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The same from when the event was due: a source that emits late itself hides what waits. */
  readonly dueP99Ms: number;
  /** Share of the events that their source emitted less than half an interval after the one before: where its core is busy, they queue up there. */
  readonly bunchedShare: number;
  /** Requests to subgraphs for each event; undefined where nothing is fetched. */
  readonly fetchesPerEvent: number | undefined;
  /** Share of one core that the row's processes used, 1 is a whole one. */
  readonly cpuShare: number | undefined;
  /** Of the processes beside the gateway that belong to the row, such as the relay. */
  readonly besideCpuShare: number | undefined;
  /** Share of the row's core that others used. */
  readonly foreignShare: number | undefined;
  /** Share of the other core that was in use. */
  readonly loadCoreShare: number | undefined;
  /** Of the load's process, in its core: near 1 says that the clients were the bottleneck. */
  readonly clientShare: number;
  /** Growth of RSS from before the first client to all of them subscribed, for each of them. */
  readonly kibPerConnection: number | undefined;
  /** With all clients subscribed, before the first event that counts. */
  readonly rssMiB: number | undefined;
  readonly rssPeakMiB: number | undefined;
  /** Bytes of one delivery as its client got it. */
  readonly deliveryBytes: number;
}

/** A row that could not be measured. */
export interface LiveFailure {
  readonly candidate: string;
  readonly shape: Shape;
  readonly round: number;
  readonly reason: string;
}

export interface LiveSettings {
  readonly clients: number;
  /** Of the shape `groups`. */
  readonly groups: number;
  readonly eventsPerSecond: number;
  /** Of each measurement. */
  readonly seconds: number;
  readonly rounds: number;
  readonly shapes: readonly Shape[];
  /** Whether gateway and load had a core each. */
  readonly isPinning: boolean;
}

export interface LiveResult {
  readonly machine: Machine;
  readonly settings: LiveSettings;
  readonly measurements: readonly LiveMeasurement[];
  readonly failures: readonly LiveFailure[];
  /** Undefined when it was not asked for. */
  readonly idle: IdleFigures | undefined;
  /** The same. */
  readonly slow: SlowFigures | undefined;
}
