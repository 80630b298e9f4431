// Runs statements on a department's MySQL or MariaDB.
import { createPool, type RowDataPacket } from 'mysql2';
import { type EngineLimits, type SqlEngine, untilAborted } from './engine.ts';

/** Calls that may wait for a session: the guard's queue is in front of it, this one only closes the gap. */
const WAITING_MAX = 64;

/** A pool of at most `connectionsMax` sessions, none opened yet. */
export function openMysql(url: string, limits: EngineLimits): SqlEngine {
  const sessions = createPool({
    uri: url.replace(/^mariadb:/, 'mysql:'),
    connectionLimit: limits.connectionsMax,
    queueLimit: WAITING_MAX,
    connectTimeout: limits.timeoutMs,
    charset: 'utf8mb4_general_ci',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: false,
  });
  // A session that is ended on this side goes on over there: the server must bound the statement itself.
  sessions.on('connection', (connection) => {
    // A session that breaks fails its statement, which is told; without a listener a second error would end the process.
    connection.on('error', () => undefined);
    for (const sql of boundStatements(limits.timeoutMs)) connection.query(sql, ignoreOtherBrand);
  });
  const pool = sessions.promise();
  return {
    close: () => pool.end(),
    async query(sql, bindings, signal) {
      const connection = await pool.getConnection();
      let aborted = false;
      const work = connection.query<RowDataPacket[]>({ sql, values: [...bindings] });
      // After an abort nobody waits for it any more: its own failure is the abort's.
      work.catch(() => undefined);
      try {
        const [rows] = await untilAborted(work, signal, () => (aborted = true));
        return rows;
      } finally {
        // The protocol has no cancel within a session: ending the session ends the statement.
        if (aborted) connection.destroy();
        else connection.release();
      }
    },
  };
}

/** MariaDB counts in seconds, MySQL in milliseconds and for SELECT only; each knows only its own. */
function boundStatements(timeoutMs: number): readonly string[] {
  return [
    `SET SESSION max_statement_time = ${timeoutMs / 1000}`,
    `SET SESSION max_execution_time = ${timeoutMs}`,
  ];
}

/** The other brand does not know the variable: that the statement of its own works is enough. */
function ignoreOtherBrand(): void {}
