// The settings of the simulated systems, read once from the environment.

import { type DepartmentsConfig, readDepartments } from './departments/config.ts';

/** What runs unless SIMULATORS says otherwise. */
const SYSTEMS_DEFAULT = ['hotline', 'grid', 'police', 'city'] as const;
export const SYSTEMS = [
  ...SYSTEMS_DEFAULT,
  'urban-management',
  'human-resources',
  'market-supervision',
] as const;
export type SystemName = (typeof SYSTEMS)[number];

export interface SimulatorsConfig {
  readonly systems: ReadonlySet<SystemName>;
  /** Where each system keeps its books; empty for the city alone, which has none. */
  readonly directory: string;
  readonly hotlinePort: number;
  readonly gridControlPort: number;
  readonly policePort: number;
  readonly webhookUrl: string | undefined;
  readonly webhookSecret: string;
  readonly appKey: string;
  readonly gridMariadbUrl: string | undefined;
  /** Where the city finds the systems that run in other processes: their `/_control` URLs. */
  readonly controlUrls: Readonly<Record<'hotline' | 'grid' | 'police', string | undefined>>;
  /** The hub's GraphQL, where the city's staff of the command centre act; undefined: nobody does. */
  readonly hubUrl: string | undefined;
  readonly departments: DepartmentsConfig;
  /** Orders a minute; 0 is a quiet city, in which departments do nothing by themselves. */
  readonly demoRatePerMinute: number;
  readonly demoSeed: number;
}

const RATE_PER_MINUTE_DEFAULT = 24;
const RATE_PER_MINUTE_MAX = 6_000;

/** Throws one error that names every setting that is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): SimulatorsConfig {
  const problems: string[] = [];
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const readNumber = (name: string, absent: number, max: number): number => {
    const value = Number(read(name) ?? absent);
    if (!(value >= 0 && value <= max)) problems.push(`${name}: expected 0 to ${max}, got ${read(name)}`);
    return value;
  };
  const require = (name: string, isNeeded: boolean): string => {
    if (isNeeded && read(name) === undefined) problems.push(`${name}: missing`);
    return read(name) ?? '';
  };
  const readUrl = (name: string): string | undefined => {
    const url = read(name);
    if (url !== undefined && !/^https?:\/\/[^/]/.test(url))
      problems.push(`${name}: expected an http URL, got ${url}`);
    return url?.replace(/\/+$/, '');
  };
  const names = (read('SIMULATORS') ?? SYSTEMS_DEFAULT.join(',')).split(',').map((name) => name.trim());
  const systems = new Set(SYSTEMS.filter((system) => names.includes(system)));
  if (systems.size !== new Set(names).size)
    problems.push(`SIMULATORS: expected some of ${SYSTEMS.join(',')}`);
  const config: SimulatorsConfig = {
    systems,
    directory: require('WEFT_SIM_DIR', [...systems].some((system) => system !== 'city')),
    hotlinePort: readNumber('HOTLINE_PORT', 0, 65_535),
    gridControlPort: readNumber('GRID_CONTROL_PORT', 0, 65_535),
    policePort: readNumber('POLICE_PORT', 0, 65_535),
    webhookUrl: read('HOTLINE_WEBHOOK_URL'),
    webhookSecret: require('HOTLINE_WEBHOOK_SECRET', read('HOTLINE_WEBHOOK_URL') !== undefined),
    appKey: require('HOTLINE_APP_KEY', systems.has('hotline')),
    gridMariadbUrl: read('GRID_MARIADB_URL'),
    controlUrls: {
      hotline: readUrl('HOTLINE_CONTROL_URL'),
      grid: readUrl('GRID_CONTROL_URL'),
      police: readUrl('POLICE_CONTROL_URL'),
    },
    hubUrl: readUrl('HUB_GRAPHQL_URL'),
    departments: readDepartments({ read, readNumber, require }, (system) =>
      systems.has(system as SystemName),
    ),
    demoRatePerMinute: readNumber('DEMO_RATE', RATE_PER_MINUTE_DEFAULT, RATE_PER_MINUTE_MAX),
    demoSeed: readNumber('DEMO_SEED', 1, Number.MAX_SAFE_INTEGER),
  };
  if (problems.length > 0) throw new Error(`settings of the simulators: ${problems.join('; ')}`);
  return Object.freeze(config);
}
