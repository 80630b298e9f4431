// 人社: the human resources system, asked by messages and slow to answer, changes told by messages.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Desk, openDesk } from '../departments/desk.ts';
import { FieldError, neededText, optionalText, readGiven, textList } from '../departments/fields.ts';
import { type Meter, openMeter } from '../departments/meter.ts';
import { disturbRows, type FaultSwitches, type Faults, NO_FAULTS } from '../faults.ts';
import type { LoadMeter } from '../load-meter.ts';
import { toLocalDigits } from '../local-time.ts';
import { json, startWebServer } from '../web-server.ts';
import { openAmqp } from './amqp.ts';
import type { AnswerRequest, Broker } from './broker.ts';
import { decodeNewCase, encodeCase, WAY } from './case.ts';
import { openMqtt } from './mqtt.ts';

export interface HumanResourcesOptions {
  /** Where the books are kept. */
  readonly directory: string;
  /** Of the control; the system itself has no HTTP. */
  readonly controlPort: number;
  /** A RabbitMQ and the prefix of its own queues there, or a port for an MQTT broker of its own. */
  readonly broker:
    | { readonly kind: 'amqp'; readonly url: string; readonly prefix: string }
    | { readonly kind: 'mqtt'; readonly port: number };
  /** How long it takes over an answer. */
  readonly answerMs: number;
  /** Between two steps of its people; 0: they do nothing. */
  readonly paceMs: number;
}

export interface HumanResources {
  readonly controlUrl: string;
  /** Of the MQTT broker inside; undefined with RabbitMQ. */
  readonly mqttUrl: string | undefined;
  close(): Promise<void>;
}

const NUMBERS_MAX = 20;

export async function startHumanResources(options: HumanResourcesOptions): Promise<HumanResources> {
  const switches: FaultSwitches = { current: NO_FAULTS };
  let broker: (Broker & { readonly url?: string }) | undefined;
  const desk = openDesk({
    file: join(options.directory, 'human-resources.db'),
    prefix: 'RS320508',
    way: WAY,
    paceMs: options.paceMs,
    switches,
    // A program that is down tells nothing either. xxbh: the number of the message.
    deliver: async ({ eventId, work }) =>
      broker !== undefined &&
      !switches.current.refuse &&
      (await broker.tell(eventId, encode({ xxbh: eventId, ...encodeCase(work) }))),
  });
  const meter = openMeter();
  const server = await startWebServer({
    port: options.controlPort,
    switches,
    api: () => json(404, { error: 'this system is asked by messages' }),
    garble: (answer) => answer,
    control: (request) => desk.answerControl(request, meter.read()),
  }).catch(async (thrown: unknown) => {
    await desk.close();
    throw thrown;
  });
  const answer = openAnswering({ desk, switches, meter, load: server.load, answerMs: options.answerMs });
  broker =
    options.broker.kind === 'amqp'
      ? openAmqp({ ...options.broker, answer })
      : await openMqtt(options.broker.port, answer);
  return {
    controlUrl: server.url,
    mqttUrl: broker.url,
    async close() {
      await server.close();
      await broker?.close();
      await desk.close();
    },
  };
}

interface Answering {
  readonly desk: Desk;
  readonly switches: FaultSwitches;
  readonly meter: Meter;
  readonly load: LoadMeter;
  readonly answerMs: number;
}

function openAnswering({ desk, switches, meter, load, answerMs }: Answering): AnswerRequest {
  return async (request) => {
    const faults = switches.current;
    if (faults.refuse) return undefined;
    load.begin();
    try {
      // It is worked on at once, and told late: who gave up waiting finds it done.
      const reply = answerOne(request, desk, meter, faults);
      await delay(answerMs + faults.latencyMs);
      if (faults.garbage !== false) return Buffer.from('ABEND S0C7 IN RSAJ0010');
      return faults.half ? reply.subarray(0, Math.floor(reply.length / 2)) : reply;
    } finally {
      load.end();
    }
  };
}

/** czlx: LADJ 立案登记, AJCX 案件查询, LHCX 来函查询, WJTJ 未结统计. */
function answerOne(request: Buffer, desk: Desk, meter: Meter, faults: Faults): Buffer {
  try {
    const given = readGiven(JSON.parse(request.toString('utf8')));
    const operation = neededText(given, 'czlx');
    meter.note({ method: 'message', path: operation });
    switch (operation) {
      case 'LADJ': {
        const work = decodeNewCase(given);
        const [known] = desk.books.findByClient(work.clientNo);
        if (known === undefined && faults.refuseWork) return fail('21', '不属人社部门受理范围');
        return accept([encodeCase(known ?? desk.take(work))]);
      }
      case 'AJCX': {
        const works = desk.books.find(textList(given.ajbhs, 'ajbhs', NUMBERS_MAX));
        return accept(disturbRows(works.map(encodeCase), faults));
      }
      case 'LHCX':
        return accept(desk.books.findByClient(neededText(given, 'lhbh')).map(encodeCase));
      case 'WJTJ': {
        const wjs = desk.countOpen('qh', optionalText(given, 'qh') ?? '');
        return encode({ retCode: '00', retMsg: '成功', ajs: [], wjs, tjsj: toLocalDigits(Date.now()) });
      }
      default:
        return fail('12', `操作类型不存在：${operation}`);
    }
  } catch (thrown) {
    if (thrown instanceof FieldError) return fail('11', thrown.message);
    if (thrown instanceof SyntaxError) return fail('10', '报文格式错误');
    throw thrown;
  }
}

function accept(ajs: readonly object[]): Buffer {
  return encode({ retCode: '00', retMsg: '成功', ajs });
}

function fail(retCode: string, retMsg: string): Buffer {
  return encode({ retCode, retMsg, ajs: [] });
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
