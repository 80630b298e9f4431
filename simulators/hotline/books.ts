// The hotline's books: its orders, with the queue of changes that are still to be pushed.
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { COUNTER_TABLE, inTransaction, nextNumber, openBookFile } from '../book-file.ts';
import { toLocalDay, toLocalSeconds } from '../local-time.ts';
import type { NewOrder, OrderRow } from './order.ts';

export interface CreatedOrder {
  readonly externalRef: string;
  readonly orderNo: string;
  readonly created: boolean;
}

export interface PendingPush {
  /** Position in the queue; grows. */
  readonly id: number;
  readonly eventId: string;
  readonly orderNo: string;
  readonly body: string;
}

/** What a citizen was told of their order. */
export interface Reply {
  /** `HF`, the day, six digits. */
  readonly serialNo: string;
  /** The caller's own number. */
  readonly replyNo: string;
  readonly orderNo: string;
  readonly replyType: string;
  readonly content: string;
  readonly replyTime: string;
}

export interface HotlineBooks {
  /** One transaction for all; an `externalRef` seen before answers with the order it made then. */
  create(orders: readonly NewOrder[], nowMs: number): readonly CreatedOrder[];
  /** The changed order, or undefined when there is none of that number. */
  changeState(orderNo: string, state: string, nowMs: number): OrderRow | undefined;
  findByNumbers(orderNos: readonly string[]): readonly OrderRow[];
  /** Newest acceptance first. @param states of two digits; undefined: all */
  findPage(
    areaPrefix: string,
    states: readonly string[] | undefined,
    offset: number,
    limit: number,
  ): { readonly total: number; readonly rows: readonly OrderRow[] };
  /** Orders below the area that are neither closed nor returned. */
  countOpen(areaPrefix: string): number;
  /** Another one each time; undefined when there is no order of that number. */
  reply(reply: Omit<Reply, 'serialNo' | 'replyTime'>, nowMs: number): Reply | undefined;
  findReplies(replyNo: string): readonly Reply[];
  /** All, in the order of their telling. */
  readReplies(): readonly Reply[];
  readPending(afterId: number, limit: number): readonly PendingPush[];
  markPushed(ids: readonly number[]): void;
  count(): {
    readonly orders: number;
    readonly pushed: number;
    readonly pending: number;
    readonly replies: number;
  };
  close(): void;
}

const TABLES = `
  ${COUNTER_TABLE};
  create table if not exists orders (
    order_no text primary key, external_ref text not null unique, area_code text not null, accept_time text not null,
    row text not null
  ) without rowid;
  create index if not exists orders_by_area on orders (area_code, accept_time);
  create table if not exists push (
    id integer primary key autoincrement, event_id text not null, order_no text not null, body text not null,
    done integer not null default 0
  );
  create index if not exists push_pending on push (id) where done = 0;
  create table if not exists reply (
    id integer primary key autoincrement, serial_no text not null, reply_no text not null, order_no text not null,
    reply_type text not null, content text not null, reply_time text not null
  );
  create index if not exists reply_by_no on reply (reply_no);
`;

export function openHotlineBooks(file: string): HotlineBooks {
  const database = openBookFile(file, TABLES);
  return {
    ...writing(database),
    ...reading(database),
    ...replying(database),
    ...pushing(database),
    close: () => database.close(),
  };
}

function writing(database: DatabaseSync): Pick<HotlineBooks, 'create' | 'changeState'> {
  const findRef = database.prepare('select order_no from orders where external_ref = ?');
  const insert = database.prepare('insert into orders values (?, ?, ?, ?, ?)');
  const find = database.prepare('select row from orders where order_no = ?');
  const update = database.prepare('update orders set row = ? where order_no = ?');
  const enqueue = database.prepare('insert into push (event_id, order_no, body) values (?, ?, ?)');

  const enqueueChange = (eventType: string, order: OrderRow) => {
    const eventId = randomUUID();
    enqueue.run(
      eventId,
      order.orderNo,
      JSON.stringify({ eventId, eventType, pushTime: order.updateTime, order }),
    );
  };
  const createOne = (order: NewOrder, updateTime: string): CreatedOrder => {
    const known = findRef.get(order.externalRef);
    if (known !== undefined) {
      return { externalRef: order.externalRef, orderNo: String(known.order_no), created: false };
    }
    const orderNo = nextNumber(database, `GS${toLocalDay(order.acceptTimeMs)}`);
    const row: OrderRow = { orderNo, ...order.row, updateTime };
    insert.run(orderNo, order.externalRef, row.areaCode, row.acceptTime, JSON.stringify(row));
    enqueueChange('ORDER_CREATED', row);
    return { externalRef: order.externalRef, orderNo, created: true };
  };
  return {
    create: (orders, nowMs) =>
      inTransaction(database, () => orders.map((order) => createOne(order, toLocalSeconds(nowMs)))),
    changeState: (orderNo, state, nowMs) =>
      inTransaction(database, () => {
        const found = find.get(orderNo);
        if (found === undefined) return undefined;
        const before = decodeRow(found);
        const row: OrderRow = { ...before, state, updateTime: toLocalSeconds(nowMs), seq: before.seq + 1 };
        update.run(JSON.stringify(row), orderNo);
        enqueueChange('ORDER_CHANGED', row);
        return row;
      }),
  };
}

/** 50 已结案, 90 已退回: nothing is left to do. */
const SETTLED = "('50', '90')";

function reading(database: DatabaseSync): Pick<HotlineBooks, 'findByNumbers' | 'findPage' | 'countOpen'> {
  const byNumbers = database.prepare(
    'select row from orders where order_no in (select value from json_each(?))',
  );
  const ofArea =
    "from orders where area_code >= ? and area_code < ? and (? is null or row ->> '$.state' in (select value from json_each(?)))";
  const page = database.prepare(
    `select row ${ofArea} order by accept_time desc, order_no desc limit ? offset ?`,
  );
  const total = database.prepare(`select count(*) as total ${ofArea}`);
  const open = database.prepare(
    `select count(*) as total from orders where area_code >= ? and area_code < ? and row ->> 'state' not in ${SETTLED}`,
  );
  return {
    countOpen: (areaPrefix) => Number(open.get(areaPrefix, `${areaPrefix}:`)?.total),
    findByNumbers: (orderNos) => byNumbers.all(JSON.stringify(orderNos)).map(decodeRow),
    findPage: (areaPrefix, states, offset, limit) => {
      const wanted = states === undefined ? null : JSON.stringify(states);
      // A colon sorts right after the digit nine.
      const asked = [areaPrefix, `${areaPrefix}:`, wanted, wanted ?? '[]'];
      return {
        total: Number(total.get(...asked)?.total),
        rows: page.all(...asked, limit, offset).map(decodeRow),
      };
    },
  };
}

function replying(database: DatabaseSync): Pick<HotlineBooks, 'reply' | 'findReplies' | 'readReplies'> {
  const find = database.prepare('select 1 from orders where order_no = ?');
  const insert = database.prepare(
    'insert into reply (serial_no, reply_no, order_no, reply_type, content, reply_time) values (?, ?, ?, ?, ?, ?)',
  );
  const columns =
    'serial_no as serialNo, reply_no as replyNo, order_no as orderNo, reply_type as replyType, content, reply_time as replyTime';
  const byNumber = database.prepare(`select ${columns} from reply where reply_no = ? order by id`);
  const all = database.prepare(`select ${columns} from reply order by id`);
  return {
    reply: ({ replyNo, orderNo, replyType, content }, nowMs) =>
      inTransaction(database, () => {
        if (find.get(orderNo) === undefined) return undefined;
        const serialNo = nextNumber(database, `HF${toLocalDay(nowMs)}`);
        const replyTime = toLocalSeconds(nowMs);
        insert.run(serialNo, replyNo, orderNo, replyType, content, replyTime);
        return { serialNo, replyNo, orderNo, replyType, content, replyTime };
      }),
    findReplies: (replyNo) => byNumber.all(replyNo) as unknown as readonly Reply[],
    readReplies: () => all.all() as unknown as readonly Reply[],
  };
}

function pushing(database: DatabaseSync): Pick<HotlineBooks, 'readPending' | 'markPushed' | 'count'> {
  const pending = database.prepare(
    'select id, event_id, order_no, body from push where done = 0 and id > ? order by id limit ?',
  );
  // What was taken needs no body any more; the row stays as the proof.
  const mark = database.prepare("update push set done = 1, body = '' where id = ?");
  const counts = database.prepare(
    'select (select count(*) from orders) as orders, (select count(*) from push where done = 0) as pending, ' +
      '(select count(*) from push where done = 1) as pushed, (select count(*) from reply) as replies',
  );
  return {
    readPending: (afterId, limit) =>
      pending.all(afterId, limit).map((row) => ({
        id: Number(row.id),
        eventId: String(row.event_id),
        orderNo: String(row.order_no),
        body: String(row.body),
      })),
    markPushed: (ids) => inTransaction(database, () => ids.forEach((id) => void mark.run(id))),
    count: () => {
      const row = counts.get();
      return {
        orders: Number(row?.orders),
        pushed: Number(row?.pushed),
        pending: Number(row?.pending),
        replies: Number(row?.replies),
      };
    },
  };
}

function decodeRow(row: Readonly<Record<string, unknown>>): OrderRow {
  return JSON.parse(String(row.row)) as OrderRow;
}
