// What the stories share: one incident as people follow it live, ask for it, and find it in the evidence afterwards.
import { expect } from 'vitest';
import type { Hub } from '../support/hub.ts';
import { type Subscriber, untilLive } from '../support/live.ts';
import type { Person } from '../support/people.ts';
import { waitFor } from '../support/wait.ts';

/** 姑苏区, 白洋湾街道 in it, and 路南社区 in that. */
export const COUNTY = '320508';
export const TOWN = '320508017';
export const COMMUNITY = '320508017003';

/** For what other systems must do first: slow ones, over networks, on a busy machine. */
const SEEN_MS_MAX = 60_000;

const CHANGES = `subscription ($division: ID) {
  incidentChanged(division: $division) { gap { reason } change { kind to at } incident { id } }
}`;

export interface Change {
  readonly kind: string;
  readonly to: string;
  readonly at: string;
}

interface Changed {
  readonly incidentChanged: {
    readonly gap: { readonly reason: string } | null;
    readonly change: Change;
    readonly incident: { readonly id: string } | null;
  };
}

export interface Screen {
  /** Every change of an incident that this client was shown, in the order of arrival. */
  changesOf(id: string): readonly Change[];
  /** Waits until it was shown the `nth` change of a kind, counted from 1. */
  shows(id: string, kind: string, nth?: number): Promise<Change>;
  /** Waits until it was shown as many changes as there are steps; fails where they are others, or in another order. */
  showsAll(id: string, steps: readonly { readonly kind: string }[]): Promise<readonly Change[]>;
  /** Ends it; fails where an event came with an error or a gap. */
  close(): Promise<void>;
}

/** Somebody looks at all that changes in a division; resolves when it is live. */
export async function openScreen(hub: Hub, person: Person, division: string): Promise<Screen> {
  const subscriber: Subscriber<Changed> = person.follow<Changed>(CHANGES, { division });
  await untilLive(hub, subscriber, COMMUNITY);
  const changesOf = (id: string) =>
    subscriber.arrivals
      .flatMap(({ answer }) => answer.data?.incidentChanged ?? [])
      .filter(({ incident }) => incident?.id === id)
      .map(({ change }) => change);
  return {
    changesOf,
    shows: (id, kind, nth = 1) =>
      waitFor(
        `${kind} on the screen of ${division}`,
        () => changesOf(id).filter((change) => change.kind === kind)[nth - 1],
        SEEN_MS_MAX,
      ),
    async showsAll(id, steps) {
      await waitFor(
        `${steps.length} changes on the screen of ${division}`,
        () => changesOf(id).length >= steps.length,
        SEEN_MS_MAX,
      );
      expect(changesOf(id).map(({ kind }) => kind)).toEqual(steps.map(({ kind }) => kind));
      return changesOf(id);
    },
    async close() {
      await subscriber.end();
      for (const { answer } of subscriber.arrivals) {
        expect(answer.errors).toBeUndefined();
        expect(answer.data?.incidentChanged.gap).toBeNull();
      }
    },
  };
}

/** Without what became of the dispatches: a delivery may be told as waiting before it is told as done. */
export function kindsOf(changes: readonly { readonly kind: string }[]): readonly string[] {
  return changes.map(({ kind }) => kind).filter((kind) => kind !== 'DELIVERY');
}

/** The id of the incident that a number of an old system has become. */
export function incidentOf(person: Person, kind: string, number: string): Promise<string> {
  return waitFor(`the incident of ${kind} ${number}`, async () => {
    const { incidentByExternalNumber: found } = await person.get<{
      incidentByExternalNumber: { id: string } | null;
    }>(
      'query ($kind: String!, $number: ID!) { incidentByExternalNumber(kind: $kind, number: $number) { id } }',
      {
        kind,
        number,
      },
    );
    return found?.id;
  });
}

/** The number under which a department's system has taken an attempt, when it has. */
export function numberOfAttempt(person: Person, id: string, attempt: number): Promise<string> {
  return waitFor(
    `the department's number of attempt ${attempt}`,
    async () => {
      const { incident } = await person.get<{
        incident: { attempts: { number: number; externalNumber: { number: string } | null }[] };
      }>('query ($id: ID!) { incident(id: $id) { attempts { number externalNumber { number } } } }', { id });
      return incident.attempts.find(({ number }) => number === attempt)?.externalNumber?.number;
    },
    SEEN_MS_MAX,
  );
}

export interface EvidenceEntry {
  readonly action: string;
  readonly system: string;
  readonly reason: string | null;
  readonly actor: { readonly kind: string; readonly id: string | null };
  readonly authority: {
    readonly role: string | null;
    readonly place: string | null;
    readonly rule: string | null;
  };
  readonly details: readonly { readonly name: string; readonly value: string }[];
}

/** The chain of an incident as an auditor reads it; fails where it does not hold, or is not step for step what was shown. */
export async function evidenceOf(
  auditor: Person,
  id: string,
  shown: readonly Change[],
): Promise<readonly EvidenceEntry[]> {
  const { trace } = await auditor.get<{
    trace: { verifies: boolean; findings: unknown[]; entries: EvidenceEntry[] };
  }>(
    `query ($id: ID!) { trace(incident: $id) { verifies findings { where problem } entries {
      action system reason actor { kind id } authority { role place rule } details { name value } } } }`,
    { id },
  );
  expect(trace).toMatchObject({ verifies: true, findings: [] });
  expect(trace.entries.map(({ action }) => action)).toEqual(shown.map(({ kind }) => kind));
  return trace.entries;
}
