// Which of the operations that were used a check goes by.

/** How one client used one operation, as gateways reported it (docs/registry.md). */
export interface OperationUse {
  /** SHA-256 hex of `document`. */
  readonly hash: string;
  /** Normalised (`describeOperation`); undefined when the text is not known: its coordinates speak for it then. */
  readonly document: string | undefined;
  /** What it uses; needed without a text. Default none. */
  readonly coordinates?: readonly string[] | undefined;
  readonly name?: string | null | undefined;
  readonly clientName?: string | null | undefined;
  readonly clientVersion?: string | null | undefined;
  readonly count: number;
  readonly lastSeen: Date;
}

/** What a check counts as used. */
export interface UseFilter {
  /** Uses that were last seen before are too old. */
  readonly from?: Date | undefined;
  /** An operation that was used less often, by all clients that count, is passed over. Default 1. */
  readonly countMin?: number | undefined;
  /** Clients that do not count, as `name` or `name@version`. */
  readonly excludedClients?: readonly string[] | undefined;
}

export interface UsedOperation {
  readonly hash: string;
  readonly document: string | undefined;
  readonly coordinates: readonly string[];
  readonly name: string | undefined;
  /** Of the clients that count. */
  readonly count: number;
  readonly lastSeen: Date;
  /** The latest first. */
  readonly clients: readonly ClientUse[];
}

export interface ClientUse {
  /** Undefined for one that does not say who it is. */
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly count: number;
  readonly lastSeen: Date;
}

export interface SelectedOperations {
  /** The most used first, those of equal use by hash. */
  readonly operations: readonly UsedOperation[];
  /** Operations that were used, and are passed over by the filter. */
  readonly passedOver: number;
}

/** One entry an operation, one in it a client and version, whatever the rows they came in. */
export function selectOperations(uses: readonly OperationUse[], filter: UseFilter): SelectedOperations {
  const excluded = new Set(filter.excludedClients ?? []);
  const from = filter.from?.getTime() ?? Number.NEGATIVE_INFINITY;
  const countMin = filter.countMin ?? 1;
  const byHash = Map.groupBy(uses, ({ hash }) => hash);
  const operations = [...byHash.values()].flatMap((rows): readonly UsedOperation[] => {
    const counted = rows.filter((use) => use.lastSeen.getTime() >= from && !isExcluded(use, excluded));
    const operation = joinUses(counted);
    return operation === undefined || operation.count < countMin ? [] : [operation];
  });
  operations.sort((a, b) => b.count - a.count || (a.hash < b.hash ? -1 : 1));
  return { operations, passedOver: byHash.size - operations.length };
}

function isExcluded({ clientName, clientVersion }: OperationUse, excluded: ReadonlySet<string>): boolean {
  if (typeof clientName !== 'string') return false;
  return excluded.has(clientName) || excluded.has(`${clientName}@${clientVersion ?? ''}`);
}

function joinUses(uses: readonly OperationUse[]): UsedOperation | undefined {
  const [first] = uses;
  if (first === undefined) return undefined;
  const byClient = Map.groupBy(uses, (use) => JSON.stringify([use.clientName, use.clientVersion]));
  const clients = [...byClient.values()].map((rows) => ({
    name: rows[0]?.clientName ?? undefined,
    version: rows[0]?.clientVersion ?? undefined,
    ...totalOf(rows),
  }));
  clients.sort((a, b) => b.lastSeen.getTime() - a.lastSeen.getTime() || b.count - a.count);
  return {
    hash: first.hash,
    document: first.document,
    coordinates: first.coordinates ?? [],
    name: first.name ?? undefined,
    ...totalOf(uses),
    clients,
  };
}

function totalOf(uses: readonly OperationUse[]): { readonly count: number; readonly lastSeen: Date } {
  return {
    count: uses.reduce((sum, { count }) => sum + count, 0),
    lastSeen: new Date(uses.reduce((latest, { lastSeen }) => Math.max(latest, lastSeen.getTime()), 0)),
  };
}
