// A seeded, plausible stream of city life: orders, police cases, grid events, patrols, and how they move on.
import { type Control, openControl, type Reply, readText } from './control.ts';
import { type Community, readCommunities } from './divisions.ts';
import { createRandom, drawScene, pick, type Scene } from './scene.ts';
import { Staff, type ToldStory } from './staff.ts';

export interface DemoOptions {
  /** Orders a minute; 0 is a quiet city that only waits to be closed. */
  readonly ratePerMinute: number;
  readonly seed: number;
  /** The `/_control` URLs of the systems that there are. */
  readonly controlUrls: ControlUrls;
  /** The hub's GraphQL, for the centre's staff; without it nobody accepts or routes. */
  readonly hubUrl: string | undefined;
}

export type ControlUrls = Readonly<Record<'hotline' | 'grid' | 'police', string | undefined>>;

export interface DemoStream {
  /** No more is begun; calls in flight are cut off. Resolves when nothing goes on any more. */
  close(): Promise<void>;
}

const GRID_EVENT_SHARE = 0.35;
const PATROL_SHARE = 0.3;
const TASK_SHARE = 0.2;
const POLICE_SHARE = 0.5;
/** Things that move on by themselves; the oldest is forgotten when there are more. */
const MOVING_MAX = 200;
const STEPS_PER_TURN = 2;
const METRES_PER_MINUTE = 55;
/** From its handing out to when a task is due. */
const TASK_HOURS = 36;

const ORDER_STATES = ['20', '30', '40', '50'];
const EVENT_STATES = ['2', '3'];
const CASE_STATES = ['1', '2', '3'];

/** The longest that a timer can wait. */
const WAIT_MS_MAX = 2 ** 31 - 1;

export function startDemoStream(options: DemoOptions): DemoStream {
  const closing = new AbortController();
  const city = new City(options, readCommunities(), closing.signal);
  const random = createRandom(options.seed + 1);
  let timer: NodeJS.Timeout | undefined;
  let turn = Promise.resolve();
  const schedule = () => {
    const waitMs = (60_000 / options.ratePerMinute) * (0.5 + random());
    timer = setTimeout(
      () => {
        turn = city.liveOn().then(() => {
          if (!closing.signal.aborted) schedule();
        });
      },
      Math.min(waitMs, WAIT_MS_MAX),
    );
  };
  // The quiet city has a timer too: alone in its process it has nothing else that keeps the process alive.
  if (options.ratePerMinute > 0) schedule();
  else timer = setInterval(() => {}, WAIT_MS_MAX);
  const close = async () => {
    closing.abort();
    clearTimeout(timer);
    await turn;
  };
  return { close };
}

/** One thing that goes through its states. */
interface Moving {
  readonly states: string[];
  move(state: string): Promise<Reply>;
}

class City {
  readonly #hotline: Control;
  readonly #grid: Control;
  readonly #police: Control;
  readonly #staff: Staff;
  readonly #communities: readonly Community[];
  /** What happens does not hang on who answers: the draws of a turn are the same without a system. */
  readonly #random: () => number;
  readonly #randomMoves: () => number;
  readonly #moving: Moving[] = [];
  /** Each start tells new stories: what was told before is in the systems' books. */
  readonly #prefix = `demo-${Date.now()}`;
  #told = 0;

  constructor(options: DemoOptions, communities: readonly Community[], closing: AbortSignal) {
    const { hotline, grid, police } = options.controlUrls;
    this.#hotline = openControl({ system: 'the hotline', url: hotline, closing });
    this.#grid = openControl({ system: 'the grid platform', url: grid, closing });
    this.#police = openControl({ system: 'the police', url: police, closing });
    const hub = openControl({ system: undefined, url: options.hubUrl, closing });
    this.#staff = new Staff({ hub, random: createRandom(options.seed + 3) });
    this.#communities = communities;
    this.#random = createRandom(options.seed);
    this.#randomMoves = createRandom(options.seed + 2);
  }

  async liveOn(): Promise<void> {
    await this.#callHotline(this.#draw());
    if (this.#random() < GRID_EVENT_SHARE) await this.#reportEvent(this.#draw());
    if (this.#random() < PATROL_SHARE) await this.#patrol(this.#draw());
    if (this.#random() < TASK_SHARE) await this.#assign(this.#draw());
    for (let step = 0; step < STEPS_PER_TURN; step += 1) await this.#moveOne();
    await this.#staff.workOn();
  }

  #draw(): Scene {
    return drawScene(this.#random, this.#communities);
  }

  async #callHotline(scene: Scene): Promise<void> {
    const externalRef = this.#nextRef();
    const kind = pick(this.#random, ['2', '2', '3', '3', '3', '4', '1', '5']);
    const source = pick(this.#random, ['PHONE', 'PHONE', 'PHONE', 'APP', 'WX', 'WX', 'WB', 'WEB']);
    const receiptNo = this.#random() < POLICE_SHARE ? await this.#callPolice(scene, externalRef) : undefined;
    const made = await this.#hotline.post('/orders', {
      externalRef,
      subject: scene.subject,
      content: scene.content,
      kind,
      areaCode: scene.community.code,
      address: scene.address,
      gridNo: scene.gridCode,
      receiptNo,
      itemCode: scene.matter.code,
      source,
    });
    const orderNo = readText(made, 'orderNo');
    this.#letMove(this.#hotline, 'orders', orderNo, ORDER_STATES);
    this.#tellCentre('hotlineOrder', orderNo, scene);
  }

  /** The number of the receipt that the police gave; undefined when it is no matter of theirs, or they are away. */
  async #callPolice(scene: Scene, externalRef: string): Promise<string | undefined> {
    const category = scene.matter.policeCategory;
    if (category === undefined) return undefined;
    const unit = `${scene.community.street.replace(/街道$/, '')}派出所`;
    const made = await this.#police.post('/cases', { externalRef, category, place: scene.address, unit });
    const receiptNo = readText(made, 'receiptNo');
    this.#letMove(this.#police, 'cases', receiptNo, CASE_STATES);
    return receiptNo;
  }

  async #reportEvent(scene: Scene): Promise<void> {
    const made = await this.#grid.post('/events', {
      externalRef: this.#nextRef(),
      gridCode: scene.gridCode,
      title: scene.subject,
      description: `网格员巡查发现${scene.address}${scene.matter.name}。`,
      matter: scene.matter.code,
      address: scene.address,
    });
    const eventNo = readText(made, 'eventNo');
    this.#letMove(this.#grid, 'events', eventNo, EVENT_STATES);
    this.#tellCentre('gridEvent', eventNo, scene);
  }

  #tellCentre(kind: ToldStory['kind'], number: string | undefined, { subject, matter }: Scene): void {
    if (number !== undefined) this.#staff.hear({ kind, number, title: subject, matter });
  }

  async #patrol(scene: Scene): Promise<void> {
    const minutes = 20 + Math.floor(this.#random() * 40);
    const nowMs = Date.now();
    await this.#grid.post('/patrols', {
      gridCode: scene.gridCode,
      startedAt: new Date(nowMs - minutes * 60_000).toISOString(),
      endedAt: new Date(nowMs).toISOString(),
      metres: minutes * METRES_PER_MINUTE,
    });
  }

  /** The grid platform sends its worker to look at something by the evening after next. */
  async #assign({ gridCode, subject, address }: Scene): Promise<void> {
    const reply = await this.#grid.post('/tasks', {
      gridCode,
      kind: '3',
      title: `现场核查：${subject}`,
      content: address,
      urgency: '1',
      dueAt: new Date(Date.now() + TASK_HOURS * 3_600_000).toISOString(),
    });
    this.#letMove(this.#grid, 'tasks', readText(reply, 'taskNo'), ['1', '2']);
  }

  #letMove(control: Control, things: string, number: string | undefined, states: readonly string[]): void {
    if (number === undefined) return;
    this.#moving.push({
      states: [...states],
      move: (state) => control.post(`/${things}/${number}/state`, { state }),
    });
    if (this.#moving.length > MOVING_MAX) this.#moving.shift();
  }

  /** A thing whose system is away waits where it is; one that its system does not know any more is forgotten. */
  async #moveOne(): Promise<void> {
    if (this.#moving.length === 0) return;
    const moving = pick(this.#randomMoves, this.#moving);
    const [state] = moving.states;
    const reply = state === undefined ? undefined : await moving.move(state);
    if (reply?.kind === 'away') return;
    moving.states.shift();
    if (reply?.kind === 'refused' || moving.states.length === 0)
      this.#moving.splice(this.#moving.indexOf(moving), 1);
  }

  #nextRef(): string {
    this.#told += 1;
    return `${this.#prefix}-${this.#told}`;
  }
}
