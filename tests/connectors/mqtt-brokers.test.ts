import { once } from 'node:events';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { afterEach, describe, expect, it } from 'vitest';
import { startMosquitto, whyNoMosquitto } from '../support/brokers.ts';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { startMessageRig } from './message-rig.ts';
import { expectOnce, publishAll, readings, sensorsSdl } from './sensors.ts';
import { startRawBroker } from './suite/mqtt/raw-broker.ts';
import { connectRaw } from './suite/mqtt/raw-client.ts';

const whyNot = await whyNoPostgres();
const opened: { close(): unknown }[] = [];
const keep = <Part extends { close(): unknown }>(part: Part): Part => {
  opened.push(part);
  return part;
};
afterEach(async () => {
  for (const part of opened.splice(0).toReversed()) await part.close();
});

/** More than may be in flight at once. */
const COUNT = 100;

describe.skipIf(whyNot !== undefined)('an MQTT source', () => {
  it.each([4, 5] as const)(
    'acknowledges in order, and only what is durable: protocol level %i',
    async (level) => {
      const broker = keep(await startRawBroker(level));
      const sdl = sensorsSdl(level === 5 ? 'MQTT_5' : 'MQTT_311');
      const rig = keep(
        await startMessageRig(sdl, { MQTT: `mqtt://127.0.0.1:${broker.port}`, CLIENT: 'hub' }),
      );
      await rig.startHost();
      await waitFor('the subscription', () => broker.subscriptions() === 1);
      expect(broker.filters).toEqual(['city/+/up', 'city/+/up/+']);
      const ids = Array.from({ length: COUNT }, (_, index) => index + 1);
      const sendAll = (dup: boolean) => {
        for (const id of ids) broker.send(id, `city/D${id}/up`, JSON.stringify({ n: id }), dup);
      };

      rig.databaseGate.shut();
      const refusedBefore = rig.databaseGate.refused();
      sendAll(false);
      broker.send(COUNT + 1, 'city/bad/up', 'no JSON');
      // The connection breaks while nothing is stored: the broker sends all of it again, with DUP.
      await waitFor('the hub to seek its database', () => rig.databaseGate.refused() > refusedBefore);
      broker.cut();
      await waitFor('the next subscription', () => broker.subscriptions() === 2);
      expect(broker.acknowledged).toEqual([]);

      rig.databaseGate.open();
      sendAll(true);
      broker.send(COUNT + 1, 'city/bad/up', 'no JSON', true);
      await expectOnce(rig, COUNT);
      await waitFor('every acknowledgement', () => broker.acknowledged.length === COUNT + 1);
      expect(broker.acknowledged).toEqual([...ids, COUNT + 1]);
      const [bad] = await rig.rows<{ reason: string }>('SELECT reason FROM connectors.quarantine');
      expect(bad?.reason).toBe('expected JSON');
    },
  );

  it('works with aedes as with other brokers', async () => {
    const broker = await Aedes.createBroker();
    const server = createServer(broker.handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    keep(server);
    keep(broker);
    const { port } = server.address() as { port: number };
    const sdl = sensorsSdl('MQTT_311');
    const rig = keep(await startMessageRig(sdl, { MQTT: `mqtt://127.0.0.1:${port}`, CLIENT: 'hub' }));
    const old = keep(
      await connectRaw({
        port,
        version: 4,
        clientId: 'old',
        onMessage({ payload }) {
          const { replyTo } = JSON.parse(payload.toString()) as { replyTo: string };
          void old.publish(replyTo, '{"state":"ON"}');
        },
      }),
    );
    await old.subscribe('lamps/+/get');
    await rig.startHost();
    await waitFor('the lamp to be asked', async () => {
      const { data } = await rig.query('{ lampState(id: "L1") { state } }');
      expect(data).toEqual({ lampState: { state: 'ON' } });
      return true;
    });
    await publishAll(old, [...readings('aedes', 20), ...readings('aedes', 20)]);
    await expectOnce(rig, 20);
  });

  it.skipIf(whyNoMosquitto() !== undefined)('shares the messages among the hosts of a group', async () => {
    const broker = keep(await startMosquitto());
    const sdl = sensorsSdl('MQTT_5', ', group: "weft"');
    const env = { MQTT: `mqtt://127.0.0.1:${broker.port}` };
    const one = keep(await startMessageRig(sdl, { ...env, CLIENT: 'one' }));
    const other = keep(await startMessageRig(sdl, { ...env, CLIENT: 'other' }));
    await Promise.all([one.startHost(), other.startHost()]);
    const old = keep(await connectRaw({ port: broker.port, version: 5, clientId: 'old' }));
    const events = async () => [await one.untilEvents(0), await other.untilEvents(0)] as const;
    let round = 0;
    await waitFor('both to have some', async () => {
      round += 1;
      await publishAll(old, readings(`round-${round}-`, 4));
      return (await events()).every(({ size }) => size > 0);
    });
    await waitFor('every message to be taken', async () => {
      const [first, second] = await events();
      return first.size + second.size >= round * 4;
    });
    const [first, second] = await events();
    // Each host has a store of its own here: what both had would be counted twice.
    expect(first.size + second.size).toBe(round * 4);
  });
});
