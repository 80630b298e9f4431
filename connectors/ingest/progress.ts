// Reads what a change tells of a department's work on an incident, and makes its event; pure.
import type { CloudEvent } from '@weft/events/envelope';
import {
  INCIDENT_PROGRESS_TOPIC,
  type IncidentProgress,
  PROGRESS_STATES,
} from '@weft/schema/incident-progress';
import { scalarText } from '../record-key.ts';

export { INCIDENT_PROGRESS_TOPIC };

/** Of `kind` and `number`, as external numbers have them; longer text elsewhere is cut. */
const NUMBER_LENGTH_MAX = 200;
const KIND_LENGTH_MAX = 64;
const TEXT_LENGTH_MAX = 2_000;
const RESULT_LENGTH_MAX = 20_000;
const STATES: ReadonlySet<unknown> = new Set(PROGRESS_STATES);

export type DecodedProgress =
  | { readonly kind: 'progress'; readonly data: CloudEvent['data'] }
  /** The change means nothing to the incident library. */
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly reason: string };

/** @param value what the mapping `progress` has yielded */
export function decodeProgress(value: unknown): DecodedProgress {
  if (typeof value !== 'object' || value === null) return bad('an object');
  const told = value as Readonly<Record<string, unknown>>;
  if (told.state === null || told.state === undefined) return { kind: 'none' };
  if (!STATES.has(told.state)) return bad(`state to be ${PROGRESS_STATES.join(', ')} or null`);
  const [kind, number] = [textOf(told.kind), textOf(told.number)];
  if (kind === null || kind.length > KIND_LENGTH_MAX) return bad('kind to be a text');
  if (number === null || number.length > NUMBER_LENGTH_MAX) return bad('number to be a text or a number');
  const at = typeof told.at === 'string' ? Date.parse(told.at) : Number.NaN;
  if (Number.isNaN(at)) return bad('at to be a time');
  const data = {
    kind,
    number,
    state: told.state as IncidentProgress['state'],
    at: new Date(at).toISOString(),
    reason: textOf(told.reason)?.slice(0, TEXT_LENGTH_MAX) ?? null,
    result: textOf(told.result)?.slice(0, RESULT_LENGTH_MAX) ?? null,
    by: textOf(told.by)?.slice(0, NUMBER_LENGTH_MAX) ?? null,
  } satisfies IncidentProgress;
  return { kind: 'progress', data };
}

/** Told once for each version of a record: its id has the version in it. */
export function progressEvent(changed: CloudEvent, data: CloudEvent['data']): CloudEvent {
  return { ...changed, id: `progress:${changed.id}`, type: 'dev.weft.incident.progress', data };
}

function textOf(value: unknown): string | null {
  // PostgreSQL has no text with NUL.
  const text = scalarText(value)?.replaceAll('\0', '').toWellFormed().trim();
  return text === undefined || text === '' ? null : text;
}

function bad(expected: string): { readonly kind: 'bad'; readonly reason: string } {
  return { kind: 'bad', reason: `progress: expected ${expected}` };
}
