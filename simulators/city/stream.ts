// A seeded, plausible stream of city life: orders, police cases, grid events, patrols, and how they move on.
import type { Grid } from '../grid/server.ts';
import type { Hotline } from '../hotline/server.ts';
import type { Police } from '../police/server.ts';
import { type Community, readCommunities } from './divisions.ts';
import { createRandom, drawScene, pick, type Scene } from './scene.ts';

export interface DemoOptions {
  /** Orders a minute. */
  readonly ratePerMinute: number;
  readonly seed: number;
  readonly hotline?: Hotline;
  readonly grid?: Grid;
  readonly police?: Police;
}

export interface DemoStream {
  /** No more is begun; resolves when what was begun is done. */
  close(): Promise<void>;
}

const GRID_EVENT_SHARE = 0.35;
const PATROL_SHARE = 0.3;
const POLICE_SHARE = 0.5;
/** Things that move on by themselves; the oldest is forgotten when there are more. */
const MOVING_MAX = 200;
const STEPS_PER_TURN = 2;

const ORDER_STATES = ['20', '30', '40', '50'];
const EVENT_STATES = ['2', '3'];
const CASE_STATES = ['1', '2', '3'];

export function startDemoStream(options: DemoOptions): DemoStream {
  const city = new City(options, readCommunities());
  const random = createRandom(options.seed + 1);
  let timer: NodeJS.Timeout | undefined;
  let turn = Promise.resolve();
  let isClosed = false;
  const schedule = () => {
    const waitMs = (60_000 / options.ratePerMinute) * (0.5 + random());
    timer = setTimeout(() => {
      turn = city.liveOn().then(() => {
        if (!isClosed) schedule();
      });
    }, waitMs);
  };
  schedule();
  const close = async () => {
    isClosed = true;
    clearTimeout(timer);
    await turn;
  };
  return { close };
}

/** One thing that goes through its states. */
interface Moving {
  readonly states: string[];
  move(state: string): unknown;
}

class City {
  readonly #options: DemoOptions;
  readonly #communities: readonly Community[];
  readonly #random: () => number;
  readonly #moving: Moving[] = [];
  /** Each start tells new stories: what was told before is in the systems' books. */
  readonly #prefix = `demo-${Date.now()}`;
  #told = 0;

  constructor(options: DemoOptions, communities: readonly Community[]) {
    this.#options = options;
    this.#communities = communities;
    this.#random = createRandom(options.seed);
  }

  async liveOn(): Promise<void> {
    try {
      this.#callHotline(drawScene(this.#random, this.#communities));
      if (this.#random() < GRID_EVENT_SHARE)
        await this.#reportEvent(drawScene(this.#random, this.#communities));
      if (this.#random() < PATROL_SHARE) await this.#patrol(drawScene(this.#random, this.#communities));
      for (let step = 0; step < STEPS_PER_TURN; step += 1) await this.#moveOne();
    } catch (thrown) {
      // A system in trouble (a fault switch, a full disk) must not end the city.
      process.stderr.write(`simulators: the demo stream missed a turn: ${String(thrown)}\n`);
    }
  }

  #callHotline(scene: Scene): void {
    const { hotline } = this.#options;
    if (hotline === undefined) return;
    const externalRef = this.#nextRef();
    const created = hotline.createOrders([
      {
        externalRef,
        subject: scene.subject,
        content: scene.content,
        kind: pick(this.#random, ['2', '2', '3', '3', '3', '4', '1', '5']),
        areaCode: scene.community.code,
        address: scene.address,
        gridNo: scene.gridCode,
        receiptNo: this.#callPolice(scene, externalRef),
        itemCode: scene.matter.code,
        source: pick(this.#random, ['PHONE', 'PHONE', 'PHONE', 'APP', 'WX', 'WX', 'WB', 'WEB']),
      },
    ]);
    const orderNo = created[0]?.orderNo;
    if (orderNo === undefined) return;
    this.#letMove(ORDER_STATES, (state) => hotline.changeState(orderNo, state));
  }

  /** The number of the receipt that the police gave, when they were called first. */
  #callPolice(scene: Scene, externalRef: string): string | null {
    const { police } = this.#options;
    const category = scene.matter.policeCategory;
    if (police === undefined || category === undefined || this.#random() > POLICE_SHARE) return null;
    const unit = `${scene.community.street.replace(/街道$/, '')}派出所`;
    const receiptNo = police.createCases([{ externalRef, category, place: scene.address, unit }])[0]
      ?.receiptNo;
    if (receiptNo === undefined) return null;
    this.#letMove(CASE_STATES, (state) => police.changeState(receiptNo, state));
    return receiptNo;
  }

  async #reportEvent(scene: Scene): Promise<void> {
    const { grid } = this.#options;
    if (grid === undefined) return;
    const created = await grid.reportEvents([
      {
        externalRef: this.#nextRef(),
        gridCode: scene.gridCode,
        title: scene.subject,
        description: `网格员巡查发现${scene.address}${scene.matter.name}。`,
        matter: scene.matter.code,
        address: scene.address,
      },
    ]);
    const eventNo = created[0]?.eventNo;
    if (eventNo === undefined) return;
    this.#letMove(EVENT_STATES, (state) => grid.changeState(eventNo, state));
  }

  async #patrol(scene: Scene): Promise<void> {
    const nowMs = Date.now();
    const minutes = 20 + Math.floor(this.#random() * 40);
    await this.#options.grid?.patrol(scene.gridCode, nowMs - minutes * 60_000, nowMs, minutes * 55);
  }

  #letMove(states: readonly string[], move: (state: string) => unknown): void {
    this.#moving.push({ states: [...states], move });
    if (this.#moving.length > MOVING_MAX) this.#moving.shift();
  }

  async #moveOne(): Promise<void> {
    if (this.#moving.length === 0) return;
    const moving = pick(this.#random, this.#moving);
    const state = moving.states.shift();
    if (state !== undefined) await moving.move(state);
    if (moving.states.length === 0) this.#moving.splice(this.#moving.indexOf(moving), 1);
  }

  #nextRef(): string {
    this.#told += 1;
    return `${this.#prefix}-${this.#told}`;
  }
}
