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

export interface HotlineBooks {
  /** One transaction for all; an `externalRef` seen before answers with the order it made then. */
  create(orders: readonly NewOrder[], nowMs: number): readonly CreatedOrder[];
  /** The changed order, or undefined when there is none of that number. */
  changeState(orderNo: string, state: string, nowMs: number): OrderRow | undefined;
  findByNumbers(orderNos: readonly string[]): readonly OrderRow[];
  /** Newest acceptance first. */
  findPage(
    areaPrefix: string,
    offset: number,
    limit: number,
  ): { readonly total: number; readonly rows: readonly OrderRow[] };
  readPending(afterId: number, limit: number): readonly PendingPush[];
  markPushed(ids: readonly number[]): void;
  count(): { readonly orders: number; readonly pushed: number; readonly pending: number };
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
`;

export function openHotlineBooks(file: string): HotlineBooks {
  const database = openBookFile(file, TABLES);
  return { ...writing(database), ...reading(database), ...pushing(database), close: () => database.close() };
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

function reading(database: DatabaseSync): Pick<HotlineBooks, 'findByNumbers' | 'findPage'> {
  const byNumbers = database.prepare(
    'select row from orders where order_no in (select value from json_each(?))',
  );
  const page = database.prepare(
    'select row from orders where area_code >= ? and area_code < ? order by accept_time desc, order_no desc limit ? offset ?',
  );
  const total = database.prepare(
    'select count(*) as total from orders where area_code >= ? and area_code < ?',
  );
  return {
    findByNumbers: (orderNos) => byNumbers.all(JSON.stringify(orderNos)).map(decodeRow),
    findPage: (areaPrefix, offset, limit) => ({
      total: Number(total.get(areaPrefix, `${areaPrefix}:`)?.total),
      // A colon sorts right after the digit nine.
      rows: page.all(areaPrefix, `${areaPrefix}:`, limit, offset).map(decodeRow),
    }),
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
      '(select count(*) from push where done = 1) as pushed',
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
      };
    },
  };
}

function decodeRow(row: Readonly<Record<string, unknown>>): OrderRow {
  return JSON.parse(String(row.row)) as OrderRow;
}
