// What a department's own system is told of an incident: the arguments that a field with `@dispatch` may declare.

/** The topic of every step of every incident. */
export const INCIDENT_TOPIC = 'incident';
/** The topic of every change of every command. */
export const COMMAND_TOPIC = 'Command';

/**
 * By the argument's name: the GraphQL scalars that it may have, and whether its value can be null. `requestId` is the
 * client number of the dispatch, `<incident>:<attempt>`; all others stand under their names in `data.dispatch` of an
 * incident's event. The connector compiler checks the arguments of a field against this table.
 */
export const DISPATCH_ARGUMENTS = {
  incident: { types: ['ID', 'String'], nullable: false },
  attempt: { types: ['Int'], nullable: false },
  title: { types: ['String'], nullable: false },
  description: { types: ['String'], nullable: true },
  matter: { types: ['String', 'ID'], nullable: true },
  division: { types: ['String', 'ID'], nullable: true },
  address: { types: ['String'], nullable: true },
  longitude: { types: ['Float'], nullable: true },
  latitude: { types: ['Float'], nullable: true },
  urgency: { types: ['String'], nullable: false },
  reporterKind: { types: ['String'], nullable: true },
  routedBy: { types: ['String'], nullable: false },
  handleBy: { types: ['String', 'DateTime'], nullable: false },
  requestId: { types: ['ID', 'String'], nullable: false },
} as const satisfies Record<string, { readonly types: readonly string[]; readonly nullable: boolean }>;

export type DispatchArgument = keyof typeof DISPATCH_ARGUMENTS;

/** What the event of a command says of the dispatch that it carries out: `data.dispatch` in the topic `Command`. */
export interface DispatchedCommand {
  readonly incident: string;
  readonly attempt: number;
  readonly department: string;
  /** Under which kind of external number the system's own number is kept. */
  readonly numberKind: string;
  /** The system's own number, once it is known. */
  readonly upstreamRef: string | null;
}

/** The states of a command, which are those of a delivery, with what people call them. */
export const DELIVERY_LABELS = {
  PENDING: '待送达',
  SENT: '送达中',
  APPLIED: '已送达',
  REJECTED: '对方拒收',
  UNKNOWN: '结果不明',
  DEAD: '未能送达',
  SUPERSEDED: '不再送达',
} as const;

export type DeliveryState = keyof typeof DELIVERY_LABELS;
