// 城管: the urban management system, REST in JSON, requests signed, changes told by Standard Webhooks.
import { createHmac, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Desk, openDesk } from '../departments/desk.ts';
import { FieldError, textList } from '../departments/fields.ts';
import { openMeter } from '../departments/meter.ts';
import { postWebhook } from '../departments/post-webhook.ts';
import type { PendingChange } from '../departments/work-books.ts';
import { disturbRows, type FaultSwitches, NO_FAULTS } from '../faults.ts';
import { toLocalSeconds } from '../local-time.ts';
import { decodeJson, json, startWebServer, type WebAnswer, type WebRequest } from '../web-server.ts';
import { decodeNewCase, encodeCase, WAY } from './case.ts';
import { openSignatureCheck, type SignatureKey } from './signature.ts';

export interface UrbanManagementOptions {
  /** Where the books are kept. */
  readonly directory: string;
  readonly port: number;
  readonly key: SignatureKey;
  /** Without it the changes stay in the queue. */
  readonly webhookUrl: string | undefined;
  /** `whsec_` and Base64. */
  readonly webhookSecret: string;
  /** Between two steps of its people; 0: they do nothing. */
  readonly paceMs: number;
}

export interface UrbanManagement {
  /** Cases are at `/api/v2/cases`. */
  readonly url: string;
  close(): Promise<void>;
}

const CASES_PATH = '/api/v2/cases';
const COUNT_PATH = `${CASES_PATH}/count`;
const NUMBERS_MAX = 20;

export async function startUrbanManagement(options: UrbanManagementOptions): Promise<UrbanManagement> {
  const switches: FaultSwitches = { current: NO_FAULTS };
  const { webhookUrl, webhookSecret } = options;
  const desk = openDesk({
    file: join(options.directory, 'urban-management.db'),
    prefix: 'CG320508',
    way: WAY,
    paceMs: options.paceMs,
    switches,
    deliver: webhookUrl === undefined ? undefined : (change) => deliver(webhookUrl, webhookSecret, change),
  });
  const meter = openMeter();
  const whatIsWrong = openSignatureCheck(options.key);
  const server = await startWebServer({
    port: options.port,
    switches,
    api: (request) => {
      meter.note(request);
      const wrong = whatIsWrong(request);
      return wrong === undefined
        ? answerCases(request, desk, switches)
        : json(401, { errcode: 40101, errmsg: wrong });
    },
    garble: () => GARBAGE,
    control: (request) => desk.answerControl(request, meter.read()),
  }).catch(async (thrown: unknown) => {
    await desk.close();
    throw thrown;
  });
  const close = async () => {
    await server.close();
    await desk.close();
  };
  return { url: server.url, close };
}

const GARBAGE: WebAnswer = {
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: Buffer.from('{"errcode":0,"errmsg":"ok","result":'),
};

/** Business errors come as HTTP 200 with an errcode. */
function answerCases(request: WebRequest, desk: Desk, switches: FaultSwitches): WebAnswer {
  try {
    if (request.method === 'GET' && request.path === COUNT_PATH) return countPending(request, desk);
    if (request.path !== CASES_PATH) return fail(40400, '接口不存在');
    if (request.method === 'POST') return register(request, desk, switches);
    if (request.method === 'GET') return find(request, desk, switches);
    return fail(40500, '方法不允许');
  } catch (thrown) {
    if (thrown instanceof FieldError) return fail(40001, thrown.message);
    if (thrown instanceof TypeError) return fail(40000, '报文不是JSON');
    throw thrown;
  }
}

/** 上报: the same client number again is the same case. */
function register(request: WebRequest, desk: Desk, { current: faults }: FaultSwitches): WebAnswer {
  const work = decodeNewCase(decodeJson(request.body));
  const [known] = desk.books.findByClient(work.clientNo);
  if (known !== undefined) return accept({ ...encodeCase(known), repeated: true });
  if (faults.refuseWork) return fail(40301, '非本部门职责，不予立案');
  return accept({ ...encodeCase(desk.take(work)), repeated: false });
}

function find(request: WebRequest, desk: Desk, { current: faults }: FaultSwitches): WebAnswer {
  const clientNo = request.query.get('clientNo');
  const works =
    clientNo === null
      ? desk.books.find(textList((request.query.get('caseNos') ?? '').split(','), 'caseNos', NUMBERS_MAX))
      : desk.books.findByClient(clientNo);
  const rows = disturbRows(works.map(encodeCase), faults);
  return accept({ total: works.length, cases: rows });
}

/** 在办案卷数, of a district by the beginning of its code; of all without one. */
function countPending(request: WebRequest, desk: Desk): WebAnswer {
  const districtCode = request.query.get('districtCode') ?? '';
  if (!/^\d{0,15}$/.test(districtCode)) throw new FieldError('districtCode', '格式错误');
  const pending = desk.countOpen('districtCode', districtCode);
  return accept({ districtCode, pending, countTime: toLocalSeconds(Date.now()) });
}

function accept(result: object): WebAnswer {
  return json(200, { errcode: 0, errmsg: 'ok', result });
}

function fail(errcode: number, errmsg: string): WebAnswer {
  return json(200, { errcode, errmsg, result: null });
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function deliver(url: string, secret: string, { eventId, work }: PendingChange): Promise<boolean> {
  const body = JSON.stringify({
    type: 'case.changed',
    timestamp: new Date(work.changedAtMs).toISOString(),
    traceNo: randomUUID(),
    data: encodeCase(work),
  });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${eventId}.${timestamp}.${body}`).digest('base64');
  return postWebhook(url, body, {
    'webhook-id': eventId,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  });
}
