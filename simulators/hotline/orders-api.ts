// The hotline's own interface: orders by number, or page by page of an area, all or those in some states, and how many of an area are open.
import { type Community, toAreaPrefix } from '../city/divisions.ts';
import { disturbRows, type Faults } from '../faults.ts';
import { toLocalSeconds } from '../local-time.ts';
import { json, type WebAnswer, type WebRequest } from '../web-server.ts';
import type { HotlineBooks } from './books.ts';
import type { OrderRow } from './order.ts';
import { answerReplies } from './replies-api.ts';

const SIZE_MAX = 50;
const SIZE_DEFAULT = 20;
const NUMBERS_MAX = 50;
const PAGE_MAX = 100_000;

const STATISTICS_PATH = '/orders/statistics';
const PATHS: ReadonlySet<string> = new Set(['/orders', STATISTICS_PATH]);

export interface OrdersApi {
  readonly books: HotlineBooks;
  readonly appKey: string;
  readonly communities: readonly Community[];
}

/** Business errors come as HTTP 200 with a code; a wrong key as 401 with nothing. */
export function answerOrders(api: OrdersApi, request: WebRequest, faults: Faults): WebAnswer {
  if (request.headers['x-app-key'] !== api.appKey) return { status: 401, headers: {}, body: Buffer.alloc(0) };
  if (request.path === '/replies') return answerReplies(api.books, request, faults);
  if (request.method !== 'GET' || !PATHS.has(request.path))
    return refuse('1001', `接口不存在：${request.path}`);
  try {
    if (request.path === STATISTICS_PATH) return answerStatistics(api, request.query.get('area') ?? '');
    const size = readNumber(request, 'size', SIZE_DEFAULT, SIZE_MAX);
    const page = readNumber(request, 'page', 1, PAGE_MAX);
    if (size === undefined || page === undefined)
      return refuse('1001', '参数错误：size应为1至50，page应从1起');
    const numbers = request.query.get('no');
    if (numbers !== null) return answerNumbers(api, numbers, size, faults);
    const states = readStates(request);
    if (states === 'unreadable') return refuse('1001', '参数错误：state应为两位数字，以逗号分隔');
    const area = request.query.get('area') ?? '';
    return answerArea(api, { area, states, page, size }, faults);
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

interface AreaPage {
  readonly area: string;
  readonly states: readonly string[] | undefined;
  readonly page: number;
  readonly size: number;
}

function answerArea(api: OrdersApi, { area, states, page, size }: AreaPage, faults: Faults): WebAnswer {
  const prefix = toAreaPrefix(area);
  if (!isKnown(api, area)) return refuse('1001', '参数错误：area不存在');
  const found = api.books.findPage(prefix, states, (page - 1) * size, size);
  return accept(found.total, page, found.rows, faults);
}

/** 未办结数, of an area, or of all where none is given. */
function answerStatistics(api: OrdersApi, area: string): WebAnswer {
  if (area !== '' && !isKnown(api, area)) return refuse('1001', '参数错误：area不存在');
  const unfinished = api.books.countOpen(area === '' ? '' : toAreaPrefix(area));
  return json(200, {
    code: '0000',
    msg: '成功',
    data: { area, unfinished, statTime: toLocalSeconds(Date.now()) },
  });
}

function isKnown({ communities }: OrdersApi, area: string): boolean {
  return /^\d{2,12}$/.test(area) && communities.some(({ code }) => code.startsWith(toAreaPrefix(area)));
}

function accept(total: number, page: number, rows: readonly OrderRow[], faults: Faults): WebAnswer {
  return json(200, { code: '0000', msg: '成功', data: { total, page, rows: disturbRows(rows, faults) } });
}

function refuse(code: string, msg: string): WebAnswer {
  return json(200, { code, msg, data: null });
}

function readStates(request: WebRequest): readonly string[] | 'unreadable' | undefined {
  const text = request.query.get('state');
  if (text === null) return undefined;
  return /^\d{2}(,\d{2}){0,9}$/.test(text) ? text.split(',') : 'unreadable';
}

function readNumber(request: WebRequest, name: string, absent: number, max: number): number | undefined {
  const text = request.query.get(name);
  if (text === null) return absent;
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= max ? value : undefined;
}
