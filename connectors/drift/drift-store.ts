// Keeps what was measured of each source's contract, and tells as an event when it turns out otherwise.
import type { CloudEvent } from '@weft/events/envelope';
import type { EventAppender } from '@weft/events/event-log';
import type { Store } from '../ingest/store.ts';
import type { Drift, Verdict } from './measure.ts';

export const DRIFT_TOPIC = 'ContractDrift';

export interface StoredDrift {
  readonly system: string;
  readonly source: string;
  readonly verdict: Verdict;
  readonly contractHash: string | null;
  readonly liveHash: string | null;
  readonly changes: readonly string[];
  readonly changeCount: number;
  readonly reason: string | null;
  readonly version: number;
  readonly checkedAt: Date;
  /** When the finding became this one. */
  readonly changedAt: Date;
}

const COLUMNS = `d.system, d.source, d.verdict, d.contract_hash AS "contractHash", d.live_hash AS "liveHash", d.changes,
  d.change_count AS "changeCount", d.reason, d.version, d.checked_at AS "checkedAt", d.changed_at AS "changedAt"`;

/**
 * Stores one finding. Another than the last is told in the same transaction; the first one of a source only when it
 * is CHANGED. A system that is away makes UNKNOWN of what was known: that is told too, once.
 * @returns the finding as it is stored, and whether it was told
 * @throws HubError STORE_UNAVAILABLE
 */
export function saveDrift(
  { store, appender }: { readonly store: Store; readonly appender: EventAppender },
  drift: Drift,
): Promise<{ readonly stored: StoredDrift; readonly isTold: boolean }> {
  const { system, source, verdict, contractHash, liveHash, changes, changeCount, reason } = drift;
  return store.transaction(async (transaction) => {
    // Hosts measure at once: the second one waits here, and finds that nothing is new.
    const [before] = await transaction.query<StoredDrift & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM connectors.contract_drift d WHERE d.system = $1 AND d.source = $2 FOR UPDATE`,
      [system, source],
    );
    const isOther = before !== undefined && !isSame(before, drift);
    const [stored] = await transaction.query<StoredDrift & Record<string, unknown>>(
      `INSERT INTO connectors.contract_drift AS d
         (system, source, verdict, contract_hash, live_hash, changes, change_count, reason)
       VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8)
       ON CONFLICT (system, source) DO UPDATE SET verdict = $3, contract_hash = $4, live_hash = $5, changes = $6::json,
         change_count = $7, reason = $8, checked_at = clock_timestamp(), version = d.version + $9::int,
         changed_at = CASE WHEN $9::int = 1 THEN clock_timestamp() ELSE d.changed_at END
       RETURNING ${COLUMNS}`,
      [
        system,
        source,
        verdict,
        contractHash ?? null,
        liveHash ?? null,
        JSON.stringify(changes),
        changeCount,
        reason ?? null,
        isOther ? 1 : 0,
      ],
    );
    const isTold = isOther || (before === undefined && verdict === 'CHANGED');
    if (isTold && stored !== undefined)
      await appender.append(transaction, DRIFT_TOPIC, [driftEvent(stored, before?.verdict)]);
    return { stored: stored as StoredDrift, isTold };
  });
}

function isSame(before: StoredDrift, { verdict, contractHash, liveHash }: Drift): boolean {
  if (before.verdict !== verdict) return false;
  return verdict === 'UNKNOWN' || (before.contractHash === contractHash && before.liveHash === liveHash);
}

function driftEvent(stored: StoredDrift, from: Verdict | undefined): CloudEvent {
  const { system, source, verdict, changes, changeCount, reason, version, checkedAt } = stored;
  const at = checkedAt.toISOString();
  return {
    specversion: '1.0',
    id: `${system}:${source}:${version}`,
    source: `/systems/${system}/contracts`,
    type: 'dev.weft.contract.drift',
    subject: `ContractDrift:${system}:${source}`,
    time: at,
    datacontenttype: 'application/json',
    sequence: String(version),
    partitionkey: `${system}:${source}`,
    data: {
      system: { name: system },
      change: { source, from: from ?? null, to: verdict, changes, changeCount, reason, at },
    },
  };
}

/** What is stored of some systems, by system. @throws HubError STORE_UNAVAILABLE */
export async function readDrift(
  store: Store,
  systems: readonly string[],
): Promise<ReadonlyMap<string, readonly StoredDrift[]>> {
  const rows = await store.transaction((transaction) =>
    transaction.query<StoredDrift & Record<string, unknown>>(
      `SELECT ${COLUMNS} FROM connectors.contract_drift d WHERE d.system = ANY($1::text[]) ORDER BY d.system, d.source`,
      [systems],
    ),
  );
  return Map.groupBy(rows, (row) => row.system);
}
