// The groups of a gateway: found by what their members have equal, opened by the first and closed after the last.
import { HubError } from '@weft/core/errors';
import type { EventLog } from '@weft/events/event-log';
import type { OperationContext, PreparedOperation } from '../engine.ts';
import type { ClientHeaders, ForwardedHeaders } from '../fetch/forwarded-headers.ts';
import type { Principal } from '../identity/principal.ts';
import { type BoundField, bindField, isPersonal, type Start } from './bound-field.ts';
import type { CursorCodec } from './cursor.ts';
import { type GroupParts, LiveGroup } from './group.ts';
import { groupKey, groupPrincipal, headersOf, sharedVariables } from './group-key.ts';
import type { LiveSources } from './live-source.ts';
import type { Member } from './member.ts';
import type { Renewals, Renewed } from './renewals.ts';
import type { TopicReaders } from './topic-reader.ts';

export interface GroupsParts extends GroupParts {
  readonly log: EventLog;
  readonly cursors: CursorCodec;
  readonly readers: TopicReaders;
  readonly renewals?: Renewals | undefined;
  readonly sources?: LiveSources | undefined;
  readonly pickHeaders: (headers: ClientHeaders | undefined) => ForwardedHeaders;
}

export interface Groups {
  /** @throws HubError when the variables do not fit, or there is nothing that could serve the field */
  enter(
    member: Member,
    start: Start,
    operation: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    context: OperationContext,
  ): void;
  count(): { readonly groups: number; readonly members: number };
}

export function createGroups(parts: GroupsParts): Groups {
  const byKey = new Map<string, LiveGroup>();
  const all = new Set<LiveGroup>();
  return {
    enter(member, start, operation, variables, context) {
      const isOwn = isPersonal(operation.eventStream);
      const principal = isOwn ? context.principal : groupPrincipal(context.principal);
      const picked = parts.pickHeaders(context.headers);
      const shared = sharedVariables(operation.eventStream ?? operation.upstream, variables);
      let key = groupKey(operation, principal.authority, shared, picked);
      const known = byKey.get(key);
      if (known !== undefined) {
        known.enter(member, start);
        return;
      }
      const stop = new AbortController();
      const { traceId } = context;
      const groupContext = { signal: stop.signal, traceId, principal, headers: headersOf(picked) };
      const running = {
        operation,
        variables,
        field: bind(parts, operation, variables, principal),
        context: groupContext,
      };
      let unwatch: (() => void) | undefined;
      const group = new LiveGroup(parts, running, () => {
        stop.abort();
        unwatch?.();
        all.delete(group);
        if (byKey.get(key) === group) byKey.delete(key);
      });
      byKey.set(key, group);
      all.add(group);
      group.enter(member, start);
      // Before the first wait: an engine that is replaced meanwhile would be closed.
      unwatch = parts.renewals?.watch(operation, principal, (renewed) => {
        renew(parts, group, renewed);
        if (renewed.errors !== undefined) return;
        // Whoever subscribes now has prepared the new operation.
        if (byKey.get(key) === group) byKey.delete(key);
        key = groupKey(renewed.operation, principal.authority, shared, picked);
        byKey.getOrInsert(key, group);
      });
      void openSource(parts, group);
    },
    count: () => {
      let members = 0;
      for (const group of all) members += group.size;
      return { groups: all.size, members };
    },
  };
}

/** @throws HubError */
function bind(
  parts: GroupsParts,
  { eventStream }: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
  principal: Principal,
): BoundField | undefined {
  if (eventStream !== undefined) return bindField(parts, eventStream, variables, principal);
  if (parts.sources === undefined)
    throw new HubError('BAD_USER_INPUT', 'expected a subscription to a field of the event log');
  return undefined;
}

/** Never rejects: what goes wrong ends the group's members. */
async function openSource(parts: GroupsParts, group: LiveGroup): Promise<void> {
  const { field, operation, variables, context } = group.running;
  try {
    if (field !== undefined) {
      group.opened({ kind: 'topic', lease: await parts.readers.acquire(field.topic) });
      return;
    }
    const source = await parts.sources?.open(operation, variables, context);
    if (source === undefined) return;
    group.opened({ kind: 'other', release: () => source.release() });
    if (group.isClosed) return;
    source.listen({ onEntry: (entry) => group.take(entry), onEnd: (error) => group.end(error) });
  } catch (thrown) {
    group.end(HubError.from(thrown));
  }
}

/** Puts the operation of the new graph in place of the old one, or ends the group after what has come. */
function renew(parts: GroupsParts, group: LiveGroup, renewed: Renewed): void {
  if (group.isClosed) return;
  if (renewed.errors !== undefined) {
    group.end(schemaReload(renewed.errors[0]?.message));
    return;
  }
  const { running } = group;
  try {
    const { operation } = renewed;
    const field = bind(parts, operation, running.variables, running.context.principal);
    // A place in one topic means nothing in another; and who stands in a group depends on whether it is one's own.
    const isMoved = isPersonal(operation.eventStream) !== isPersonal(running.operation.eventStream);
    if (isMoved || field?.topic !== running.field?.topic) {
      group.end(schemaReload('Its events have another source.'));
      return;
    }
    group.renew({ ...running, operation, field });
    if (asksOther(running.operation, operation)) void reopenSource(parts, group);
  } catch (thrown) {
    group.end(schemaReload(HubError.from(thrown).message, thrown));
  }
}

/** Whether a subgraph must be asked anew, or another one. */
function asksOther({ upstream: before }: PreparedOperation, { upstream: now }: PreparedOperation): boolean {
  return UPSTREAM_PARTS.some((part) => before?.[part] !== now?.[part]);
}

const UPSTREAM_PARTS = ['system', 'url', 'protocol', 'document', 'operationName'] as const;

/** What comes between the two sources is missed, and said to be. */
async function reopenSource(parts: GroupsParts, group: LiveGroup): Promise<void> {
  await openSource(parts, group);
  if (!group.isClosed) group.take({ kind: 'lost', reason: 'UPSTREAM_RECONNECTED' });
}

function schemaReload(reason = '', cause?: unknown): HubError {
  const message = `The graph was reloaded and does not have this subscription any more. ${reason}`.trimEnd();
  return new HubError('SUBSCRIPTION_SCHEMA_RELOAD', message, { cause });
}
