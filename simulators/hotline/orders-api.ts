// The hotline's own interface: orders by number, or page by page of an area.
import { type Community, toAreaPrefix } from '../city/divisions.ts';
import { disturbRows, type Faults } from '../faults.ts';
import { json, type WebAnswer, type WebRequest } from '../web-server.ts';
import type { HotlineBooks } from './books.ts';
import type { OrderRow } from './order.ts';

const SIZE_MAX = 50;
const SIZE_DEFAULT = 20;
const NUMBERS_MAX = 50;
const PAGE_MAX = 100_000;

export interface OrdersApi {
  readonly books: HotlineBooks;
  readonly appKey: string;
  readonly communities: readonly Community[];
}

/** Business errors come as HTTP 200 with a code; a wrong key as 401 with nothing. */
export function answerOrders(api: OrdersApi, request: WebRequest, faults: Faults): WebAnswer {
  if (request.headers['x-app-key'] !== api.appKey) return { status: 401, headers: {}, body: Buffer.alloc(0) };
  if (request.method !== 'GET' || request.path !== '/orders')
    return refuse('1001', `接口不存在：${request.path}`);
  try {
    const size = readNumber(request, 'size', SIZE_DEFAULT, SIZE_MAX);
    const page = readNumber(request, 'page', 1, PAGE_MAX);
    if (size === undefined || page === undefined)
      return refuse('1001', '参数错误：size应为1至50，page应从1起');
    const numbers = request.query.get('no');
    if (numbers !== null) return answerNumbers(api, numbers, size, faults);
    return answerArea(api, request.query.get('area') ?? '', page, size, faults);
  } catch {
    // The old system tells nothing about its inside.
    return refuse('9999', '系统内部错误');
  }
}

function answerNumbers(api: OrdersApi, list: string, size: number, faults: Faults): WebAnswer {
  const numbers = list.split(',').filter((number) => number !== '');
  if (numbers.length === 0) return refuse('1001', '参数错误：no为空');
  if (numbers.length > NUMBERS_MAX) return refuse('1001', `参数错误：no最多${NUMBERS_MAX}个`);
  const rows = api.books.findByNumbers(numbers);
  return accept(rows.length, 1, rows.slice(0, size), faults);
}

function answerArea(api: OrdersApi, area: string, page: number, size: number, faults: Faults): WebAnswer {
  const prefix = toAreaPrefix(area);
  const isKnown =
    /^\d{2,12}$/.test(area) && api.communities.some((community) => community.code.startsWith(prefix));
  if (!isKnown) return refuse('1001', '参数错误：area不存在');
  const found = api.books.findPage(prefix, (page - 1) * size, size);
  return accept(found.total, page, found.rows, faults);
}

function accept(total: number, page: number, rows: readonly OrderRow[], faults: Faults): WebAnswer {
  return json(200, { code: '0000', msg: '成功', data: { total, page, rows: disturbRows(rows, faults) } });
}

function refuse(code: string, msg: string): WebAnswer {
  return json(200, { code, msg, data: null });
}

function readNumber(request: WebRequest, name: string, absent: number, max: number): number | undefined {
  const text = request.query.get(name);
  if (text === null) return absent;
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= max ? value : undefined;
}
