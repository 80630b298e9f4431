// An old system behind a mosquitto of its own: it answers questions on a topic and tells its changes, by MQTT 3.1.1 or 5.
import { fileURLToPath } from 'node:url';
import type { IPublishPacket } from 'mqtt-packet';
import { type Mosquitto, startMosquitto, whyNoMosquitto } from '../../../support/brokers.ts';
import { startTcpGate, type TcpGate } from '../../tcp-gate.ts';
import type { Column, SuiteFault, SuiteSystem } from '../column.ts';
import { createMessageBook, type MessageBook, rowOf } from '../message-book.ts';
import { connectRaw, type RawClient } from './raw-client.ts';

type Version = '3.1.1' | '5';

const HUB_LOGIN = ['hub', 'hub-password'] as const;
const OLD_LOGIN = ['old', 'old-password'] as const;
const LOGINS = Object.fromEntries([HUB_LOGIN, OLD_LOGIN]);
const ASK_TOPIC = 'book/ask';
const FOLDERS: Readonly<Record<Version, string>> = { '3.1.1': 'mqtt-311-records', '5': 'mqtt-5-records' };

/** The column of one version. */
export function mqttColumn(version: Version): Column {
  return {
    protocol: `MQTT ${version}`,
    cannotOccur: {
      discover: 'A broker has no contract: what goes over a topic is agreed elsewhere.',
    },
    whyNot: async () => whyNoMosquitto(),
    start: () => startOldSystem(version),
  };
}

async function startOldSystem(version: Version): Promise<SuiteSystem> {
  const broker = await startMosquitto(LOGINS);
  const gate = await startTcpGate('127.0.0.1', broker.port);
  const book = createMessageBook();
  let client = await connectOld(version, broker, gate, book);
  return {
    folder: fileURLToPath(new URL(`../systems/${FOLDERS[version]}`, import.meta.url)),
    env: { SUITE_MQTT: `mqtt://127.0.0.1:${gate.port}`, SECRET_BOOK_LOGIN: HUB_LOGIN.join(':') },
    put: async (records) => book.put(records),
    async push(record) {
      await client.publish(`city/${record.area}/up/${record.id}`, JSON.stringify(rowOf(record, book.fault)));
    },
    applied: async (requestId) => book.applied(requestId),
    reads: async () => book.reads(),
    concurrentReadsMax: async () => book.concurrentMax(),
    async fault(fault) {
      await setLogin(broker, gate, book.fault, fault);
      book.fault = fault;
    },
    async restart() {
      await broker.end();
      await broker.start();
      client = await connectOld(version, broker, gate, book);
    },
    async close() {
      client.close();
      await gate.close();
      await broker.close();
    },
  };
}

/** Who is connected stays so when a password changes: the old system ends the connection as well. */
async function setLogin(
  broker: Mosquitto,
  gate: TcpGate,
  before: SuiteFault | undefined,
  fault: SuiteFault | undefined,
): Promise<void> {
  if (fault === 'auth expired') {
    await broker.setLogins({ ...LOGINS, [HUB_LOGIN[0]]: 'another-password' });
    cut(gate);
  } else if (before === 'auth expired') await broker.setLogins(LOGINS);
}

function cut(gate: TcpGate): void {
  gate.shut();
  gate.open();
}

async function connectOld(
  version: Version,
  broker: Mosquitto,
  gate: TcpGate,
  book: MessageBook,
): Promise<RawClient> {
  const client = await connectRaw({
    port: broker.port,
    version: version === '5' ? 5 : 4,
    clientId: 'old-system',
    login: OLD_LOGIN,
    onMessage(packet) {
      const { topic, properties } = replyOf(packet);
      const reply = (body: Buffer) => void client.publish(topic, body, properties).catch(() => undefined);
      void book.ask(questionOf(packet), reply, () => cut(gate));
    },
  });
  await client.subscribe(ASK_TOPIC);
  return client;
}

function questionOf({ payload }: IPublishPacket): Buffer {
  return Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
}

/** MQTT 5 says by properties where the answer goes, 3.1.1 leaves it to the body. */
function replyOf(packet: IPublishPacket): { topic: string; properties: Partial<IPublishPacket> } {
  const { responseTopic, correlationData } = packet.properties ?? {};
  if (responseTopic === undefined) {
    const { replyTo } = JSON.parse(questionOf(packet).toString('utf8')) as { replyTo: string };
    return { topic: replyTo, properties: {} };
  }
  const properties = correlationData === undefined ? {} : { correlationData };
  return { topic: responseTopic, properties: { properties } };
}
