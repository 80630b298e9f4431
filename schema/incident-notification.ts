// What reporters are told of an incident by the system that they came by: the steps, and the arguments that a field with `@notify` may declare.

/** The topic of everything that some reporter is to be told. */
export const INCIDENT_NOTIFICATION_TOPIC = 'incident.notification';

/** The steps that reporters are told of, with what they are told. */
export const TOLD_STEPS = {
  ACCEPTED: '您反映的事项已受理',
  REJECTED: '您反映的事项不予受理',
  INVALIDATED: '您反映的事项不属受理范围',
  CLOSED: '您反映的事项已办结',
  REOPENED: '您反映的事项已重新办理',
} as const;

export type ToldStep = keyof typeof TOLD_STEPS;

/** Whether a kind of step is one of these. */
export function isToldStep(kind: string): kind is ToldStep {
  return Object.hasOwn(TOLD_STEPS, kind);
}

/**
 * By the argument's name: the GraphQL scalars that it may have, and whether its value can be null. `requestId` is the client
 * number of the telling, `number` the system's own number of the report; all others stand under their names in the data of an
 * event of the topic. The connector compiler checks the arguments of a field against this table.
 */
export const NOTIFY_ARGUMENTS = {
  incident: { types: ['ID', 'String'], nullable: false },
  number: { types: ['ID', 'String'], nullable: false },
  kind: { types: ['String'], nullable: false },
  label: { types: ['String'], nullable: false },
  text: { types: ['String'], nullable: false },
  reason: { types: ['String'], nullable: true },
  result: { types: ['String'], nullable: true },
  at: { types: ['String', 'DateTime'], nullable: false },
  requestId: { types: ['ID', 'String'], nullable: false },
} as const satisfies Record<string, { readonly types: readonly string[]; readonly nullable: boolean }>;

/** What the event of a command says of the telling that it carries out: `data.notification` in the topic `Command`. */
export interface NotifiedCommand {
  readonly incident: string;
  /** Of the step. */
  readonly sequence: number;
  /** The report, by the incident that it made. */
  readonly report: string;
  /** The system's own number of it. */
  readonly number: string;
}
