// 市监: the market supervision system, REST in XML behind OAuth 2.0, which takes every call for new work.
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { type Desk, openDesk } from '../departments/desk.ts';
import { FieldError, textList } from '../departments/fields.ts';
import { openMeter } from '../departments/meter.ts';
import { postWebhook } from '../departments/post-webhook.ts';
import type { PendingChange } from '../departments/work-books.ts';
import { disturbRows, type FaultSwitches, NO_FAULTS } from '../faults.ts';
import { escapeXml, parseXml } from '../police/xml.ts';
import { startWebServer, type WebAnswer, type WebRequest } from '../web-server.ts';
import { decodePetition, encodePetition, encodePetitionXml, WAY } from './petition.ts';
import { openTokenDesk } from './tokens.ts';

export interface MarketSupervisionOptions {
  /** Where the books are kept. */
  readonly directory: string;
  readonly port: number;
  /** `id:secret` */
  readonly client: string;
  /** Without it the changes stay in the queue. */
  readonly webhookUrl: string | undefined;
  readonly webhookSecret: string;
  /** Between two steps of its people; 0: they do nothing. */
  readonly paceMs: number;
  /** Seconds that a token lives; 60 unless told. */
  readonly tokenLifetimeS?: number;
}

export interface MarketSupervision {
  /** Petitions are at `/petitions`, tokens at `/oauth/token`. */
  readonly url: string;
  close(): Promise<void>;
}

const NUMBERS_MAX = 30;
const TOKEN_LIFETIME_S = 60;

export async function startMarketSupervision(options: MarketSupervisionOptions): Promise<MarketSupervision> {
  const switches: FaultSwitches = { current: NO_FAULTS };
  const { webhookUrl, webhookSecret } = options;
  const desk = openDesk({
    file: join(options.directory, 'market-supervision.db'),
    prefix: 'SJ',
    way: WAY,
    paceMs: options.paceMs,
    switches,
    deliver: webhookUrl === undefined ? undefined : (change) => deliver(webhookUrl, webhookSecret, change),
  });
  const meter = openMeter();
  const tokens = openTokenDesk(options.client, options.tokenLifetimeS ?? TOKEN_LIFETIME_S);
  const server = await startWebServer({
    port: options.port,
    switches,
    api: (request) => {
      meter.note(request);
      if (request.path === '/oauth/token') return tokens.issue(request);
      return tokens.isKnown(request) ? answerPetitions(request, desk, switches) : UNAUTHORIZED;
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

const UNAUTHORIZED: WebAnswer = {
  status: 401,
  headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  body: Buffer.alloc(0),
};

const GARBAGE: WebAnswer = {
  status: 200,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: Buffer.from('ORA-12541: TNS:no listener'),
};

function answerPetitions(request: WebRequest, desk: Desk, switches: FaultSwitches): WebAnswer {
  try {
    const { method, path } = request;
    if (method === 'POST' && path === '/petitions') return register(request, desk, switches);
    if (method === 'GET' && path === '/petitions') return find(request, desk, switches);
    if (method === 'GET' && path === '/petitions/known') return tellKnown(request, desk);
    if (method === 'GET' && path === '/petitions/statistics') return countOpen(request, desk);
    return reply('404', '接口不存在');
  } catch (thrown) {
    if (thrown instanceof FieldError) return reply('E01', thrown.message);
    if (thrown instanceof SyntaxError) return reply('E00', '报文不是XML');
    throw thrown;
  }
}

/** 登记: the client number is only written down; a second call is a second petition. */
function register(request: WebRequest, desk: Desk, { current: faults }: FaultSwitches): WebAnswer {
  const petition = decodePetition(parseXml(request.body.toString('utf8')));
  if (faults.refuseWork) return reply('E20', '不属于市场监管职责范围，不予登记');
  return reply('0', '登记成功', encodePetitionXml(desk.take(petition)));
}

function find(request: WebRequest, desk: Desk, { current: faults }: FaultSwitches): WebAnswer {
  const nos = textList((request.query.get('no') ?? '').split(','), 'no', NUMBERS_MAX);
  return reply('0', '成功', disturbRows(desk.books.find(nos), faults).map(encodePetitionXml).join(''));
}

function tellKnown(request: WebRequest, desk: Desk): WebAnswer {
  const works = desk.books.findByClient(request.query.get('sourceNo') ?? '');
  return reply(
    '0',
    '成功',
    `<Known count="${works.length}">${works.map(encodePetitionXml).join('')}</Known>`,
  );
}

/** 未办结数, of an area by the beginning of its code; of all without one. */
function countOpen(request: WebRequest, desk: Desk): WebAnswer {
  const area = request.query.get('area') ?? '';
  if (!/^\d{0,15}$/.test(area)) throw new FieldError('area', '格式错误');
  const [open, at] = [desk.countOpen('Area', area), new Date().toISOString()];
  return reply('0', '成功', `<Statistics area="${area}" open="${open}" at="${at}"/>`);
}

function reply(code: string, message: string, content = ''): WebAnswer {
  const text =
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<Reply><Code>${code}</Code><Message>${escapeXml(message)}</Message><Data>${content}</Data></Reply>`;
  return {
    status: 200,
    headers: { 'content-type': 'application/xml; charset=utf-8' },
    body: Buffer.from(text),
  };
}

/** Signed over time stamp and body, in the headers `X-Timestamp` and `X-Signature`. */
function deliver(url: string, secret: string, { eventId, work }: PendingChange): Promise<boolean> {
  const body = JSON.stringify({ Notice: { Type: 'PETITION', Petition: encodePetition(work) } });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return postWebhook(url, body, {
    'x-event-id': eventId,
    'x-timestamp': timestamp,
    'x-signature': createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex'),
  });
}
