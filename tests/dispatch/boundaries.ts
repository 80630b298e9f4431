// Every place between two steps of a dispatch, by name: of the way there, of finding out, of what comes back, and of taking back.
import type { KillPoint } from './kill-point.ts';

/**
 * How the incident goes: settled by the first department; given back by it, refused by its system, and settled by the next one;
 * merged while the first one's system is down.
 */
export type Course = 'SETTLED' | 'BROKEN_OFF' | 'RETURNED' | 'REFUSED' | 'WITHDRAWN';

export interface Boundary {
  readonly name: string;
  readonly course: Course;
  /** Which process is killed: the connector host, or that of the incident library. */
  readonly process: 'host' | 'library';
  /** By its statements, or by the department's system: when a call has come, and when its case is open. */
  readonly at: KillPoint | 'CAME' | 'OPENED';
  /** From which routing on. */
  readonly from: 'FIRST' | 'SECOND';
}

const COMMAND = 'INSERT INTO connectors.command AS';
const SENDING = { sql: 'INSERT INTO connectors.command_attempt', values: ['"SEND"'] };
const ASKING = { sql: 'INSERT INTO connectors.command_attempt', values: ['"ASK"'] };
const EVENT = 'INSERT INTO events.event';
const CHECKPOINT = 'UPDATE connectors.dispatch_checkpoint';
const STEP = 'INSERT INTO incidents.incident_step';
const NEWS = 'INSERT INTO incidents.delivery';
const PROGRESS = 'INSERT INTO incidents.progress';
const PROGRESS_DONE = 'DELETE FROM incidents.progress';
/** By a host that has what became of it. */
const moved = (to: string) => ({
  sql: `FOR UPDATE OF c)\n     UPDATE connectors.command c SET state = '${to}'`,
});

type Place = Pick<Boundary, 'name' | 'at'>;

/** Just before the commit, and just after it: of a transaction nothing else can be seen from outside. */
function around(what: string, point: Omit<KillPoint, 'moment'>): readonly Place[] {
  return [
    { name: `${what}: written`, at: { ...point, moment: 'COMMIT' } },
    { name: `${what}: committed`, at: { ...point, moment: 'COMMITTED' } },
  ];
}

function before(name: string, point: Omit<KillPoint, 'moment'>): Place {
  return { name, at: { ...point, moment: 'STATEMENT' } };
}

const of = (
  process: Boundary['process'],
  course: Course,
  places: readonly Place[],
  from: Boundary['from'] = 'FIRST',
): readonly Boundary[] => places.map((place) => ({ ...place, process, course, from }));

const stepOf = (kind: string) => [
  ...around(`what the system told of ${kind} is kept`, { sql: PROGRESS, values: [kind] }),
  ...around(`the step ${kind}`, { sql: STEP, values: [`"${kind}"`] }),
];

export const BOUNDARIES: readonly Boundary[] = [
  ...of('library', 'SETTLED', around('the routing and its event', { sql: STEP, values: ['"ROUTED"'] })),
  ...of('host', 'SETTLED', [
    before('the routing is read', { sql: COMMAND }),
    before('the command is written, its event is not', { sql: EVENT, values: ['ACCEPTED'], after: COMMAND }),
    before('the event is written, the checkpoint is not', { sql: CHECKPOINT, after: COMMAND }),
    ...around('the command, its event and the checkpoint', { sql: COMMAND }),
    ...around('the mark that it is SENT', SENDING),
    { name: 'the request is on the wire', at: 'CAME' },
    { name: 'the record is open, the answer is not sent', at: 'OPENED' },
    before('the answer is received', moved('APPLIED')),
    ...around('the outcome and its event', moved('APPLIED')),
  ]),
  ...of('host', 'BROKEN_OFF', [
    before('no answer came', moved('UNKNOWN')),
    ...around('that nobody knows the outcome', moved('UNKNOWN')),
    ...around('that it is asked about', ASKING),
    before('the record is found', moved('APPLIED')),
    ...around('that it was found', moved('APPLIED')),
  ]),
  ...of('library', 'SETTLED', [
    ...around('news of the delivery is kept', { sql: NEWS, values: ['APPLIED'] }),
    ...around('the delivery at the attempt', { sql: STEP, values: ['"DELIVERY"', '"APPLIED"'] }),
    ...stepOf('SIGNED'),
    before('the step is written, what was told is not done with', { sql: PROGRESS_DONE }),
    ...stepOf('FED_BACK'),
  ]),
  ...of('host', 'SETTLED', around('what the system pushes', { sql: EVENT, values: ['incident.progress'] })),
  ...of('library', 'RETURNED', stepOf('RETURNED')),
  ...of('host', 'REFUSED', [
    before('the refusal is received', moved('REJECTED')),
    ...around('the refusal and its event', moved('REJECTED')),
  ]),
  ...of('library', 'REFUSED', [
    ...around('news of the refusal is kept', { sql: NEWS, values: ['REJECTED'] }),
    ...around('the return for the refusal', { sql: STEP, values: ['"RETURNED"'] }),
  ]),
  ...of('library', 'RETURNED', around('the second routing', { sql: STEP, values: ['"ROUTED"'] }), 'SECOND'),
  ...of(
    'host',
    'RETURNED',
    [
      ...around('the second command', { sql: COMMAND }),
      ...around('the mark that the second is SENT', SENDING),
      { name: 'the second request is on the wire', at: 'CAME' },
      { name: 'the second record is open', at: 'OPENED' },
      before('the second answer is received', moved('APPLIED')),
      ...around('the second outcome', moved('APPLIED')),
    ],
    'SECOND',
  ),
  ...of('library', 'WITHDRAWN', around('the merging', { sql: STEP, values: ['"MERGED"'] })),
  ...of('host', 'WITHDRAWN', around('that the command is SUPERSEDED', moved('SUPERSEDED'))),
  ...of('library', 'WITHDRAWN', [
    ...around('news of that is kept', { sql: NEWS, values: ['SUPERSEDED'] }),
    ...around('that at the attempt', { sql: STEP, values: ['"DELIVERY"', '"SUPERSEDED"'] }),
  ]),
];
