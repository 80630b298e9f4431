// The police's receiving and dispatching system: cases over SOAP 1.1, and a control for whoever plays the city.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nextOn, startHandling } from '../departments/handling.ts';
import type { Step } from '../departments/work-books.ts';
import { disturbRows, type FaultSwitches, type Faults, NO_FAULTS } from '../faults.ts';
import { toLocalDigits } from '../local-time.ts';
import {
  decodeJson,
  decodeList,
  json,
  startWebServer,
  type WebAnswer,
  type WebRequest,
} from '../web-server.ts';
import { type CreatedCase, openPoliceBooks, type PoliceBooks } from './books.ts';
import { decodeCaseStep, decodeNewCase, type HandedOverCase, WAY } from './case.ts';
import {
  decodeRequest,
  encodeFault,
  encodeFields,
  encodeResult,
  garbleAnswer,
  type PoliceRequest,
} from './envelope.ts';

export interface PoliceOptions {
  /** Where the books are kept. */
  readonly directory: string;
  readonly port: number;
  /** Between two steps with cases that were handed over; 0, the default: nobody does anything. */
  readonly paceMs?: number;
}

export interface Police {
  /** The server; the service is at `/CaseService`, its description at `/CaseService?wsdl`. */
  readonly url: string;
  /** Takes cases in the form of `POST /_control/cases`. */
  createCases(cases: readonly unknown[]): readonly CreatedCase[];
  changeState(receiptNo: string, state: string): boolean;
  /** SQLite, whose view V_AJJZ shows how the cases go on. */
  readonly exchangeDsn: string;
  close(): Promise<void>;
}

const SERVICE_PATH = '/CaseService';
const NUMBERS_MAX = 20;
const CASES_PER_POST_MAX = 1_000;
/** Cases that its people have on the desk. */
const HANDLED_MAX = 100;
const STATE_PATH = /^\/_control\/cases\/(\w+)\/state$/;

export async function startPolice(options: PoliceOptions): Promise<Police> {
  const switches: FaultSwitches = { current: NO_FAULTS };
  const file = join(options.directory, 'police.db');
  const books = openPoliceBooks(file);
  const meter = openMeter();
  const createCases = (cases: readonly unknown[]) => {
    const nowMs = Date.now();
    return books.create(cases.map((value) => decodeNewCase(value, nowMs)));
  };
  const server = await startWebServer({
    port: options.port,
    switches,
    api: (request) => answerSoap(request, books, meter, switches.current),
    onAnswered: (request) => {
      if (isQuery(request)) meter.end();
    },
    garble: (answer, faults) => garbleAnswer(answer, faults.garbage === 'charset'),
    control: (request) => answerControl(request, books, createCases, meter),
  }).catch((thrown: unknown) => {
    books.close();
    throw thrown;
  });
  const handling = startHandling({
    paceMs: options.paceMs ?? 0,
    findOpen: () => books.findHandedOver(WAY.states.slice(0, -1), HANDLED_MAX),
    next: ({ state }, random) => nextOn(WAY, state, random),
    apply: ({ no }, step) => books.changeState(no, step),
  });
  const close = async () => {
    handling.close();
    await server.close();
    books.close();
  };
  const changeState = (receiptNo: string, state: string) => books.changeState(receiptNo, { state });
  return { url: server.url, exchangeDsn: `sqlite://${file}`, createCases, changeState, close };
}

function answerSoap(request: WebRequest, books: PoliceBooks, meter: Meter, faults: Faults): WebAnswer {
  if (request.path !== SERVICE_PATH) return json(404, {});
  if (!isQuery(request)) return answerDescription(request);
  meter.begin();
  try {
    const asked = decodeRequest(request.body);
    switch (asked.kind) {
      case 'QueryCaseBatch':
        return answerQuery(asked, books, meter, faults);
      case 'TakeOverCase':
        return takeOver(asked, books, faults);
      case 'QueryTakeOver': {
        const JJDBH = books.findTakenOver(asked.serialNo);
        const RetMsg = JJDBH === undefined ? '无此流水号。' : '成功。';
        return encodeFields(asked.kind, { RetCode: '0', RetMsg, JJDBH });
      }
      case 'CountOpenCase':
        return answerCount(asked.division, books);
    }
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return encodeFault('Client', thrown.message);
    return encodeFault('Server', '系统内部错误');
  }
}

function answerQuery(
  { receiptNos, reason }: PoliceRequest & { readonly kind: 'QueryCaseBatch' },
  books: PoliceBooks,
  meter: Meter,
  faults: Faults,
): WebAnswer {
  meter.noteNumbers(receiptNos.length);
  if (receiptNos.length > NUMBERS_MAX) {
    return encodeResult({ RetCode: '1', RetMsg: `编号最多${NUMBERS_MAX}个`, cases: [] });
  }
  if (reason === '') return encodeResult({ RetCode: '2', RetMsg: '查询原因为空', cases: [] });
  // The full stop makes the message an odd number of bytes in UTF-8: a wrong charset cannot pass unnoticed.
  return encodeResult({ RetCode: '0', RetMsg: '成功。', cases: disturbRows(books.find(receiptNos), faults) });
}

/** 未结警情数, of a division by the beginning of its code; of all without one. */
function answerCount(division: string, books: PoliceBooks): WebAnswer {
  if (!/^\d{0,15}$/.test(division))
    return encodeFields('CountOpenCase', { RetCode: '5', RetMsg: '区划代码格式错误。' });
  const [WJS, TJSJ] = [String(books.countOpen(division)), toLocalDigits(Date.now())];
  return encodeFields('CountOpenCase', { RetCode: '0', RetMsg: '成功。', WJS, TJSJ });
}

/** 接收移送: the same serial number again is the same case. */
function takeOver(handedOver: HandedOverCase, books: PoliceBooks, faults: Faults): WebAnswer {
  const { serialNo, title, division, place } = handedOver;
  const fail = (RetCode: string, RetMsg: string) => encodeFields('TakeOverCase', { RetCode, RetMsg });
  if ([serialNo, title, division, place].includes('')) return fail('3', '移送要素不全。');
  const known = books.findTakenOver(serialNo);
  if (known === undefined && faults.refuseWork) return fail('4', '不属公安机关管辖。');
  const JJDBH = known ?? books.takeOver(handedOver, Date.now());
  return encodeFields('TakeOverCase', { RetCode: '0', RetMsg: '成功。', JJDBH });
}

function isQuery(request: WebRequest): boolean {
  return request.method === 'POST' && request.path === SERVICE_PATH;
}

function answerDescription(request: WebRequest): WebAnswer {
  if (!request.query.has('wsdl')) return encodeFault('Client', '只接受POST');
  const wsdl = readFileSync(new URL('contract/CaseService.wsdl', import.meta.url), 'utf8');
  const location = `http://${request.headers.host}${SERVICE_PATH}`;
  const body = Buffer.from(wsdl.replace(/(<soap:address location=")[^"]*/, `$1${location}`));
  return { status: 200, headers: { 'content-type': 'text/xml; charset=utf-8' }, body };
}

function answerControl(
  request: WebRequest,
  books: PoliceBooks,
  createCases: Police['createCases'],
  meter: Meter,
): WebAnswer | undefined {
  if (request.method === 'GET' && request.path === '/_control/stats') {
    return json(200, { cases: books.count(), ...meter.read() });
  }
  if (request.method !== 'POST') return undefined;
  if (request.path === '/_control/cases') {
    return json(201, createCases(decodeList(decodeJson(request.body), CASES_PER_POST_MAX)));
  }
  const receiptNo = STATE_PATH.exec(request.path)?.[1];
  if (receiptNo === undefined) return undefined;
  const step: Step = decodeCaseStep(decodeJson(request.body));
  return books.changeState(receiptNo, step) ? json(200, { receiptNo, state: step.state }) : undefined;
}

type Meter = ReturnType<typeof openMeter>;

const NUMBERS_ASKED_KEPT_MAX = 1_000;

/** Counts what the old system is asked, since it was started. */
function openMeter() {
  let requests = 0;
  let inFlight = 0;
  let inFlightMax = 0;
  let lastRequestAt: string | null = null;
  const numbersAsked: number[] = [];
  return {
    begin: () => {
      requests += 1;
      inFlight += 1;
      inFlightMax = Math.max(inFlightMax, inFlight);
      lastRequestAt = new Date().toISOString();
    },
    end: () => {
      inFlight -= 1;
    },
    noteNumbers: (count: number) => {
      numbersAsked.push(count);
      if (numbersAsked.length > NUMBERS_ASKED_KEPT_MAX) numbersAsked.shift();
    },
    read: () => ({ requests, numbersAsked, inFlightMax, lastRequestAt }),
  };
}
