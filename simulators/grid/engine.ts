// The little that the grid platform needs of an SQL engine, so that its tables can lie in SQLite or in MariaDB.

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/** One connection; statements use `?` and run one after the other. */
export interface GridEngine {
  readonly dialect: 'sqlite' | 'mariadb';
  /** Where the hub finds the tables, as a URL whose scheme names the dialect. */
  readonly dsn: string;
  run(sql: string, values?: readonly SqlValue[]): Promise<void>;
  all(sql: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Runs `work` in one transaction; callers must not overlap. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** The table or view of that name, or undefined. */
  kindOf(name: string): Promise<'table' | 'view' | undefined>;
  /** An expression that takes so long, once a statement, and is 1. */
  slowExpression(latencyMs: number): string;
  close(): Promise<void>;
}
