// The 12345 hotline: orders over REST, changes pushed by webhook, and a control for whoever plays the city.
import { join } from 'node:path';
import { readCommunities } from '../city/divisions.ts';
import { type FaultSwitches, NO_FAULTS } from '../faults.ts';
import {
  decodeJson,
  decodeList,
  json,
  startWebServer,
  type WebAnswer,
  type WebRequest,
} from '../web-server.ts';
import { type CreatedOrder, type HotlineBooks, openHotlineBooks } from './books.ts';
import { decodeNewOrder, decodeState, type OrderRow } from './order.ts';
import { answerOrders } from './orders-api.ts';
import { type Pusher, startPusher } from './pushes.ts';

export interface HotlineOptions {
  /** Where the books are kept. */
  readonly directory: string;
  readonly port: number;
  readonly appKey: string;
  /** Without it the changes stay in the queue. */
  readonly webhookUrl: string | undefined;
  readonly webhookSecret: string;
}

export interface Hotline {
  readonly url: string;
  /** Takes orders in the form of `POST /_control/orders`. */
  createOrders(orders: readonly unknown[]): readonly CreatedOrder[];
  changeState(orderNo: string, state: string): OrderRow | undefined;
  close(): Promise<void>;
}

const ORDERS_PER_POST_MAX = 1_000;
const STATE_PATH = /^\/_control\/orders\/(\w+)\/state$/;

export async function startHotline(options: HotlineOptions): Promise<Hotline> {
  const switches: FaultSwitches = { current: NO_FAULTS };
  const books = openHotlineBooks(join(options.directory, 'hotline.db'));
  const { webhookUrl, webhookSecret: secret } = options;
  const pusher =
    webhookUrl === undefined ? undefined : startPusher({ books, url: webhookUrl, secret, switches });
  const desk = openDesk(books, pusher);
  const meter = openMeter();
  const api = { books, appKey: options.appKey, communities: readCommunities() };
  const server = await startWebServer({
    port: options.port,
    switches,
    api: (request) => {
      meter.note(request);
      return answerOrders(api, request, switches.current);
    },
    garble: () => GARBAGE,
    control: (request) => answerControl(request, desk, books, () => ({ ...books.count(), ...meter.read() })),
  }).catch((thrown: unknown) => {
    pusher?.close();
    books.close();
    throw thrown;
  });
  const close = async () => {
    await server.close();
    pusher?.close();
    books.close();
  };
  return { url: server.url, ...desk, close };
}

/** What a gateway in front of the old system shows when it is being mended. */
const GARBAGE: WebAnswer = {
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: Buffer.from(
    '<!DOCTYPE html><html><head><title>系统维护</title></head><body><h1>系统升级维护中</h1></body></html>',
  ),
};

type Desk = Pick<Hotline, 'createOrders' | 'changeState'>;

function openDesk(books: HotlineBooks, pusher: Pusher | undefined): Desk {
  return {
    createOrders: (orders) => {
      const nowMs = Date.now();
      const created = books.create(
        orders.map((order) => decodeNewOrder(order, nowMs)),
        nowMs,
      );
      pusher?.wake();
      return created;
    },
    changeState: (orderNo, state) => {
      const changed = books.changeState(orderNo, state, Date.now());
      pusher?.wake();
      return changed;
    },
  };
}

function answerControl(
  request: WebRequest,
  desk: Desk,
  books: HotlineBooks,
  readStats: () => unknown,
): WebAnswer | undefined {
  if (request.method === 'GET' && request.path === '/_control/replies') return json(200, books.readReplies());
  if (request.method === 'GET' && request.path === '/_control/stats') return json(200, readStats());
  if (request.method !== 'POST') return undefined;
  if (request.path === '/_control/orders') {
    return json(201, desk.createOrders(decodeList(decodeJson(request.body), ORDERS_PER_POST_MAX)));
  }
  const orderNo = STATE_PATH.exec(request.path)?.[1];
  if (orderNo === undefined) return undefined;
  const changed = desk.changeState(orderNo, decodeState(decodeJson(request.body)));
  return changed === undefined ? undefined : json(200, changed);
}

const NUMBERS_ASKED_KEPT_MAX = 1_000;

/** Counts what the old system is asked, since it was started. */
function openMeter() {
  const requests: Record<string, number> = {};
  const numbersAsked: number[] = [];
  let lastRequestAt: string | null = null;
  return {
    note: (request: WebRequest) => {
      requests[request.path] = (requests[request.path] ?? 0) + 1;
      lastRequestAt = new Date().toISOString();
      const numbers = request.query.get('no');
      if (numbers === null) return;
      numbersAsked.push(numbers.split(',').length);
      if (numbersAsked.length > NUMBERS_ASKED_KEPT_MAX) numbersAsked.shift();
    },
    read: () => ({ requests, numbersAsked, lastRequestAt }),
  };
}
