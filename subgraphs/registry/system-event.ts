// The event by which a system's state becomes known: what connectors and owned subgraphs tell the registry.
import type { CloudEvent } from '@weft/events/envelope';
import { z } from 'zod';
import { parseDateTime } from '../date-time.ts';

/** The topic of every change of every system's state. */
export const SYSTEM_TOPIC = 'system';

const NAME_LENGTH_MAX = 100;
const TEXT_LENGTH_MAX = 1_000;

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'expected text without NUL');
const instant = z.string().transform((value, context) => {
  const date = parseDateTime(value);
  if (date === undefined) context.addIssue('expected RFC 3339 with an offset');
  return date ?? z.NEVER;
});

const SYSTEM_EVENT_DATA = z.object({
  name: text(NAME_LENGTH_MAX).min(1),
  title: text(TEXT_LENGTH_MAX),
  kind: z.enum(['WRAPPED', 'OWNED', 'REMOTE']),
  change: z.object({
    state: z.enum(['UNKNOWN', 'UP', 'DEGRADED', 'DOWN']),
    reason: z
      .string()
      .nullish()
      .transform((value) => value?.replaceAll('\0', '').slice(0, TEXT_LENGTH_MAX) ?? null),
    at: instant,
  }),
  lastSeen: instant.nullish().transform((value) => value ?? null),
});

export type SystemReport = z.infer<typeof SYSTEM_EVENT_DATA>;

/** @returns the report, or what is wrong with it in one line */
export function decodeSystemReport(data: unknown): SystemReport | string {
  const parsed = SYSTEM_EVENT_DATA.safeParse(data);
  return parsed.success
    ? parsed.data
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** The event of an owned subgraph that tells of itself. */
export function ownedSystemEvent(
  name: string,
  title: string,
  state: 'UP' | 'DOWN',
  reason: string | null,
  at: Date,
): CloudEvent {
  return systemEvent({ name, title, kind: 'OWNED', state, reason, at, lastSeen: at });
}

/** What the registry tells of a system that its department runs: when it registered, was heard of, or left. */
export function remoteSystemEvent(told: {
  readonly name: string;
  readonly title: string;
  readonly state: 'UNKNOWN' | 'UP' | 'DOWN';
  readonly reason: string | null;
  readonly lastSeen: Date | null;
}): CloudEvent {
  return systemEvent({ ...told, kind: 'REMOTE', at: told.lastSeen ?? new Date() });
}

/** That a system begins or ends to differ from what the graph has of it: how it is stays what was last told. */
export function driftEvent(
  system: Pick<Told, 'name' | 'title' | 'reason' | 'lastSeen'> & {
    readonly kind: string;
    readonly state: string;
    readonly toldAt: Date;
  },
  at: Date,
): CloudEvent {
  const { name, toldAt } = system;
  const told = { ...system, at: toldAt } as Told;
  return { ...systemEvent(told), id: `${name}:drift:${at.toISOString()}`, time: at.toISOString() };
}

interface Told {
  readonly name: string;
  readonly title: string;
  readonly kind: 'WRAPPED' | 'OWNED' | 'REMOTE';
  readonly state: 'UNKNOWN' | 'UP' | 'DEGRADED' | 'DOWN';
  readonly reason: string | null;
  readonly at: Date;
  readonly lastSeen: Date | null;
}

function systemEvent({ name, title, kind, state, reason, at, lastSeen }: Told): CloudEvent {
  const time = at.toISOString();
  return {
    specversion: '1.0',
    id: `${name}:${state}:${time}`,
    source: `/subgraphs/${name}`,
    type: 'dev.weft.system.changed',
    subject: `System:${name}`,
    time,
    datacontenttype: 'application/json',
    partitionkey: name,
    data: {
      system: { name },
      name,
      title,
      kind,
      change: { state, reason, at: time },
      lastSeen: lastSeen?.toISOString() ?? null,
    },
  };
}
