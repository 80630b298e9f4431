// What each state awaits, and of whom: the incidents that are somebody's to take on now, as a table and as filters of the store.
import type { Actor } from '../actor.ts';
import { authorityFor, type GovernedIncident, PERMISSIONS, type Reach } from '../authority.ts';
import { centreOf } from '../centres.ts';
import type { Prisma } from '../generated/client.ts';
import type { IncidentState } from '../labels.ts';
import { type Action, whyNot } from '../state-machine.ts';

/** What of an incident decides whether an action is awaited, besides its state. */
interface WaitingIncident extends GovernedIncident {
  readonly dueAt: Date | null;
  readonly supervisedAt: Date | null;
}

interface AwaitedAction {
  readonly action: Action;
  readonly states: readonly IncidentState[];
  /** By whom: the reaches of a permission that make the action a duty; that somebody may do it too is none. */
  readonly reaches: readonly Reach[];
  /** What must hold besides the state, said to the store and said of a row. */
  readonly where?: (now: Date) => Prisma.IncidentWhereInput;
  readonly holds?: (incident: WaitingIncident, now: Date) => boolean;
}

/**
 * The action that takes an incident on, in each state. Of two that one asker could do the first counts. What a role may do besides (reject,
 * escalate, merge …) does not make a task of an incident.
 */
export const AWAITED: readonly AwaitedAction[] = [
  { action: 'submit', states: ['DRAFT'], reaches: ['OWN'] },
  { action: 'accept', states: ['REPORTED'], reaches: ['SUBTREE'] },
  { action: 'route', states: ['ACCEPTED', 'RETURNED'], reaches: ['SUBTREE'] },
  { action: 'signFor', states: ['ROUTED'], reaches: ['DEPARTMENT'] },
  { action: 'feedBack', states: ['HANDLING'], reaches: ['DEPARTMENT'] },
  {
    action: 'grantExtension',
    states: ['HANDLING'],
    reaches: ['SUBTREE'],
    where: () => ({ extensionUntil: { not: null } }),
    holds: ({ extensionUntil }) => extensionUntil !== null,
  },
  { action: 'startVerification', states: ['FED_BACK'], reaches: ['SUBTREE'] },
  {
    action: 'pass',
    states: ['VERIFYING'],
    reaches: ['SUBTREE'],
    where: () => ({ verifiedAt: null }),
    holds: ({ verifiedAt }) => verifiedAt === null,
  },
  {
    action: 'close',
    states: ['VERIFYING'],
    reaches: ['SUBTREE'],
    where: () => ({ verifiedAt: { not: null } }),
    holds: ({ verifiedAt }) => verifiedAt !== null,
  },
  { action: 'evaluate', states: ['CLOSED'], reaches: ['OWN'] },
  {
    // What a department is late with is for who may press it, once.
    action: 'supervise',
    states: ['ROUTED', 'HANDLING'],
    reaches: ['SUBTREE'],
    where: (now) => ({ dueAt: { lt: now }, supervisedAt: null }),
    holds: ({ dueAt, supervisedAt }, now) => dueAt !== null && dueAt < now && supervisedAt === null,
  },
];

/** The reach by which a role has an action as a duty. */
function dutyOf(role: string, { action, reaches }: AwaitedAction): Reach | undefined {
  const reach = Object.hasOwn(PERMISSIONS, role) ? PERMISSIONS[role]?.[action] : undefined;
  return reach !== undefined && reaches.includes(reach) ? reach : undefined;
}

/**
 * The incidents that await something of the asker: one filter a reach, each answered by an index of its own; one incident may be within
 * several. Those of a centre are the ones that it owns itself: what its subtree owns is for the centres there.
 */
export function awaitedFilters(actor: Actor, now: Date): readonly Prisma.IncidentWhereInput[] {
  return REACHES.flatMap((reach) => {
    const place = placeFilter(actor, reach);
    if (place === undefined) return [];
    const awaited = AWAITED.filter((each) => actor.roles.some((role) => dutyOf(role, each) === reach));
    if (awaited.length === 0) return [];
    const ways = awaited.map(({ states, where }) => ({ state: { in: [...states] }, ...where?.(now) }));
    return [{ AND: [place, { OR: ways }] }];
  });
}

const REACHES: readonly Reach[] = ['SUBTREE', 'DEPARTMENT', 'OWN'];

function placeFilter(actor: Actor, reach: Reach): Prisma.IncidentWhereInput | undefined {
  const { key, division, department } = actor;
  switch (reach) {
    case 'ANY':
      return undefined;
    case 'SUBTREE':
      return division === undefined
        ? { centre: null }
        : { OR: [{ centre: centreOf(division) }, { centre: null }] };
    case 'DEPARTMENT':
      if (department === undefined) return undefined;
      return {
        department,
        ...(division === undefined
          ? {}
          : { OR: [{ division: null }, { division: { startsWith: division } }] }),
      };
    case 'OWN':
      return key === undefined ? undefined : { reporters: { some: { subject: key } } };
    default:
      return reach satisfies never;
  }
}

/** What is awaited of the asker; undefined when nothing is. */
export function awaitedAction(actor: Actor, incident: WaitingIncident, now: Date): Action | undefined {
  const isOwnCentre = incident.centre === null || incident.centre === centreOf(actor.division ?? null);
  return AWAITED.find((awaited) => {
    const { action, states, holds } = awaited;
    const state = incident.state as IncidentState;
    if (!states.includes(state) || holds?.(incident, now) === false) return false;
    if (whyNot(action, state, incident) !== undefined) return false;
    const duties = actor.roles.filter((role) => {
      const reach = dutyOf(role, awaited);
      return reach !== undefined && (reach !== 'SUBTREE' || isOwnCentre);
    });
    return authorityFor(action, { ...actor, roles: duties }, incident) !== undefined;
  })?.action;
}
