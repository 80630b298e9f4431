import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mosquitto, startMosquitto, whyNoMosquitto } from '../support/brokers.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { type MessageRig, startMessageRig } from './message-rig.ts';
import { expectOnce, publishAll, readings, sensorsSdl } from './sensors.ts';
import { connectRaw, type RawClient } from './suite/mqtt/raw-client.ts';

const whyNot = (await whyNoPostgres()) ?? whyNoMosquitto();

describe.skipIf(whyNot !== undefined).each([
  { version: 'MQTT_311', level: 4 },
  { version: 'MQTT_5', level: 5 },
] as const)('$version', ({ version, level }) => {
  let broker: Mosquitto;
  let rig: MessageRig;
  let old: RawClient;
  const heard: string[] = [];

  const connectOld = () =>
    connectRaw({
      port: broker.port,
      version: level,
      clientId: 'old',
      onMessage: ({ topic }) => void heard.push(topic),
    });

  beforeAll(async () => {
    broker = await startMosquitto();
    rig = await startMessageRig(sensorsSdl(version), {
      MQTT: `mqtt://127.0.0.1:${broker.port}`,
      CLIENT: 'hub-a',
    });
    old = await connectOld();
    await old.subscribe('lamps/#');
    await rig.startHost();
    // What is published before the first subscription is nobody's.
    await waitFor('the subscription', async () => {
      await publishAll(old, readings('first', 1));
      return (await rig.untilEvents(0)).size === 1;
    });
  });
  afterAll(async () => {
    old?.close();
    await rig?.close();
    await broker?.close();
  });

  it.each([
    ['C-mqtt-hash', '#'],
    ['C-mqtt-plus', 'dept/+/secret'],
    ['C-mqtt-slash', '../other'],
  ])('%s: refuses a value that could reach another topic, and sends nothing', async (_attack, id) => {
    const before = heard.length;
    const read = await rig.query('query($id: ID!) { lampState(id: $id) { state } }', { id });
    const write = await rig.query('mutation($id: ID!) { switchLamp(id: $id) { accepted } }', { id });
    for (const { errors } of [read, write])
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
    const good = await rig.query('mutation { switchLamp(id: "L_1-a") { accepted } }');
    expect(good).toEqual({ data: { switchLamp: { accepted: true } } });
    await waitFor('the good one to be heard', () => heard.length > before);
    expect(heard.slice(before)).toEqual(['lamps/L_1-a/set']);
  });

  it('C-mqtt-retain: makes one event of what is retained, sent with DUP, and published again', async () => {
    const known = (await rig.untilEvents(1)).size;
    for (let time = 0; time < 2; time += 1)
      await old.publish('city/retained/up', '{"n":1}', { dup: true, retain: true });
    await rig.untilEvents(known + 1);
    // Another client id: the broker gives it what is retained, as on every new subscription.
    await rig.startHost({ CLIENT: 'hub-b' });
    await publishAll(old, readings('after-retained', 1));
    await rig.untilEvents(known + 2);
    await rig.stopHost();
    await expectOnce(rig, known + 2);
  });

  it('keeps a reading under two levels of its topic, to be read from the store', async () => {
    await old.publish('city/D7/up/pm25', '{"n":2,"v":35.5}');
    await old.publish('city/D7/up/pm10', '{"n":1,"v":80}');
    await waitFor('both readings', async () => {
      const { data } = await rig.query(
        '{ a: reading(device: "D7", metric: "pm25") { value } b: reading(device: "D7", metric: "pm10") { value } }',
      );
      expect(data).toEqual({ a: { value: 35.5 }, b: { value: 80 } });
      return true;
    });
  });

  it('loses and doubles nothing when the broker is killed', async () => {
    const known = (await rig.untilEvents(1)).size;
    const all = readings('killed', 60);
    await publishAll(old, all.slice(0, 30));
    await broker.kill();
    await rig.untilState('DOWN');
    await broker.start();
    old = await connectOld();
    await old.subscribe('lamps/#');
    // The old system sends again what it is not sure of.
    await publishAll(old, all);
    await expectOnce(rig, known + 60);
  });
});
