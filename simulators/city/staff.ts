// The staff of the command centre: now and then they accept an incident that the city told, and later route it.
import type { Control } from './control.ts';
import type { Matter } from './matters.ts';

/** What the city told one of the old systems, and by which number that system knows it. */
export interface ToldStory {
  readonly kind: 'hotlineOrder' | 'gridEvent';
  readonly number: string;
  readonly title: string;
  readonly matter: Matter;
}

export interface StaffOptions {
  /** The hub's GraphQL as any client reaches it; a call posts to the path ''. */
  readonly hub: Control;
  /** Numbers from 0 up to but not 1. */
  readonly random: () => number;
  /** The least time between two steps, however lively the city is. */
  readonly everyMsMin?: number;
}

/** The share of the city's turns in which somebody at the centre does something. */
const STEP_SHARE = 0.2;
const EVERY_MS_MIN = 1_000;
/** Stories that wait for the centre; the oldest is forgotten when there are more. */
const WAITING_MAX = 200;
/** A story that the hub does not know after so many looks never arrived. */
const LOOKS_MAX = 5;
/** Who acts, as it stands in the steps of an incident. */
const SEAT = '指挥中心值班席';

const FIND = `query FindTold($kind: String!, $number: ID!) {
  incidentByExternalNumber(kind: $kind, number: $number) { id title state }
}`;
const ACCEPT = `mutation AcceptTold($id: ID!, $by: String!) {
  acceptIncident(id: $id, by: $by, remark: "情况属实，予以受理") { id state }
}`;
const ROUTE = `mutation RouteTold($id: ID!, $department: ID!, $by: String!) {
  routeIncident(id: $id, department: $department, by: $by, remark: "请核实处置") { id state }
}`;

interface Waiting {
  readonly story: ToldStory;
  looks: number;
}

interface Accepted {
  readonly id: string;
  readonly matter: Matter;
}

/** What one look at an incident said. */
type Found =
  | { readonly kind: 'away' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'incident'; readonly id: string; readonly title: string; readonly state: string };

export class Staff {
  readonly #hub: Control;
  readonly #random: () => number;
  readonly #everyMsMin: number;
  readonly #waiting: Waiting[] = [];
  readonly #accepted: Accepted[] = [];
  #notBeforeMs = 0;

  constructor(options: StaffOptions) {
    this.#hub = options.hub;
    this.#random = options.random;
    this.#everyMsMin = options.everyMsMin ?? EVERY_MS_MIN;
  }

  /** The city has told a story: sooner or later it reaches the centre. */
  hear(story: ToldStory): void {
    this.#waiting.push({ story, looks: 0 });
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
  }

  /** At most one step, and mostly none. Never rejects; a hub that is away changes nothing. */
  async workOn(): Promise<void> {
    const isTurn = this.#random() < STEP_SHARE;
    const isRoute = this.#random() < 0.5;
    if (!isTurn || performance.now() < this.#notBeforeMs) return;
    this.#notBeforeMs = performance.now() + this.#everyMsMin;
    if (isRoute && this.#accepted.length > 0) await this.#routeOldest();
    else await this.#acceptOldest();
  }

  async #acceptOldest(): Promise<void> {
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    const found = await this.#find(oldest.story);
    if (found.kind === 'away') return;
    oldest.looks += 1;
    if (found.kind === 'unknown' && oldest.looks < LOOKS_MAX) return;
    // Somebody else's incident, or one that somebody has moved already, is left alone.
    const isOurs = found.kind === 'incident' && found.title === oldest.story.title;
    if (!isOurs || found.state !== 'REPORTED') return this.#forget(oldest);
    const reply = await this.#ask(ACCEPT, { id: found.id, by: SEAT });
    if (reply === undefined) return;
    this.#forget(oldest);
    if (readObject(reply, 'acceptIncident') === undefined) return;
    this.#accepted.push({ id: found.id, matter: oldest.story.matter });
    if (this.#accepted.length > WAITING_MAX) this.#accepted.shift();
  }

  async #routeOldest(): Promise<void> {
    const [oldest] = this.#accepted;
    if (oldest === undefined) return;
    const department = departmentFor(oldest.matter);
    const reply = await this.#ask(ROUTE, { id: oldest.id, department, by: SEAT });
    if (reply !== undefined) this.#accepted.splice(this.#accepted.indexOf(oldest), 1);
  }

  async #find({ kind, number }: ToldStory): Promise<Found> {
    const data = await this.#ask(FIND, { kind, number });
    if (data === undefined) return { kind: 'away' };
    const { id, title, state } = readObject(data, 'incidentByExternalNumber') ?? {};
    return typeof id === 'string' && typeof title === 'string' && typeof state === 'string'
      ? { kind: 'incident', id, title, state }
      : { kind: 'unknown' };
  }

  /** The `data` of an answer, empty when there is none; undefined when the hub is away. */
  async #ask(query: string, variables: Readonly<Record<string, string>>): Promise<object | undefined> {
    const reply = await this.#hub.post('', { query, variables });
    if (reply.kind === 'away') return undefined;
    return reply.kind === 'done' ? (readObject(reply.body, 'data') ?? {}) : {};
  }

  #forget(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting);
    if (index !== -1) this.#waiting.splice(index, 1);
  }
}

/** The department, by the hub's code, that settles such matters; what nobody else has is the city management's. */
export function departmentFor(matter: Matter): string {
  return DEPARTMENTS[matter.code] ?? (matter.policeCategory === undefined ? 'urban-management' : 'police');
}

const DEPARTMENTS: Readonly<Record<string, string>> = {
  '01076': 'market-supervision',
  '06026': 'environment',
  '06027': 'environment',
  '08001': 'environment',
  '08004': 'environment',
  '09001': 'market-supervision',
  '09003': 'civil-affairs',
  '09012': 'work-safety',
};

function readObject(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const inner = (value as Readonly<Record<string, unknown>>)[name];
  return typeof inner === 'object' && inner !== null
    ? (inner as Readonly<Record<string, unknown>>)
    : undefined;
}
