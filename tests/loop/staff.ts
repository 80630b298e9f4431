// The staff of the centre and the citizens: each change that they see live has them do what comes next, through the gateway.
import type { Hub } from '../support/hub.ts';
import { NUMBER_KINDS } from './books.ts';
import { ask, follow, type LiveChange } from './graph.ts';
import type { People } from './people.ts';
import { type DepartmentName, wayOf } from './ways.ts';

export interface Staff {
  /** Changes that nobody has got to yet. */
  waiting(): number;
  /** What was told live of each incident, in the order of telling, without deliveries. */
  readonly told: ReadonlyMap<string, readonly string[]>;
  /** Those whose report was not told live, but found. */
  readonly caught: ReadonlySet<string>;
  /** Incidents that are in the state in which their way ends. */
  ended(): number;
  /** What could not be done. */
  readonly troubles: readonly string[];
  /** How long each operation took, in milliseconds. */
  readonly operationMs: readonly number[];
  /** From a step to its telling. */
  readonly liveMs: readonly number[];
  /** When each incident was told to be reported, by the clock. */
  readonly reportedAtMs: ReadonlyMap<string, number>;
  /** Acts on what was reported before anybody followed. */
  catchUp(): Promise<void>;
  reconnections(): number;
  gaps(): number;
  close(): Promise<void>;
}

export interface StaffOptions {
  readonly hub: Hub;
  readonly people: People;
  /** Of a duty officer, and of who rates. */
  readonly token: string;
  readonly seed: number;
}

/** Operations that are under way at once. */
const DESKS = 12;

export function startStaff(options: StaffOptions): Staff {
  const { hub, token, seed } = options;
  const told = new Map<string, string[]>();
  const reportedAtMs = new Map<string, number>();
  const [operationMs, liveMs, troubles]: [number[], number[], string[]] = [[], [], []];
  const [ended, caught] = [new Set<string>(), new Set<string>()];
  const queue: (() => Promise<void>)[] = [];
  let busy = 0;
  const pump = () => {
    while (busy < DESKS) {
      const work = queue.shift();
      if (work === undefined) return;
      busy += 1;
      void work()
        .catch((thrown: unknown) => troubles.push((thrown as Error).message))
        .then(() => {
          busy -= 1;
          pump();
        });
    }
  };
  const timedAsk: Ask = async (query, variables) => {
    const startedMs = performance.now();
    const data = await ask<Record<string, unknown>>(hub, token, query, variables);
    operationMs.push(performance.now() - startedMs);
    return data;
  };
  const attempts = new Map<string, number>();
  const desk: DeskOptions = { ask: timedAsk, people: options.people, seed, attempts };
  const note = ({ id, kind, atMs, receivedAtMs }: LiveChange) => {
    if (kind === 'DELIVERY') return;
    liveMs.push(receivedAtMs - atMs);
    if (kind === 'REPORTED') reportedAtMs.set(id, receivedAtMs);
    const kinds = told.get(id) ?? [];
    told.set(id, [...kinds, kind]);
    if (isEnd(kind, wayOf(id, seed).end)) ended.add(id);
    const next = NEXT[kind];
    if (next !== undefined && !(kind === 'REPORTED' && caught.has(id)))
      act(() => next(desk, id, [...kinds, kind]));
  };
  const act = (work: () => Promise<void>) => {
    queue.push(work);
    pump();
  };
  const live = follow(hub, token, note);
  return {
    ...{ told, caught, troubles, operationMs, liveMs, reportedAtMs },
    waiting: () => queue.length + busy,
    ended: () => ended.size,
    async catchUp() {
      const data = await timedAsk('{ incidents(state: REPORTED, first: 200) { edges { node { id } } } }', {});
      const { edges } = data.incidents as { edges: readonly { node: { id: string } }[] };
      for (const { node } of edges) {
        if (told.has(node.id)) continue;
        caught.add(node.id);
        act(() => accept(desk, node.id));
      }
    },
    reconnections: live.reconnections,
    gaps: live.gaps,
    async close() {
      // What nobody has got to stays undone.
      queue.length = 0;
      await live.close();
    },
  };
}

type Ask = (query: string, variables: Readonly<Record<string, unknown>>) => Promise<Record<string, unknown>>;

interface DeskOptions {
  readonly ask: Ask;
  readonly people: People;
  readonly seed: number;
  /** How often each was routed. */
  readonly attempts: Map<string, number>;
}

const ENDS: Readonly<Record<string, string>> = {
  EVALUATED: 'EVALUATED',
  CLOSED: 'CLOSED',
  REJECTED: 'REJECTED',
  INVALIDATED: 'INVALID',
};

function isEnd(kind: string, end: string): boolean {
  return ENDS[kind] === end;
}

/** What a change has them do; what is missing is for others. */
const NEXT: Readonly<
  Record<string, (desk: DeskOptions, id: string, kinds: readonly string[]) => Promise<void>>
> = {
  REPORTED: accept,
  RETURNED: routeToNext,
  FED_BACK: verify,
  CLOSED: evaluate,
};

async function accept(desk: DeskOptions, id: string): Promise<void> {
  const { atCentre } = wayOf(id, desk.seed);
  const accepting = 'acceptIncident(id: $id, requestId: "accept") { state }';
  if (atCentre === 'ROUTE') return await route(desk, id, accepting);
  const ending = atCentre === 'REJECT' ? 'rejectIncident' : 'markIncidentInvalid';
  const query = `mutation ($id: ID!) { ${accepting} ${ending}(id: $id, requestId: "end", reason: "经核不属受理范围") { state } }`;
  await desk.ask(query, { id });
}

async function routeToNext(desk: DeskOptions, id: string): Promise<void> {
  await route(desk, id, '');
}

async function route(desk: DeskOptions, id: string, before: string): Promise<void> {
  const attempt = (desk.attempts.get(id) ?? 0) + 1;
  desk.attempts.set(id, attempt);
  const department = wayOf(id, desk.seed).departments[attempt - 1];
  if (department === undefined) throw new Error(`${id}: every department has returned it`);
  const query = `mutation ($id: ID!, $department: ID!, $requestId: ID!) {
    ${before} routeIncident(id: $id, department: $department, requestId: $requestId) { state } }`;
  await desk.ask(query, { id, department, requestId: `route-${attempt}` });
}

async function verify(desk: DeskOptions, id: string, kinds: readonly string[]): Promise<void> {
  const round = kinds.filter((kind) => kind === 'FED_BACK').length;
  const starting = `startIncidentVerification(id: $id, requestId: "verify-${round}") { state }`;
  if (wayOf(id, desk.seed).reworks && round === 1) {
    const reworking = 'reworkIncident(id: $id, requestId: "rework", reason: "现场仍有问题") { state }';
    const shown = 'attempts { number department { code } externalNumber { kind number } }';
    const data = await desk.ask(
      `mutation ($id: ID!) { ${starting} ${reworking.replace('{ state }', `{ ${shown} }`)} }`,
      { id },
    );
    const { attempts } = data.reworkIncident as { attempts: readonly ShownAttempt[] };
    const last = attempts.at(-1);
    if (last?.externalNumber?.kind !== NUMBER_KINDS[last?.department.code as DepartmentName])
      throw new Error(`${id}: attempt ${last?.number} has no number of its department`);
    return desk.people.settleAgain(last.department.code as DepartmentName, last.externalNumber.number);
  }
  const closing =
    'passIncident(id: $id, requestId: "pass") { state } closeIncident(id: $id, requestId: "close") { state }';
  await desk.ask(`mutation ($id: ID!) { ${starting} ${closing} }`, { id });
}

interface ShownAttempt {
  readonly number: number;
  readonly department: { readonly code: string };
  readonly externalNumber: { readonly kind: string; readonly number: string } | null;
}

async function evaluate(desk: DeskOptions, id: string): Promise<void> {
  if (!wayOf(id, desk.seed).evaluates) return;
  const query = 'mutation ($id: ID!) { evaluateIncident(id: $id, requestId: "rate", rating: 5) { state } }';
  await desk.ask(query, { id });
}
