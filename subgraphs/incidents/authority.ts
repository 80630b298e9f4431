// Which role may do what to which incidents, as one table, and who may see what is confidential.
import { type Actor, ANONYMOUS_ROLE } from './actor.ts';
import { divisionOfCentre } from './centres.ts';
import type { Prisma } from './generated/client.ts';
import { type IncidentState, isIncidentState } from './labels.ts';
import { ACTION_NAMES, type Action, actionsFrom, type GuardedIncident } from './state-machine.ts';

/**
 * How far a permission reaches. ANY: every incident. SUBTREE: those whose owning centre stands in the asker's division or
 * below, and those that no centre owns. DEPARTMENT: those that are with the asker's department now. OWN: those that the
 * asker has reported.
 */
export type Reach = 'ANY' | 'SUBTREE' | 'DEPARTMENT' | 'OWN';

const CENTRE = { reach: 'SUBTREE' } as const;
const everywhere = (actions: readonly Action[], reach: Reach): Partial<Record<Action, Reach>> =>
  Object.fromEntries(actions.map((action) => [action, reach]));

const CENTRE_ACTIONS: readonly Action[] = [
  'submit',
  'accept',
  'reject',
  'markInvalid',
  'route',
  'startVerification',
  'pass',
  'rework',
  'close',
  'evaluate',
  'reopen',
  'escalate',
  'handDown',
  'grantExtension',
  'addCoHandler',
  'merge',
];
const HANDLER_ACTIONS: readonly Action[] = ['signFor', 'return', 'feedBack', 'requestExtension'];
const REPORTER_ACTIONS: readonly Action[] = ['submit', 'evaluate'];

/** Role to action to reach; what is not here is forbidden. */
export const PERMISSIONS: Readonly<Record<string, Partial<Record<Action, Reach>>>> = {
  citizen: everywhere(REPORTER_ACTIONS, 'OWN'),
  public: everywhere(REPORTER_ACTIONS, 'OWN'),
  'party-member': everywhere(REPORTER_ACTIONS, 'OWN'),
  volunteer: everywhere(REPORTER_ACTIONS, 'OWN'),
  'grid-worker': everywhere(REPORTER_ACTIONS, 'OWN'),
  'grid-head': {
    ...everywhere(
      ['submit', 'accept', 'markInvalid', 'startVerification', 'pass', 'rework', 'escalate'],
      CENTRE.reach,
    ),
    evaluate: 'OWN',
  },
  'centre-staff': everywhere([...CENTRE_ACTIONS, 'supervise'], CENTRE.reach),
  'duty-officer': everywhere([...CENTRE_ACTIONS, 'supervise'], CENTRE.reach),
  operator: {
    ...everywhere(
      ['submit', 'accept', 'route', 'startVerification', 'pass', 'rework', 'close', 'escalate', 'merge'],
      CENTRE.reach,
    ),
    ...everywhere(HANDLER_ACTIONS, 'DEPARTMENT'),
  },
  leader: everywhere(
    [
      'route',
      'reopen',
      'rework',
      'close',
      'escalate',
      'handDown',
      'grantExtension',
      'supervise',
      'addCoHandler',
    ],
    CENTRE.reach,
  ),
  'stationed-agency': {
    ...everywhere(HANDLER_ACTIONS, 'DEPARTMENT'),
    ...everywhere(REPORTER_ACTIONS, 'OWN'),
  },
  'department-handler': {
    ...everywhere(HANDLER_ACTIONS, 'DEPARTMENT'),
    ...everywhere(REPORTER_ACTIONS, 'OWN'),
  },
  auditor: {},
  // Of a demo alone: ANONYMOUS_ROLE is given to nobody elsewhere.
  anonymous: everywhere(['accept', 'route'], 'ANY'),
};

/** Who may put an incident into the library. */
export const REPORT_ROLES: ReadonlySet<string> = new Set(
  Object.keys(PERMISSIONS).filter((role) => role !== 'auditor'),
);

/** Who may send an incident to a department that has returned it. */
export const OVERRIDE_ROLES: ReadonlySet<string> = new Set(['centre-staff', 'leader']);

/** Whose office it is to see what is confidential in their subtree. */
const CONFIDENTIAL_ROLES: readonly string[] = ['centre-staff', 'duty-officer', 'leader', 'auditor'];
/** Whose office it is to read the evidence of what lies in their subtree. */
export const TRACE_ROLES: readonly string[] = ['auditor', 'leader', 'centre-staff', 'duty-officer'];
/** Whose office it is in their department. */
const HANDLER_ROLES: readonly string[] = ['department-handler', 'stationed-agency', 'operator'];

/** What of an incident decides who may do what to it. */
export interface GovernedIncident extends GuardedIncident {
  readonly state: string;
  readonly centre: string | null;
  readonly division: string | null;
  readonly department: string | null;
  readonly confidential: boolean;
  /** Keys of those who have reported it. */
  readonly reporterKeys: readonly string[];
}

/** Whether a permission of some reach takes in an incident. */
export function isWithin(reach: Reach, actor: Actor, incident: GovernedIncident): boolean {
  switch (reach) {
    case 'ANY':
      return true;
    case 'SUBTREE':
      return isInSubtree(actor, incident);
    case 'DEPARTMENT':
      return isWithDepartment(actor, incident);
    case 'OWN':
      return actor.key !== undefined && incident.reporterKeys.includes(actor.key);
    default:
      return reach satisfies never;
  }
}

function isInSubtree({ division }: Actor, { centre }: GovernedIncident): boolean {
  if (centre === null) return true;
  return division !== undefined && divisionOfCentre(centre).startsWith(division);
}

/** A handler with a division answers for that part of the territory alone. */
function isWithDepartment(actor: Actor, incident: GovernedIncident): boolean {
  if (actor.department === undefined || actor.department !== incident.department) return false;
  return actor.division === undefined || (incident.division ?? actor.division).startsWith(actor.division);
}

/** What allows somebody an action: a role, and the reach by which it takes in the incident. */
export interface Authority {
  readonly role: string;
  readonly reach: Reach;
}

/** The authority by which somebody may act; undefined when by none. A role that never may is passed over. */
export function authorityFor(
  action: Action,
  actor: Actor,
  incident: GovernedIncident,
): Authority | undefined {
  for (const role of actor.roles) {
    const reach = reachOf(role, action);
    if (reach !== undefined && isWithin(reach, actor, incident)) return { role, reach };
  }
  return undefined;
}

/** Its role alone. */
export function roleFor(action: Action, actor: Actor, incident: GovernedIncident): string | undefined {
  return authorityFor(action, actor, incident)?.role;
}

/** Whether some role of theirs has the action at all. */
export function hasAction(action: Action, actor: Actor): boolean {
  return actor.roles.some((role) => reachOf(role, action) !== undefined);
}

/** The roles of people that have an action, in whatever place: who can be asked to take it. */
export function rolesWith(action: Action): readonly string[] {
  return Object.keys(PERMISSIONS).filter(
    (role) => role !== ANONYMOUS_ROLE && reachOf(role, action) !== undefined,
  );
}

function reachOf(role: string, action: Action): Reach | undefined {
  return Object.hasOwn(PERMISSIONS, role) ? PERMISSIONS[role]?.[action] : undefined;
}

/** What the one who asks may do to an incident now, in the order of its way. */
export function availableActions(actor: Actor, incident: GovernedIncident): readonly Action[] {
  if (!isIncidentState(incident.state)) return [];
  const allowed = new Set(actionsFrom(incident.state, incident));
  return ACTION_NAMES.filter(
    (action) => allowed.has(action) && roleFor(action, actor, incident) !== undefined,
  );
}

/** Whether the one who asks may see that there is such an incident: drafts and confidential ones are not for everybody. */
export function isVisible(actor: Actor, incident: GovernedIncident): boolean {
  if (!incident.confidential && incident.state !== ('DRAFT' satisfies IncidentState)) return true;
  if (isWithin('OWN', actor, incident)) return true;
  const inOffice =
    actor.roles.some((role) => CONFIDENTIAL_ROLES.includes(role)) && actor.division !== undefined;
  if (inOffice && isInSubtree(actor, incident)) return true;
  return actor.roles.some((role) => HANDLER_ROLES.includes(role)) && isWithDepartment(actor, incident);
}

/** Whether the one who asks may read the evidence of an incident: those whose office it is, in their subtree. */
export function mayTrace(actor: Actor, incident: GovernedIncident): boolean {
  if (actor.division === undefined || !isInSubtree(actor, incident)) return false;
  return actor.roles.some((role) => TRACE_ROLES.includes(role));
}

/** What everybody may see. */
const FOR_ALL: Prisma.IncidentWhereInput = { confidential: false, state: { not: 'DRAFT' } };
const NOT_FOR_ALL: Prisma.IncidentWhereInput = { OR: [{ confidential: true }, { state: 'DRAFT' }] };

/** `isVisible` as a filter of the store. */
export function visibleFilter(actor: Actor): Prisma.IncidentWhereInput {
  const others = filtersBeyond(actor);
  return others.length === 0 ? FOR_ALL : { OR: [FOR_ALL, ...others] };
}

/** The same in parts that have no incident in common, each of which an index answers: what is counted is their sum. */
export function visibleParts(actor: Actor): readonly Prisma.IncidentWhereInput[] {
  const others = filtersBeyond(actor);
  return others.length === 0 ? [FOR_ALL] : [FOR_ALL, { AND: [NOT_FOR_ALL, { OR: [...others] }] }];
}

/** What the asker may see of what is not for everybody. */
function filtersBeyond({ key, division, department, roles }: Actor): readonly Prisma.IncidentWhereInput[] {
  const others: Prisma.IncidentWhereInput[] = [];
  if (key !== undefined) others.push({ reporters: { some: { subject: key } } });
  if (division !== undefined && roles.some((role) => CONFIDENTIAL_ROLES.includes(role)))
    others.push({ OR: [{ centre: null }, { centre: { startsWith: division } }] });
  if (department !== undefined && roles.some((role) => HANDLER_ROLES.includes(role)))
    others.push({
      department,
      ...(division === undefined ? {} : { OR: [{ division: null }, { division: { startsWith: division } }] }),
    });
  return others;
}
