// The grid platform's tables in an SQLite file, which the hub opens read-only beside us.
import { openBookFile } from '../book-file.ts';
import type { GridEngine } from './engine.ts';

/** Rounds of counting by which the engine's speed is measured. */
const ROUNDS_MEASURED = 200_000;

export function openSqliteEngine(file: string): GridEngine {
  const database = openBookFile(file, '');
  const engine: GridEngine = {
    dialect: 'sqlite',
    dsn: `sqlite://${file}`,
    run: async (sql, values = []) => void database.prepare(sql).run(...values),
    all: async (sql, values = []) => database.prepare(sql).all(...values),
    transaction: async (work) => {
      database.exec('begin immediate');
      try {
        const result = await work();
        database.exec('commit');
        return result;
      } catch (thrown) {
        database.exec('rollback');
        throw thrown;
      }
    },
    kindOf: async (name) => {
      const row = database.prepare('select type from sqlite_master where name = ?').get(name);
      return row === undefined ? undefined : row.type === 'view' ? 'view' : 'table';
    },
    slowExpression: (latencyMs) => {
      const startedAtMs = performance.now();
      database.prepare(`select ${countTo(ROUNDS_MEASURED)}`).get();
      const roundsPerMs = ROUNDS_MEASURED / (performance.now() - startedAtMs);
      return countTo(Math.ceil(latencyMs * roundsPerMs));
    },
    close: async () => database.close(),
  };
  return engine;
}

/** SQLite cannot sleep; it can count. */
function countTo(rounds: number): string {
  return `(with recursive c (n) as (select 1 union all select n + 1 from c where n < ${rounds}) select min(n) from c)`;
}
