// Preloaded into a process of the hub: ends it, as kill -9 does, at one place among its statements to PostgreSQL, when told which.
import { createRequire } from 'node:module';

/** A place in what a process says to its database. */
export interface KillPoint {
  /** Part of a statement. */
  readonly sql: string;
  /** Parts of its parameters, in JSON. */
  readonly values?: readonly string[];
  /** Part of one that came before it in the same transaction. */
  readonly after?: string;
  /** Just before that statement; just before, or just after, the commit of its transaction. */
  readonly moment: 'STATEMENT' | 'COMMIT' | 'COMMITTED';
}

export interface KillOrder {
  readonly killAt: KillPoint;
}

type Query = (this: object, ...args: unknown[]) => unknown;

// The same module that the process itself uses, wherever it is installed.
const { Client } = createRequire(import.meta.url)('pg') as {
  readonly Client: { prototype: { query: Query } };
};
const query = Client.prototype.query;
/** Sessions whose transaction has the statement, and those that have the one before it. */
const [armed, prepared] = [new WeakSet<object>(), new WeakSet<object>()];
let point: KillPoint | undefined;

process.on('message', (message: unknown) => {
  const { killAt } = message as Partial<KillOrder>;
  if (killAt === undefined) return;
  point = killAt;
  process.send?.({ kind: 'armed' });
});
// Waiting for orders keeps nothing alive.
process.channel?.unref();

Client.prototype.query = function (...args: unknown[]) {
  const [text, values] = told(args);
  if (point !== undefined && isAt(point, text, values) && (point.after === undefined || prepared.has(this))) {
    if (point.moment === 'STATEMENT') die();
    armed.add(this);
  }
  if (point?.after !== undefined && text.includes(point.after)) prepared.add(this);
  const isCommit = /^\s*commit/i.test(text) && armed.has(this);
  if (isCommit && point?.moment === 'COMMIT') die();
  if (/^\s*(?:commit|rollback)/i.test(text)) {
    armed.delete(this);
    prepared.delete(this);
  }
  const result = query.apply(this, [...args]);
  if (isCommit) void (result as Promise<unknown>).then(die);
  return result;
};

function isAt({ sql, values: parts = [] }: KillPoint, text: string, values: string): boolean {
  return text.includes(sql) && parts.every((part) => values.includes(part));
}

function told([first, second]: readonly unknown[]): readonly [string, string] {
  const config = (typeof first === 'object' && first !== null ? first : {}) as {
    text?: string;
    values?: unknown;
  };
  const text = typeof first === 'string' ? first : (config.text ?? '');
  return [
    text,
    JSON.stringify(config.values ?? second ?? [], (_, value) =>
      typeof value === 'bigint' ? String(value) : value,
    ) ?? '',
  ];
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
  // Nothing more may happen until the signal is there.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
