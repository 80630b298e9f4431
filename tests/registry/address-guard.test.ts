// Systems that others registered are not asked at addresses of the hub's own network, whatever their names resolve to by then.
import { createAddressGuard } from '@weft/core/address-guard';
import type { HubError } from '@weft/core/errors';
import { createLogger } from '@weft/core/logger';
import type { StartedGateway } from '@weft/gateway/start';
import {
  createUpstreamSubscriptions,
  type UpstreamSubscriptions,
} from '@weft/gateway/upstream/subscriptions';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { post } from '../gateway/reload-rig.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { createGraphRig, type GraphRig } from './graph-rig.ts';
import type { PublishedGraph } from './scripted-registry.ts';

describe('a gateway whose graph is the registry’s', () => {
  let rig: GraphRig;
  let gateway: StartedGateway | undefined;
  beforeEach(async () => {
    rig = await createGraphRig();
  });
  afterEach(async () => {
    await gateway?.close();
    gateway = undefined;
    await rig.close();
  });

  /** `shops` at another address of the same port. */
  const movedTo = (host: string): PublishedGraph => ({
    ...rig.whole,
    subgraphs: rig.whole.subgraphs.map((each) =>
      each.name === 'shops' ? { ...each, url: each.url.replace('127.0.0.1', host) } : each,
    ),
  });

  const refused = {
    data: { shops: null, now: 'noon' },
    errors: [
      {
        message: 'shops has an address that is not asked',
        path: ['shops'],
        extensions: { code: 'INVALID_URL', system: 'shops', origin: 'PROVIDER' },
      },
    ],
  };

  it.each([
    ['an address of this machine', '127.0.0.2'],
    ['the same in another writing', '2130706433'],
    ['a name that resolves to one', 'localhost'],
  ])('does not ask a system at %s, tells no address, and serves the others', async (_what, host) => {
    const shops = new URL(rig.shops.url);
    const allowed = rig.env.WEFT_REGISTRY_ALLOWED_HOSTS?.split(',').filter((each) => each !== shops.host);
    rig.registry.publish(movedTo(host));
    gateway = await rig.start({ WEFT_REGISTRY_ALLOWED_HOSTS: allowed?.join(',') ?? '' });
    expect(await post(gateway, '{ shops { id } now }')).toMatchObject(refused);
    expect(rig.shops.requests).toEqual([]);
    expect(await rig.shops.connections()).toBe(0);
  });

  it('asks it there when the settings name host and port', async () => {
    const { port } = new URL(rig.shops.url);
    rig.registry.publish(movedTo('localhost'));
    const allowed = `${rig.env.WEFT_REGISTRY_ALLOWED_HOSTS},localhost:${port}`;
    gateway = await rig.start({ WEFT_REGISTRY_ALLOWED_HOSTS: allowed });
    expect(await post(gateway, '{ shops { id } }')).toEqual({ data: { shops: [{ id: '1' }, { id: '2' }] } });
  });

  it('asks whomever an operator wrote into the files, while these are served', async () => {
    await rig.registry.stop();
    const file = rig.fileOf(rig.whole);
    gateway = await rig.start({ WEFT_SUPERGRAPH_FILE: file, WEFT_REGISTRY_ALLOWED_HOSTS: '' });
    expect(await post(gateway, '{ now }')).toEqual({ data: { now: 'noon' } });
  });
});

describe('an upstream subscription', () => {
  let upstream: ScriptedUpstream;
  let subscriptions: UpstreamSubscriptions;
  beforeEach(async () => {
    upstream = await startScriptedUpstream();
    const addressGuard = createAddressGuard({ allowedHosts: new Set(), setting: 'TEST' });
    subscriptions = createUpstreamSubscriptions({ logger: createLogger('test', 'silent'), addressGuard });
  });
  afterEach(async () => {
    await subscriptions.close();
    await upstream.close();
  });

  const ended = (url: string, protocol: 'graphql-transport-ws' | 'graphql-sse') =>
    new Promise<HubError | undefined>((resolve, reject) => {
      const request = {
        system: 'lamps',
        url,
        protocol,
        isGuarded: true,
        document: 'subscription { lampChanged }',
        operationName: undefined,
        variables: {},
        authority: { roles: [], scopes: [] },
        headers: [],
      };
      const onGap = () => reject(new Error('it is tried again'));
      subscriptions.subscribe(request, { onResult: () => undefined, onGap, onEnd: resolve });
    });

  it.each([
    ['graphql-transport-ws', 'ws', '127.0.0.1'],
    ['graphql-transport-ws', 'ws', 'localhost'],
    ['graphql-sse', 'http', '127.0.0.1'],
    ['graphql-sse', 'http', 'localhost'],
  ] as const)('over %s ends at %s://%s before anything is sent', async (protocol, scheme, host) => {
    const { port } = new URL(upstream.url);
    const error = await ended(`${scheme}://${host}:${port}/graphql`, protocol).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'INVALID_URL', system: 'lamps' });
    expect(upstream.received).toEqual([]);
    expect(await upstream.connections()).toBe(0);
  });
});
