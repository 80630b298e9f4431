// The current state for those who begin with it: read once for all of a group who begin together, then every change after it.

import { setTimeout as pause } from 'node:timers/promises';
import { deadlineSignal } from '@weft/core/deadline';
import { HubError } from '@weft/core/errors';
import type { Position } from '@weft/events/event-log';
import type { ExecutionResult } from 'graphql';
import type { Engine } from '../engine.ts';
import { toAbortSignal } from '../stop-signal.ts';
import { type CatchUpGroup, catchUp } from './catch-up.ts';
import { snapshotPlace } from './cursor.ts';
import { type ExecutionParts, executeDescribed, type Running } from './group-execution.ts';
import type { FanOutLimits } from './limits.ts';
import type { Member } from './member.ts';
import { type GroupPayload, runsOf } from './payload.ts';
import { type SnapshotQuery, writeSnapshotQuery } from './snapshot-query.ts';

export interface SnapshotParts extends ExecutionParts {
  /** The engine of now, to read the state with. */
  readonly queries?: (() => Engine) | undefined;
  readonly limits: FanOutLimits;
}

interface SnapshotGroup extends CatchUpGroup {
  readonly running: Running;
}

type Keys = Readonly<Record<string, unknown>>;

/** One reading of the state, at a position that was taken before it. */
interface Snapshot {
  readonly position: Position;
  readonly startedAtMs: number;
  readonly keys: Promise<readonly Keys[]>;
  /** By number of the object; made when somebody comes to it. */
  readonly payloads: (Promise<GroupPayload> | undefined)[];
}

export class Snapshots {
  readonly #parts: SnapshotParts;
  readonly #group: SnapshotGroup;
  #last: Snapshot | undefined;

  constructor(parts: SnapshotParts, group: SnapshotGroup) {
    this.#parts = parts;
    this.#group = group;
  }

  /** Never rejects: what goes wrong ends the member. */
  begin(member: Member, head: Position | undefined): Promise<void> {
    return this.#begin(member, head, (position) => this.#snapshotAt(position));
  }

  /** The member is told where it stands, and nothing else. Never rejects: what goes wrong ends the member. */
  beginAtBookmark(member: Member, head: Position | undefined): Promise<void> {
    return this.#begin(member, head, (position) => ({
      position,
      startedAtMs: performance.now(),
      keys: Promise.resolve([{}]),
      payloads: [],
    }));
  }

  async #begin(
    member: Member,
    head: Position | undefined,
    snapshotAt: (head: Position) => Snapshot,
  ): Promise<void> {
    const beginning = member.beginAnew();
    const isWanted = () => member.beginning === beginning;
    member.isInSnapshot = true;
    try {
      if (head === undefined) throw new HubError('BAD_USER_INPUT', 'The field has no state to begin with.');
      const snapshot = snapshotAt(head);
      const keys = await snapshot.keys;
      const { eventsAtOnceMax, writtenTogetherCharsMax } = this.#parts.limits;
      for (let index = 0; index < keys.length && isWanted(); index += eventsAtOnceMax) {
        const payloads = await this.#payloadsOf(snapshot, keys, index);
        for (const run of runsOf(payloads, writtenTogetherCharsMax)) {
          if (!isWanted()) return;
          member.offer(run);
          await member.untilDrained();
        }
        await this.#group.nextTurn();
      }
      if (!isWanted()) return;
      member.isInSnapshot = false;
      await catchUp(this.#group, member, snapshot.position);
    } catch (thrown) {
      if (isWanted()) member.end(HubError.from(thrown));
    }
  }

  #snapshotAt(head: Position): Snapshot {
    const now = performance.now();
    const last = this.#last;
    if (last !== undefined && now - last.startedAtMs < this.#parts.limits.snapshotShareMs) return last;
    const keys = this.#read();
    const snapshot = { position: head, startedAtMs: now, keys, payloads: [] };
    this.#last = snapshot;
    const forget = () => {
      if (this.#last === snapshot) this.#last = undefined;
    };
    keys.catch(forget);
    // Not longer than others may share it: its payloads are many.
    void pause(this.#parts.limits.snapshotShareMs, undefined, { ref: false }).then(forget);
    return snapshot;
  }

  /** Executed together, so that entities of neighbouring objects are fetched together. */
  #payloadsOf(snapshot: Snapshot, keys: readonly Keys[], from: number): Promise<readonly GroupPayload[]> {
    const { payloads } = snapshot;
    return Promise.all(
      keys.slice(from, from + this.#parts.limits.eventsAtOnceMax).map((_keys, index) => {
        const made = payloads[from + index] ?? this.#execute(snapshot, keys, from + index);
        payloads[from + index] = made;
        return made;
      }),
    );
  }

  #execute(snapshot: Snapshot, keys: readonly Keys[], index: number): Promise<GroupPayload> {
    const { running } = this.#group;
    // Whoever comes back before the last one begins the snapshot anew.
    const place = index === keys.length - 1 ? snapshot.position : snapshotPlace(snapshot.position, index);
    const described = running.field?.describeState(keys[index] ?? {}, place);
    if (described === undefined)
      throw new HubError('BAD_USER_INPUT', 'The field has no state to begin with.');
    return executeDescribed(this.#parts, running, described);
  }

  async #read(): Promise<readonly Keys[]> {
    const { queries, limits } = this.#parts;
    const { running } = this.#group;
    const stream = running.operation.eventStream;
    const args = running.field?.args ?? {};
    if (queries === undefined || stream?.snapshot === undefined)
      throw new HubError('BAD_USER_INPUT', 'The field has no state to begin with.');
    const engine = queries();
    const query = writeSnapshotQuery(engine.schema, stream);
    requireTaken(args, query);
    const signal = deadlineSignal(limits.snapshotTimeoutMs, toAbortSignal(running.context.signal));
    const context = { ...running.context, signal };
    const prepared = await engine.prepare(query.text, undefined, context.principal);
    if ('errors' in prepared) throw notRead(prepared);
    const keys: Keys[] = [];
    for (let after: unknown = null; ; ) {
      const variables = { ...pick(args, query), weftFirst: limits.snapshotPageEntities, weftAfter: after };
      const page = pageOf(query, await engine.execute(prepared, variables, context));
      keys.push(...page.keys);
      if (keys.length > limits.snapshotEntitiesMax) throw tooMany(limits.snapshotEntitiesMax);
      if (page.next === undefined || page.next === after) return keys;
      after = page.next;
    }
  }
}

function pick(args: Readonly<Record<string, unknown>>, { usedArguments }: SnapshotQuery): object {
  return Object.fromEntries([...usedArguments].map((name) => [name, args[name]]));
}

/** Arguments of the live field that say where to begin, or how often. */
const OF_THE_STREAM = new Set(['after', 'from', 'intervalMs']);

/** The events would be filtered by an argument that the state is not asked with. */
function requireTaken(args: Readonly<Record<string, unknown>>, { usedArguments }: SnapshotQuery): void {
  for (const [name, value] of Object.entries(args)) {
    if (OF_THE_STREAM.has(name) || usedArguments.has(name) || value === null || value === undefined) continue;
    throw new HubError('BAD_USER_INPUT', `from: SNAPSHOT does not go with the argument ${name}.`);
  }
}

interface Page {
  readonly keys: readonly Keys[];
  /** Where the next page begins; undefined after the last. */
  readonly next: unknown;
}

function pageOf(query: SnapshotQuery, result: ExecutionResult): Page {
  const list = result.data?.[query.field];
  if (list === null || list === undefined) throw notRead(result);
  const toKeys = (nodes: unknown): readonly Keys[] =>
    (Array.isArray(nodes) ? nodes : [nodes]).flatMap((node: unknown) =>
      typeof node === 'object' && node !== null ? [{ [query.messageField]: node }] : [],
    );
  if (!query.isPaged) return { keys: toKeys(list), next: undefined };
  const connection = list as {
    readonly nodes?: unknown;
    readonly edges?: readonly ({ readonly node?: unknown } | null)[] | null;
    readonly pageInfo?: { readonly hasNextPage?: unknown; readonly endCursor?: unknown } | null;
  };
  const nodes = query.hasNodes ? connection.nodes : connection.edges?.map((edge) => edge?.node);
  const { hasNextPage, endCursor } = connection.pageInfo ?? {};
  const hasMore = hasNextPage === true && endCursor !== null && endCursor !== undefined;
  return { keys: toKeys(nodes), next: hasMore ? endCursor : undefined };
}

function notRead({ errors }: Pick<ExecutionResult, 'errors'>): HubError {
  const [error] = errors ?? [];
  const { code, system } = error?.extensions ?? {};
  const message = `The state could not be read: ${error?.message ?? 'there is none'}`;
  const known = code === 'FORBIDDEN' || code === 'UNAUTHENTICATED' ? code : 'UPSTREAM_UNAVAILABLE';
  return new HubError(known, message, { system: typeof system === 'string' ? system : undefined });
}

function tooMany(max: number): HubError {
  const details = { limit: 'snapshotEntitiesMax', max };
  return new HubError('LIMIT_EXCEEDED', `The state has more than ${max} objects: ask for a part of it.`, {
    details,
  });
}
