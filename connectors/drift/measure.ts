// Measures whether a source still is what its contract says.
import { deadlineSignal } from '@weft/core/deadline';
import { HubError, OperatorError } from '@weft/core/errors';
import type { Secrets } from '@weft/core/secrets';
import { readOpenapi } from '../discover/openapi/read-openapi.ts';
import { readWsdl } from '../discover/wsdl/read-wsdl.ts';
import { type HttpChannel, openChannel } from '../http/channel.ts';
import type { GuardedSource, RunningSystem } from '../load/system.ts';
import type { RestSource, SoapSource, SqlSource } from '../plan.ts';
import { decodeSqlError } from '../sql/decode.ts';
import { openEngine } from '../sql/open-engine.ts';
import { readTables } from '../sql/tables.ts';
import { structureOfContract } from './contract-structure.ts';
import { NoLiveContract, withLiveDocument } from './live-documents.ts';
import { compareStructures, hashOfStructure, type Structure } from './structure.ts';
import { readTablesFile, structureOfTables, structureOfUse, usedColumns } from './table-structure.ts';

export type Verdict = 'UNCHANGED' | 'CHANGED' | 'UNKNOWN';

export interface Drift {
  readonly system: string;
  readonly source: string;
  readonly verdict: Verdict;
  /** Of what the contract in the folder says; undefined when there is none. */
  readonly contractHash: string | undefined;
  /** Of what the system says now; undefined when that is not known. */
  readonly liveHash: string | undefined;
  /** What changed, at most 50 lines. */
  readonly changes: readonly string[];
  readonly changeCount: number;
  /** Why it is UNKNOWN. */
  readonly reason: string | undefined;
}

/** One measuring, all that it fetches together. */
const MEASURE_MS_MAX = 20_000;

/** Every called source of a system, one after the other; a source that fails is UNKNOWN. */
export async function measureSystem(system: RunningSystem, secrets: Secrets): Promise<readonly Drift[]> {
  const found: Drift[] = [];
  for (const source of system.sources.values()) found.push(await measureSource(system, source, secrets));
  return found;
}

interface Measured {
  readonly contract: Structure | undefined;
  readonly live: Structure;
}

/** One source. Everything that goes wrong is in the result. */
export async function measureSource(
  system: RunningSystem,
  source: GuardedSource,
  secrets: Secrets,
): Promise<Drift> {
  const base = { system: system.plan.name, source: source.plan.name };
  try {
    const { contract, live } = await readBoth(system, source, secrets);
    if (contract === undefined) throw new NoLiveContract('the folder has no contract of it');
    const { changes, changeCount } = compareStructures(contract, live);
    const hashes = { contractHash: hashOfStructure(contract), liveHash: hashOfStructure(live) };
    return {
      ...base,
      ...hashes,
      verdict: changeCount === 0 ? 'UNCHANGED' : 'CHANGED',
      changes,
      changeCount,
      reason: undefined,
    };
  } catch (thrown) {
    const nothing = { contractHash: undefined, liveHash: undefined, changes: [], changeCount: 0 };
    return { ...base, ...nothing, verdict: 'UNKNOWN', reason: reasonOf(thrown) };
  }
}

/** In our own words: nothing that a system answered. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof NoLiveContract) return thrown.message;
  if (thrown instanceof OperatorError)
    return `its live contract cannot be read: ${thrown.message.replace(/^\S*weft-drift-[^/]+\//, '')}`;
  const { code, message } = HubError.from(thrown);
  return `${code}: ${message}`;
}

function readBoth(system: RunningSystem, source: GuardedSource, secrets: Secrets): Promise<Measured> {
  const { plan } = source;
  switch (plan.protocol) {
    case 'soap':
      return readSoap(system, source, plan, secrets);
    case 'rest':
      return readRest(system, source, plan, secrets);
    case 'sql':
      return readSql(system, source, plan);
    case 'mqtt':
    case 'amqp':
      return Promise.reject(
        new NoLiveContract('messages of a broker have no contract that could be asked for'),
      );
    default:
      return plan satisfies never;
  }
}

async function readSoap(
  system: RunningSystem,
  source: GuardedSource,
  plan: SoapSource,
  secrets: Secrets,
): Promise<Measured> {
  const read = (file: string) => structureOfContract(readWsdl(file, new Set()));
  const contract = read(plan.wsdlFile);
  const live = await overHttp(system, source, plan, secrets, (channel, fetchPath) => {
    const address = new URL(channel.address);
    address.search = '?wsdl';
    return withLiveDocument(plan.wsdlFile, address, fetchPath, read);
  });
  return { contract, live };
}

async function readRest(
  system: RunningSystem,
  source: GuardedSource,
  plan: RestSource,
  secrets: Secrets,
): Promise<Measured> {
  const { openapiFile, openapiUrl } = plan;
  if (openapiFile === undefined)
    throw new NoLiveContract('the folder has no contract of it: set rest.openapi in its @source');
  if (openapiUrl === undefined)
    throw new NoLiveContract('it is not said where its live contract is: set rest.openapiUrl in its @source');
  const read = (file: string) => structureOfContract(readOpenapi(file, new Set()));
  const contract = read(openapiFile);
  const live = await overHttp(system, source, plan, secrets, (channel, fetchPath) => {
    const base = channel.address.href.replace(/\/$/, '');
    const text = openapiUrl.startsWith('/') ? `${base}${openapiUrl}` : openapiUrl;
    if (!URL.canParse(text)) throw new NoLiveContract('openapiUrl is no address');
    const address = new URL(text);
    if (address.origin !== channel.address.origin)
      throw new NoLiveContract('openapiUrl is at another origin than the source, which is not asked');
    return withLiveDocument(openapiFile, address, fetchPath, read);
  });
  return { contract, live };
}

/** Each file is one call under the source's guard, as any other. */
async function overHttp(
  system: RunningSystem,
  source: GuardedSource,
  plan: RestSource | SoapSource,
  secrets: Secrets,
  work: (channel: HttpChannel, fetchPath: Parameters<typeof withLiveDocument>[2]) => Promise<Structure>,
): Promise<Structure> {
  const channel = openChannel(system.plan.name, plan, { env: system.env, timezone: plan.timezone }, secrets);
  const deadline = deadlineSignal(MEASURE_MS_MAX);
  const operation = 'the contract';
  const context = { system: system.plan.name, source: plan.name, operation };
  const correlationId = crypto.randomUUID();
  try {
    return await work(channel, (path) =>
      source.guard.run({
        operation,
        isRead: true,
        signal: deadline,
        execute: (signal) =>
          channel.send(
            { method: 'GET', path, headers: {}, body: undefined },
            { signal, correlationId },
            context,
          ),
      }),
    );
  } finally {
    await channel.close();
  }
}

async function readSql(system: RunningSystem, source: GuardedSource, plan: SqlSource): Promise<Measured> {
  const used = usedColumns(system.plan, plan.name);
  const url = plan.url.evaluate({ env: system.env, timezone: plan.timezone });
  const operation = 'the catalogue';
  const opened = openEngine(url, { connectionsMax: 1, timeoutMs: plan.guard.timeoutMs });
  if (opened === undefined) throw new NoLiveContract('its URL is not set');
  try {
    const tables = await source.guard.run({
      operation,
      isRead: true,
      signal: deadlineSignal(MEASURE_MS_MAX),
      execute: (signal) =>
        readTables(opened, signal).catch((thrown: unknown) => {
          if (signal.aborted) throw signal.reason;
          throw decodeSqlError(thrown, { system: system.plan.name, source: plan.name, operation });
        }),
    });
    const { tablesFile } = plan;
    const contract =
      tablesFile === undefined
        ? structureOfUse(used)
        : structureOfTables(readTablesFile(tablesFile), used, true);
    return { contract, live: structureOfTables(tables, used, tablesFile !== undefined) };
  } finally {
    await opened.engine.close();
  }
}
