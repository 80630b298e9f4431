// The hotline's interface for replies (回复): what a citizen is told of their order, by its number.
import type { Faults } from '../faults.ts';
import { decodeJson, json, type WebAnswer, type WebRequest } from '../web-server.ts';
import type { HotlineBooks, Reply } from './books.ts';

/** 10 受理告知, 30 不予受理告知, 50 办结答复, 60 重办告知. */
const TYPES: ReadonlySet<string> = new Set(['10', '30', '50', '60']);
const CONTENT_CHARS_MAX = 20_000;

/**
 * `POST /replies` writes a reply down, and another one when it is told the same again; `GET /replies?replyNo=` says which are known
 * by the caller's own number.
 */
export function answerReplies(books: HotlineBooks, request: WebRequest, faults: Faults): WebAnswer {
  if (request.method === 'GET') return answerKnown(books, request.query.get('replyNo') ?? '');
  if (request.method !== 'POST') return refuse('1001', '接口不存在');
  let given: Readonly<Record<string, unknown>>;
  try {
    given = (decodeJson(request.body) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return refuse('1001', '参数错误：正文不是JSON');
  }
  const { replyNo, orderNo, replyType, content } = given;
  if (typeof replyNo !== 'string' || replyNo === '' || replyNo.length > 200)
    return refuse('1001', '参数错误：replyNo');
  if (typeof replyType !== 'string' || !TYPES.has(replyType)) return refuse('1001', '参数错误：replyType');
  if (typeof content !== 'string' || content === '' || content.length > CONTENT_CHARS_MAX)
    return refuse('1001', '参数错误：content');
  if (faults.refuseWork) return refuse('2003', '该工单已归档，不再受理回复');
  const reply = books.reply({ replyNo, orderNo: String(orderNo), replyType, content }, Date.now());
  if (reply === undefined) return refuse('2001', '工单不存在');
  return json(200, { code: '0000', msg: '成功', data: { serialNo: reply.serialNo } });
}

function answerKnown(books: HotlineBooks, replyNo: string): WebAnswer {
  const rows: readonly Reply[] = books.findReplies(replyNo);
  return json(200, { code: '0000', msg: '成功', data: { total: rows.length, rows } });
}

function refuse(code: string, msg: string): WebAnswer {
  return json(200, { code, msg, data: null });
}
