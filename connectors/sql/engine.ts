// What the three SQL engines have in common: run one bound statement, give rows of plain values.

export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlEngine {
  /**
   * Runs one statement and gives its rows; dates and times stay the text that the database keeps.
   * An abort ends the statement and frees its connection.
   * @throws whatever the driver throws: `decode.ts` tells them apart
   */
  query(sql: string, bindings: readonly unknown[], signal: AbortSignal): Promise<readonly SqlRow[]>;
  close(): Promise<void>;
}

export interface EngineLimits {
  readonly connectionsMax: number;
  readonly timeoutMs: number;
}

/** Settles with `work`, or rejects with the signal's reason after `onAbort` has run, whichever is first. */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  onAbort: () => void,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => {
    onAbort();
    reject(signal.reason);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
