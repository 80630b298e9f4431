// The settings of the simulated departments, read once from the environment.
import type { HumanResourcesOptions } from '../human-resources/server.ts';
import type { MarketSupervisionOptions } from '../market-supervision/server.ts';
import type { UrbanManagementOptions } from '../urban-management/server.ts';

type Without<Options> = Omit<Options, 'directory' | 'paceMs'>;

export interface DepartmentsConfig {
  readonly urbanManagement: Without<UrbanManagementOptions> | undefined;
  readonly humanResources: Without<HumanResourcesOptions> | undefined;
  readonly marketSupervision: Without<MarketSupervisionOptions> | undefined;
}

/** How settings are read: what is wrong is gathered, so that all of it is told at once. */
export interface Reading {
  read(name: string): string | undefined;
  readNumber(name: string, absent: number, max: number): number;
  require(name: string, isNeeded: boolean): string;
}

const PORT_MAX = 65_535;
const ANSWER_MS_DEFAULT = 700;
const ANSWER_MS_MAX = 60_000;

/** @param has whether the system shall run here */
export function readDepartments(
  { read, readNumber, require }: Reading,
  has: (system: string) => boolean,
): DepartmentsConfig {
  const webhook = (name: string) => ({
    port: readNumber(`${name}_PORT`, 0, PORT_MAX),
    webhookUrl: read(`${name}_WEBHOOK_URL`),
    webhookSecret: require(`${name}_WEBHOOK_SECRET`, read(`${name}_WEBHOOK_URL`) !== undefined),
  });
  const urbanManagement = () => ({
    ...webhook('URBAN_MANAGEMENT'),
    key: {
      appId: require('URBAN_MANAGEMENT_APP_ID', true),
      appSecret: require('URBAN_MANAGEMENT_APP_SECRET', true),
    },
  });
  const humanResources = () => ({
    controlPort: readNumber('HUMAN_RESOURCES_CONTROL_PORT', 0, PORT_MAX),
    answerMs: readNumber('HUMAN_RESOURCES_ANSWER_MS', ANSWER_MS_DEFAULT, ANSWER_MS_MAX),
    broker: readBroker(),
  });
  const readBroker = (): HumanResourcesOptions['broker'] => {
    const url = read('HUMAN_RESOURCES_AMQP_URL');
    if (url === undefined)
      return { kind: 'mqtt', port: readNumber('HUMAN_RESOURCES_MQTT_PORT', 0, PORT_MAX) };
    return { kind: 'amqp', url, prefix: require('HUMAN_RESOURCES_PREFIX', true) };
  };
  const marketSupervision = () => ({
    ...webhook('MARKET_SUPERVISION'),
    client: require('MARKET_SUPERVISION_CLIENT', true),
  });
  return {
    urbanManagement: has('urban-management') ? urbanManagement() : undefined,
    humanResources: has('human-resources') ? humanResources() : undefined,
    marketSupervision: has('market-supervision') ? marketSupervision() : undefined,
  };
}
