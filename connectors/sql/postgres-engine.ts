// Runs statements on a department's PostgreSQL.
import pg from 'pg';
import { type EngineLimits, type SqlEngine, type SqlRow, untilAborted } from './engine.ts';

/** date, timestamp, timestamptz: their text is kept, a Date would lose the source's own zone. */
const TIME_TYPES: ReadonlySet<number> = new Set([1082, 1114, 1184]);

/** A pool of at most `connectionsMax` sessions, none opened yet, each with a statement time-out. */
export function openPostgres(url: string, limits: EngineLimits): SqlEngine {
  const pool = new pg.Pool({
    connectionString: url,
    max: limits.connectionsMax,
    connectionTimeoutMillis: limits.timeoutMs,
    statement_timeout: limits.timeoutMs,
    types: {
      getTypeParser: (type: number, format?: 'text' | 'binary') =>
        TIME_TYPES.has(type) ? String : pg.types.getTypeParser(type, format),
    } as pg.CustomTypesConfig,
  });
  // An idle session that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  // The pool listens to idle sessions only: one that breaks while it works must not end the process either. The
  // statement that it worked on fails, and that is told.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    close: () => pool.end(),
    async query(sql, bindings, signal) {
      const client = await pool.connect();
      let aborted = false;
      const work = client.query<SqlRow>(sql, [...bindings]);
      // After an abort nobody waits for it any more: its own failure is the abort's.
      work.catch(() => undefined);
      try {
        return (await untilAborted(work, signal, () => (aborted = true))).rows;
      } finally {
        client.release(aborted);
      }
    },
  };
}
