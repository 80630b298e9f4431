// Row 6 of the fault matrix: a subgraph that was restarted with another schema than is registered is found, shown and reported.
import { createLogger } from '@weft/core/logger';
import { readGatewayConfig } from '@weft/gateway/config';
import { DRIFT_LIMITS } from '@weft/gateway/registry/drift';
import { type StartedGateway, startGateway } from '@weft/gateway/start';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { post } from '../gateway/reload-rig.ts';
import { waitFor } from '../support/wait.ts';
import { createGraphRig, type GraphRig } from './graph-rig.ts';

const FOUND_MS_MAX = 60_000;

let rig: GraphRig;
let gateway: StartedGateway;
beforeEach(async () => {
  rig = await createGraphRig();
  rig.registry.publish(rig.whole);
  gateway = await startGateway({
    config: readGatewayConfig({ ...rig.env, WEFT_METRICS: 'main' }),
    logger: createLogger('test', 'silent'),
    driftLimits: { lookMs: 50 },
  });
});
afterEach(async () => {
  await gateway.close();
  await rig.close();
});

const drift = async () => {
  const text = await (await fetch(gateway.urls.metrics ?? '')).text();
  return text.split('\n').filter((line) => line.startsWith('weft_subgraph_drift{'));
};
const asked = () => rig.shops.requests.filter(({ query }) => query.includes('_service')).length;

/** As if it had been restarted with that name for the field. */
const renameField = (to: string) => ({
  kind: 'rewrite' as const,
  rewrite: (body: string) => body.replaceAll('name: String', `${to}: String`),
});

describe('a live subgraph', () => {
  it('is looked at, by signed requests, and shown nowhere while it serves what is registered', async () => {
    await waitFor('two looks', () => asked() >= 2);
    expect(rig.shops.requests.at(-1)?.headers).toHaveProperty('signature');
    expect((await drift()).filter((line) => line.includes('shops'))).toEqual([]);
  });

  it('that lacks a field is found, shown in the metrics and told to the registry, until it is as registered', async () => {
    rig.shops.fault = renameField('title');
    await waitFor('the metric', async () =>
      (await drift()).includes('weft_subgraph_drift{subgraph="shops"} 2'),
    );
    await waitFor('the report', () => rig.registry.drifts.some(({ system }) => system === 'shops'));
    expect(rig.registry.drifts.find(({ system }) => system === 'shops')).toMatchObject({
      differences: ['Shop.name is not there', 'Shop.title is new'],
    });
    expect(await post(gateway, '{ now }')).toEqual({ data: { now: 'noon' } });
    rig.shops.fault = undefined;
    await waitFor('the end', async () => !(await drift()).some((line) => line.includes('shops')));
    await waitFor('its report', () => rig.registry.drifts.at(-1)?.differences.length === 0);
  });

  it('that does not answer is no difference, and keeps nothing from being looked at', async () => {
    rig.hours.fault = { kind: 'status', status: 500, body: 'no' };
    const before = asked();
    await waitFor('two more looks', () => asked() >= before + 2);
    expect((await drift()).filter((line) => line.includes('hours') && line.includes('no SDL'))).toEqual([]);
  });

  it('is found within a minute by the bounds that hold unless told otherwise', () => {
    const { lookMs, requestTimeoutMs } = DRIFT_LIMITS;
    expect(2 * lookMs + requestTimeoutMs).toBeLessThan(FOUND_MS_MAX);
  });
});
