// Which operations were used by which clients since the last report, counted by identity and described when they are told.
import { describeOperation } from '@weft/schema/operations/describe-operation';
import { getOperationAST, parse } from 'graphql';
import type { ClientIdentity } from '../observe/client-identity.ts';
import type { OperationWatch } from '../observe/operation-watch.ts';
import type { UsedOperation } from '../observe/used-operation.ts';
import type { UsageLimits } from './usage-limits.ts';

/** `OperationUseInput` of docs/registry.md, with its document. */
export interface OperationUse {
  readonly hash: string;
  readonly document: string;
  readonly name: string | null;
  readonly clientName: string | null;
  readonly clientVersion: string | null;
  readonly kind: string;
  readonly count: number;
  readonly errors: number;
  readonly lastSeen: string;
  readonly coordinates: readonly string[];
}

export interface OperationUses {
  /** @param count 0: it is in use still */
  count(watch: Pick<OperationWatch, 'used' | 'client'>, count: number, errors: number): void;
  /** Begins anew. `dropped`: uses that were not counted, since a bound was reached. */
  take(): Promise<{ readonly operations: readonly OperationUse[]; readonly dropped: number }>;
}

interface Count {
  readonly client: ClientIdentity;
  count: number;
  errors: number;
  /** Milliseconds since 1970. */
  lastSeenMs: number;
}

type Counts = Map<UsedOperation, Map<string, Count>>;
type Description = Pick<OperationUse, 'hash' | 'document' | 'name' | 'kind' | 'coordinates'>;

export function createOperationUses(limits: UsageLimits): OperationUses {
  let counts: Counts = new Map();
  let [size, chars, dropped] = [0, 0, 0];
  const descriptions = new WeakMap<UsedOperation, Description | 'none'>();

  function countsOf(used: UsedOperation): Map<string, Count> | undefined {
    const known = counts.get(used);
    if (known !== undefined) return known;
    if (chars + used.query.length > limits.documentCharsMax) return undefined;
    chars += used.query.length;
    const added = new Map<string, Count>();
    counts.set(used, added);
    return added;
  }

  function entryOf(used: UsedOperation, client: ClientIdentity): Count | undefined {
    if (size >= limits.operationsMax && !counts.has(used)) return undefined;
    const clients = countsOf(used);
    const key =
      client.name === undefined && client.version === undefined ? '' : `${client.name}\n${client.version}`;
    const known = clients?.get(key);
    if (known !== undefined || clients === undefined) return known;
    if (size >= limits.operationsMax) return undefined;
    size += 1;
    const added = { client, count: 0, errors: 0, lastSeenMs: 0 };
    clients.set(key, added);
    return added;
  }

  return {
    count({ used, client }, count, errors) {
      if (used === undefined) return;
      const entry = entryOf(used, client);
      if (entry === undefined) {
        dropped += count;
        return;
      }
      entry.count += count;
      entry.errors += errors;
      entry.lastSeenMs = Date.now();
    },
    async take() {
      const taken = { counts, dropped };
      counts = new Map();
      [size, chars, dropped] = [0, 0, 0];
      const described = await describeAll(taken.counts, descriptions, limits.describedPerTurnMax);
      return { operations: described.operations, dropped: taken.dropped + described.dropped };
    },
  };
}

/** Equal ones are one, whatever their texts were and whichever graph they were prepared on. */
async function describeAll(
  counts: Counts,
  descriptions: WeakMap<UsedOperation, Description | 'none'>,
  perTurnMax: number,
): Promise<{ readonly operations: readonly OperationUse[]; readonly dropped: number }> {
  const all = new Map<string, OperationUse>();
  let [dropped, described] = [0, 0];
  for (const [used, clients] of counts) {
    let description = descriptions.get(used);
    if (description === undefined) {
      description = describe(used) ?? 'none';
      descriptions.set(used, description);
      described += 1;
      if (described % perTurnMax === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { client, count, errors, lastSeenMs } of clients.values()) {
      if (description === 'none') {
        dropped += count;
        continue;
      }
      const { name: clientName = null, version: clientVersion = null } = client;
      const key = JSON.stringify([description.hash, clientName, clientVersion]);
      const before = all.get(key);
      all.set(key, {
        ...description,
        clientName,
        clientVersion,
        count: count + (before?.count ?? 0),
        errors: errors + (before?.errors ?? 0),
        lastSeen: new Date(Math.max(lastSeenMs, Date.parse(before?.lastSeen ?? '') || 0)).toISOString(),
      });
    }
  }
  return { operations: [...all.values()], dropped };
}

/** Lets go of the schema: from now on it is that of a graph which may be replaced. */
function describe(used: UsedOperation): Description | undefined {
  const { query, operationName, schema } = used;
  used.schema = undefined;
  if (schema === undefined) return undefined;
  const parsed = parse(query, { noLocation: true });
  const operation = getOperationAST(parsed, operationName);
  if (operation === null || operation === undefined) return undefined;
  const { hash, document, name = null, kind, coordinates } = describeOperation(schema, parsed, operation);
  return { hash, document, name, kind, coordinates };
}
