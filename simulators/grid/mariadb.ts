// The grid platform's tables in a MariaDB database, as such platforms have them in life.
import { createPool, type PoolConnection, type RowDataPacket } from 'mysql2/promise';
import type { GridEngine, SqlValue } from './engine.ts';

const CONNECT_MS_MAX = 5_000;

/** `url` is `mysql://user:password@host:port/database`; the database must exist. */
export async function openMariadbEngine(url: string): Promise<GridEngine> {
  const pool = createPool({
    uri: url,
    dateStrings: true,
    connectionLimit: 1,
    connectTimeout: CONNECT_MS_MAX,
  });
  const connection: PoolConnection = await pool.getConnection();
  // Old platforms run without strict mode, which is how nonsense gets into their dates.
  await connection.query("set session sql_mode = '', time_zone = '+08:00'");
  const query = async (sql: string, values: readonly SqlValue[] = []): Promise<RowDataPacket[]> => {
    const [rows] = await connection.query<RowDataPacket[]>(sql, [...values]);
    return rows;
  };
  return {
    dialect: 'mariadb',
    dsn: url,
    run: async (sql, values) => void (await query(sql, values)),
    all: query,
    transaction: async (work) => {
      await connection.beginTransaction();
      try {
        const result = await work();
        await connection.commit();
        return result;
      } catch (thrown) {
        await connection.rollback();
        throw thrown;
      }
    },
    kindOf: async (name) => {
      const rows = await query(
        'select table_type as kind from information_schema.tables where table_schema = database() and table_name = ?',
        [name],
      );
      return rows[0] === undefined ? undefined : rows[0].kind === 'VIEW' ? 'view' : 'table';
    },
    slowExpression: (latencyMs) => `(select 1 + sleep(${latencyMs / 1_000}))`,
    close: async () => {
      connection.release();
      await pool.end();
    },
  };
}
