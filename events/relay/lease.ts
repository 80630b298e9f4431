// The lease of the one relay that works: a row that beats while its holder lives, and a fence that grows with every holder.

import { LEASE_MS } from '../limits.ts';
import type { StorePool } from '../postgres/pool.ts';

export const LEASE_NAME = 'relay';

/** By what the holder writes: an engine that has seen a greater one refuses it. */
export type Fence = bigint;

export interface LeaseWatch {
  /** Takes the lease when it is free, or has stood still for `LEASE_MS`; undefined while another has it. */
  tryTake(): Promise<Fence | undefined>;
}

interface Row {
  readonly holder: string | null;
  readonly fence: string;
  readonly beat: string;
}

const LOOK = `
WITH made AS (
  INSERT INTO events.relay_lease (name, holder, fence, beat) VALUES ($1, NULL, 0, 0) ON CONFLICT DO NOTHING
)
SELECT holder, fence::text, beat::text FROM events.relay_lease WHERE name = $1`;

const TAKE = `
UPDATE events.relay_lease SET holder = $2, fence = fence + 1, beat = 0
WHERE name = $1 AND fence = $3::bigint AND beat = $4::bigint AND holder IS NOT DISTINCT FROM $5
RETURNING fence::text`;

/**
 * No clock of a wall counts: the beat is compared with what it was, by this process's monotonic clock.
 * @param holder for people who look into the table
 */
export function watchLease(pool: StorePool, holder: string): LeaseWatch {
  let seen: { readonly row: Row; readonly sinceMs: number } | undefined;
  return {
    async tryTake() {
      const { rows } = await pool.query<Row>(LOOK, [LEASE_NAME]);
      const row = rows[0];
      // It was made by this very look, and is seen by the next.
      if (row === undefined) return undefined;
      if (seen === undefined || seen.row.fence !== row.fence || seen.row.beat !== row.beat)
        seen = { row, sinceMs: performance.now() };
      if (row.holder !== null && performance.now() - seen.sinceMs < LEASE_MS) return undefined;
      const taken = await pool.query<{ fence: string }>(TAKE, [
        LEASE_NAME,
        holder,
        row.fence,
        row.beat,
        row.holder,
      ]);
      const fence = taken.rows[0]?.fence;
      return fence === undefined ? undefined : BigInt(fence);
    },
  };
}

/** False when the lease is another's by now. */
export async function beatLease(pool: StorePool, fence: Fence): Promise<boolean> {
  const { rowCount } = await pool.query(
    'UPDATE events.relay_lease SET beat = beat + 1 WHERE name = $1 AND fence = $2::bigint',
    [LEASE_NAME, String(fence)],
  );
  return rowCount === 1;
}

/** Lets the next relay begin at once. */
export async function releaseLease(pool: StorePool, fence: Fence): Promise<void> {
  await pool.query('UPDATE events.relay_lease SET holder = NULL WHERE name = $1 AND fence = $2::bigint', [
    LEASE_NAME,
    String(fence),
  ]);
}
