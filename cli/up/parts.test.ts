import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readUpConfig } from './config.ts';
import { PORT_NAMES, planParts } from './parts.ts';

describe('planParts', () => {
  const home = mkdtempSync(join(tmpdir(), 'weft-parts-'));
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });

  function environmentOf(
    part: string,
    settings: Readonly<Record<string, string>> = {},
    hasRabbitmq = true,
  ): Readonly<Record<string, string>> {
    const ports = Object.fromEntries(PORT_NAMES.map((name, index) => [name, 1000 + index]));
    const specs = planParts({
      home,
      hasRabbitmq,
      config: readUpConfig(settings, []),
      databaseUrl: 'postgresql://weft@127.0.0.1/weft',
      secrets: {
        directory: join(home, 'secrets'),
        keysFile: 'keys.json',
        subgraphKeysFile: 'subgraph-keys.json',
        evidenceKeyFile: 'evidence-key.pem',
        registryKeyFile: 'registry-key.pem',
        registryPublicKeyFile: 'registry-key.pub.pem',
        hotlineAppKey: 'a',
        hotlineWebhook: 'b',
        departments: {
          urbanManagementApp: 'c',
          urbanManagementHmac: 'd',
          urbanManagementWebhook: 'e',
          marketSupervisionClient: 'f',
          marketSupervisionWebhook: 'g',
        },
      },
      ports: ports as Record<(typeof PORT_NAMES)[number], number>,
      stored: [
        {
          name: 'market',
          servedBy: 'connectors',
          sdl: '',
          sources: [],
          environment: ['MARKET_URL', 'WEFT_POLICE_URL'],
        },
      ],
    });
    return specs.find(({ name }) => name === part)?.env ?? {};
  }

  it('gives the connectors the addresses and secrets that the SDL of any wrapped system names, and nobody else', () => {
    vi.stubEnv('MARKET_URL', 'http://127.0.0.1:4091');
    vi.stubEnv('SECRET_MARKET_KEY', 'key');
    vi.stubEnv('UNRELATED', 'x');
    expect(environmentOf('connectors')).toMatchObject({
      MARKET_URL: 'http://127.0.0.1:4091',
      SECRET_MARKET_KEY: 'key',
    });
    expect(environmentOf('connectors').UNRELATED).toBeUndefined();
    expect(environmentOf('gateway').SECRET_MARKET_KEY).toBeUndefined();
    expect(environmentOf('police').DATABASE_URL).toBeUndefined();
  });

  it('starts the delivery of webhooks only where there is a file of them, with the secrets that they sign with', () => {
    expect(environmentOf('webhooks')).toEqual({});
    vi.stubEnv('SECRET_BUREAU', 'whsec_x');
    expect(environmentOf('webhooks', { WEFT_WEBHOOKS_FILE: 'webhooks.json', PORT: '4001' })).toMatchObject({
      WEFT_WEBHOOKS_FILE: 'webhooks.json',
      WEFT_WEBHOOKS_GATEWAY_URL: 'ws://127.0.0.1:4001/graphql',
      SECRET_BUREAU: 'whsec_x',
    });
  });

  it('has the gateway take the tokens of its own home, whose key nobody else can read', () => {
    const { WEFT_JWKS: jwksFile = '', ...env } = environmentOf('gateway');
    expect(env).toMatchObject({ WEFT_JWT_ISSUER: 'weft-development', WEFT_JWT_AUDIENCE: 'weft' });
    const [key] = JSON.parse(readFileSync(jwksFile, 'utf8')).keys;
    expect(key).toMatchObject({ kty: 'EC', alg: 'ES256', kid: expect.any(String) });
    expect(key).not.toHaveProperty('d');
    expect(statSync(join(home, 'issuer', 'key.json')).mode & 0o077).toBe(0);
    // Kept: tokens outlive a start.
    expect(readFileSync(environmentOf('gateway').WEFT_JWKS ?? '', 'utf8')).toContain(key.kid);
  });

  it('has it take those of a real issuer instead, and none of a demo in production', () => {
    const real = { WEFT_JWKS: 'https://issuer.test/jwks', WEFT_JWT_ISSUER: 'i', WEFT_JWT_AUDIENCE: 'a' };
    expect(environmentOf('gateway', real)).toMatchObject(real);
    expect(environmentOf('gateway', { NODE_ENV: 'production' })).not.toHaveProperty('WEFT_JWKS');
    expect(environmentOf('gateway', { WEFT_JWT_ISSUER: 'i' })).not.toHaveProperty('WEFT_JWKS');
    expect(existsSync(join(home, 'issuer'))).toBe(false);
  });

  it('gives who signs and who verify their keys, and the keys of cursors to the gateway alone', () => {
    const keys = ['gateway', 'subgraphs', 'connectors', 'hotline'].map(
      (part) => environmentOf(part).WEFT_KEYS_FILE,
    );
    expect(keys).toEqual(['keys.json', 'subgraph-keys.json', 'subgraph-keys.json', undefined]);
  });

  it('has the registry sign and know the checkout, and the gateway verify; both allow the hub its own ports exactly', () => {
    const settings = { WEFT_REGISTRY_ALLOWED_HOSTS: 'police.example:8443' };
    const [registry, gateway] = [environmentOf('subgraphs', settings), environmentOf('gateway', settings)];
    const allowed = '127.0.0.1:1000,127.0.0.1:1001,127.0.0.1:1010,police.example:8443';
    expect(registry).toMatchObject({
      WEFT_REGISTRY_KEY_FILE: 'registry-key.pem',
      WEFT_REGISTRY_SEED_FILE: join(home, 'subgraphs.json'),
      WEFT_REGISTRY_ALLOWED_HOSTS: allowed,
    });
    expect(gateway).toMatchObject({
      WEFT_REGISTRY_URL: 'http://127.0.0.1:1000/registry/graphql',
      WEFT_REGISTRY_PUBLIC_KEYS_FILE: 'registry-key.pub.pem',
      WEFT_REGISTRY_CACHE: join(home, 'graph'),
      WEFT_REGISTRY_ALLOWED_HOSTS: allowed,
    });
    expect(gateway).not.toHaveProperty('WEFT_REGISTRY_KEY_FILE');
    expect(environmentOf('gateway', { WEFT_ENGINE: 'apollo' })).not.toHaveProperty('WEFT_REGISTRY_URL');
  });

  it('tells the connectors, and nobody else, by which Redis they share', () => {
    const settings = { WEFT_GUARD_REDIS_URL: 'redis://127.0.0.1:6379/3', WEFT_GUARD_REPLICAS: '4' };
    expect(environmentOf('connectors', settings)).toMatchObject(settings);
    expect(environmentOf('gateway', settings)).not.toHaveProperty('WEFT_GUARD_REDIS_URL');
  });

  it('tells all who read or move events which engine carries them, and nobody else', () => {
    const settings = { EVENT_LOG: 'redis://127.0.0.1:6379', WEFT_EVENT_RETENTION: '7d' };
    const parts = ['gateway', 'subgraphs', 'events', 'connectors', 'hotline'];
    const told = parts.map((part) => environmentOf(part, settings).EVENT_LOG);
    expect(told).toEqual([settings.EVENT_LOG, settings.EVENT_LOG, settings.EVENT_LOG, undefined, undefined]);
    expect(environmentOf('events', settings)).toMatchObject({
      WEFT_EVENT_RETENTION: '7d',
      DATABASE_URL: 'postgresql://weft@127.0.0.1/weft',
    });
  });

  it('has human resources on RabbitMQ under queues of its home, and where none answers on MQTT, for both sides alike', () => {
    const settings = { WEFT_HR_AMQP_URL: 'amqp://u:p%40@10.0.0.9' };
    const [hub, department] = [environmentOf('connectors', settings), environmentOf('departments', settings)];
    expect(department).toMatchObject({
      SIMULATORS: 'urban-management,human-resources,market-supervision',
      HUMAN_RESOURCES_AMQP_URL: settings.WEFT_HR_AMQP_URL,
      HUMAN_RESOURCES_PREFIX: expect.stringMatching(/^weft-hr-[0-9a-f]{12}$/),
    });
    expect(hub).toMatchObject({
      WEFT_HR_PREFIX: department.HUMAN_RESOURCES_PREFIX,
      SECRET_HUMAN_RESOURCES_LOGIN: 'u:p@',
    });
    expect(hub).not.toHaveProperty('WEFT_SYSTEM_VARIANTS');
    expect(environmentOf('connectors', {}, false)).toMatchObject({
      WEFT_SYSTEM_VARIANTS: 'human-resources=over-mqtt',
      WEFT_HR_MQTT_URL: 'mqtt://127.0.0.1:1008',
    });
    expect(environmentOf('departments', {}, false)).toMatchObject({ HUMAN_RESOURCES_MQTT_PORT: '1008' });
    expect(environmentOf('departments', {}, false)).not.toHaveProperty('HUMAN_RESOURCES_AMQP_URL');
  });

  it('lets a real system stand in the place of a simulated one', () => {
    expect(environmentOf('connectors').WEFT_POLICE_URL).toBe('http://127.0.0.1:1005/CaseService');
    vi.stubEnv('WEFT_POLICE_URL', 'http://10.0.0.1/CaseService');
    expect(environmentOf('connectors').WEFT_POLICE_URL).toBe('http://10.0.0.1/CaseService');
  });
});
