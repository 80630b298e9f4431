// Judges a run from both sides: what the graph says of each incident, and what the old systems have in their books.
import { type BookRecord, type Books, CODES, NUMBER_KINDS } from './books.ts';
import { DEPARTMENTS, type DepartmentName, wayOf } from './ways.ts';

/** An incident as the graph shows it. */
export interface Shown {
  readonly id: string;
  readonly state: string;
  readonly externalNumbers: readonly { readonly kind: string; readonly number: string }[];
  readonly attempts: readonly {
    readonly number: number;
    readonly department: { readonly code: DepartmentName };
    readonly routedAt: string;
    readonly delivery: string | null;
    readonly deliveredAt: string | null;
    readonly outcome: string | null;
    readonly externalNumber: { readonly kind: string; readonly number: string } | null;
  }[];
  readonly steps: readonly { readonly kind: string; readonly at: string; readonly attempt: number | null }[];
  readonly problems: readonly { readonly text: string }[];
}

/** One command of a department, in the order of storing. */
export interface Queued {
  readonly system: string;
  readonly key: string;
  /** The state in which it ended. */
  readonly state: string;
  readonly storedAtMs: number;
  /** Whether the outcome of some sending was not known: it keeps no order among others. */
  readonly wasUnknown: boolean;
}

export interface Facts {
  readonly incidents: readonly Shown[];
  /** By state, as `incidentCounts` has them. */
  readonly counts: readonly { readonly state: string; readonly count: number }[];
  readonly books: Books;
  readonly told: ReadonlyMap<string, readonly string[]>;
  readonly caught: ReadonlySet<string>;
  readonly queued: readonly Queued[];
  /** When departments were down. */
  readonly outage: { readonly fromMs: number; readonly toMs: number } | undefined;
  readonly seed: number;
}

export interface Verdict {
  readonly differences: readonly string[];
  readonly incidents: number;
  readonly states: Readonly<Record<string, number>>;
  readonly attempts: number;
  readonly returned: number;
  readonly refused: number;
  readonly reworked: number;
  /** Records in each department's book. */
  readonly records: Readonly<Record<string, number>>;
  /** Commands that were stored while their department was down. */
  readonly queuedInOutage: number;
  readonly unknown: number;
}

/** How many calls to one department are under way at once: so many may overtake one. */
const SIDE_BY_SIDE: Readonly<Record<DepartmentName, number>> = {
  'urban-management': 4,
  police: 2,
  'market-supervision': 3,
  'human-resources': 4,
};

export function judge(facts: Facts): Verdict {
  const records = new Map(DEPARTMENTS.map((name) => [name, facts.books.all(name)] as const));
  const attempts = facts.incidents.flatMap(({ attempts: each }) => each);
  const inOutage = facts.queued.filter(({ storedAtMs }) => isIn(facts.outage, storedAtMs));
  return {
    differences: [
      ...compareOrders(facts),
      ...facts.incidents.flatMap((shown) => judgeIncident(shown, facts)),
      ...DEPARTMENTS.flatMap((name) => compareBook(name, records.get(name) ?? [], facts)),
      ...DEPARTMENTS.flatMap((name) => judgeOrder(name, records.get(name) ?? [], inOutage)),
    ],
    incidents: facts.incidents.length,
    states: Object.fromEntries(facts.counts.map(({ state, count }) => [state, count])),
    attempts: attempts.length,
    returned: attempts.filter(({ outcome }) => outcome === 'RETURNED').length,
    refused: attempts.filter(({ delivery }) => delivery === 'REJECTED').length,
    reworked: facts.incidents.filter(({ steps }) => steps.some(({ kind }) => kind === 'REWORKED')).length,
    records: Object.fromEntries([...records].map(([name, { length }]) => [name, length])),
    queuedInOutage: inOutage.length,
    unknown: facts.queued.filter(({ wasUnknown }) => wasUnknown).length,
  };
}

function isIn(outage: Facts['outage'], atMs: number): boolean {
  return outage !== undefined && atMs >= outage.fromMs && atMs <= outage.toMs;
}

/** Each order is one incident, and nothing else is one. */
function compareOrders({ books, incidents, counts }: Facts): readonly string[] {
  const orders = books.orders();
  const byOrder = Map.groupBy(incidents, ({ externalNumbers }) => numberOf(externalNumbers, 'hotlineOrder'));
  const known = new Set(orders.map(({ orderNo }) => orderNo));
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  return [
    ...(total === orders.length
      ? []
      : [`the graph counts ${total} incidents, the hotline ${orders.length} orders`]),
    ...orders.flatMap(({ orderNo }) => {
      const made = byOrder.get(orderNo)?.length ?? 0;
      return made === 1 ? [] : [`order ${orderNo} became ${made} incidents`];
    }),
    ...[...byOrder.keys()]
      .filter((no) => !known.has(no ?? ''))
      .map((no) => `no order ${no} is in the hotline's book`),
  ];
}

function numberOf(numbers: Shown['externalNumbers'], kind: string): string | undefined {
  return numbers.find((one) => one.kind === kind)?.number;
}

/** In one state, which its way implies; each step once; told live as it is stored. */
function judgeIncident(shown: Shown, { told, caught, seed }: Facts): readonly string[] {
  const { id, state, attempts, problems } = shown;
  const way = wayOf(id, seed);
  const kinds = shown.steps.map(({ kind }) => kind).filter((kind) => kind !== 'DELIVERY');
  const live = told.get(id) ?? [];
  const expected = new RegExp(`^${expectedSteps(shown, seed)}$`);
  const whole = caught.has(id) ? ['REPORTED', ...live.filter((kind) => kind !== 'REPORTED')] : live;
  return [
    ...(state === way.end ? [] : [`${id} is ${state}, not ${way.end}`]),
    ...(expected.test(kinds.join(' ')) ? [] : [`${id} went ${kinds.join(' ')}, expected ${expected.source}`]),
    ...(whole.join(' ') === kinds.join(' ')
      ? []
      : [`${id} was told live as ${whole.join(' ')}, is ${kinds.join(' ')}`]),
    ...attempts.flatMap(({ number, department }) =>
      department.code === way.departments[number - 1]
        ? []
        : [`${id}: attempt ${number} went to ${department.code}`],
    ),
    ...problems.map(({ text }) => `${id} has a problem: ${text}`),
  ];
}

function expectedSteps({ id, attempts }: Shown, seed: number): string {
  const { atCentre, reworks, evaluates } = wayOf(id, seed);
  if (atCentre !== 'ROUTE') return `REPORTED ACCEPTED ${atCentre === 'REJECT' ? 'REJECTED' : 'INVALIDATED'}`;
  const returned = attempts.slice(0, -1).map(() => 'ROUTED (?:SIGNED )?RETURNED ');
  const again = reworks ? 'VERIFICATION_STARTED REWORKED FED_BACK ' : '';
  const rated = evaluates ? ' EVALUATED' : '';
  return `REPORTED ACCEPTED ${returned.join('')}ROUTED SIGNED FED_BACK ${again}VERIFICATION_STARTED VERIFIED CLOSED${rated}`;
}

/** What the graph says went to a department is in its book, once, under its number and in its state; and nothing else. */
function compareBook(
  department: DepartmentName,
  records: readonly BookRecord[],
  { incidents }: Facts,
): readonly string[] {
  const byClient = Map.groupBy(records, ({ clientNo }) => clientNo);
  const sent = new Map<string, Shown['attempts'][number]>(
    incidents.flatMap(({ id, attempts }) =>
      attempts
        .filter((attempt) => attempt.department.code === department)
        .map((attempt) => [`${id}:${attempt.number}`, attempt] as const),
    ),
  );
  const codes = CODES[department];
  return [
    ...[...byClient.keys()]
      .filter((key) => !sent.has(key))
      .map((key) => `${department} has ${key}, which no attempt is`),
    ...[...sent].flatMap(([key, { delivery, outcome, externalNumber }]) => {
      const [record, ...more] = byClient.get(key) ?? [];
      if (more.length > 0) return [`${department} has ${key} ${more.length + 1} times`];
      if (delivery === 'REJECTED')
        return record === undefined ? [] : [`${department} refused ${key}, and has it`];
      if (delivery !== 'APPLIED') return [`${key} is ${delivery} at ${department}`];
      if (record === undefined) return [`${department} does not have ${key}`];
      const isSame = externalNumber?.kind === NUMBER_KINDS[department] && externalNumber.number === record.no;
      const state = outcome === 'RETURNED' ? codes.returned : codes.settled;
      return [
        ...(isSame
          ? []
          : [`${key} is ${record.no} at ${department}, and ${externalNumber?.number} in the graph`]),
        ...(record.state === state ? [] : [`${key} is ${outcome}, and ${record.state} at ${department}`]),
      ];
    }),
  ];
}

/** What waited for a department that was down stands in its book in the order of waiting, but for calls side by side. */
function judgeOrder(
  department: DepartmentName,
  records: readonly BookRecord[],
  queued: readonly Queued[],
): readonly string[] {
  const waited = queued.filter(
    ({ system, wasUnknown, state }) => system === department && !wasUnknown && state === 'APPLIED',
  );
  const place = new Map<string, number>(records.map(({ clientNo }, index) => [clientNo, index]));
  const places = waited.map(({ key }) => place.get(key) ?? -1);
  return places.flatMap((own, index) => {
    const overtakers = places.slice(index + 1).filter((other) => other < own).length;
    const key = waited[index]?.key;
    return overtakers < SIDE_BY_SIDE[department]
      ? []
      : [`${overtakers} that came later overtook ${key} at ${department}`];
  });
}
