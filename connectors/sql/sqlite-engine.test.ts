// One thread for a file: what hangs in it, or was left there, takes no other statement with it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlEngine } from './engine.ts';
import { openSqlite } from './sqlite-engine.ts';

/** Goes on for far longer than any test. */
const ENDLESS =
  'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1e12) SELECT min(n) FROM c';
const QUICK = 'SELECT name FROM lamp WHERE id = ?';
const AMPLE_MS = 20_000;

describe('the engine of a SQLite file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-sqlite-engine-'));
  let engine: SqlEngine;
  const quick = (signal: AbortSignal) => engine.query(QUICK, [1], signal);
  beforeAll(() => {
    const path = join(folder, 'lamps.sqlite');
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE lamp (id INTEGER, name TEXT); INSERT INTO lamp VALUES (1, '东门')");
    database.close();
    engine = openSqlite(path, { connectionsMax: 1, timeoutMs: AMPLE_MS });
  });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers what waited behind one that was cut off', async () => {
    const hanging = engine.query(ENDLESS, [], AbortSignal.timeout(300));
    const behind = [quick(AbortSignal.timeout(AMPLE_MS)), quick(AbortSignal.timeout(AMPLE_MS))];
    await expect(hanging).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await Promise.all(behind)).toEqual([[{ name: '东门' }], [{ name: '东门' }]]);
  });

  it('lets go of one whose caller has left when another waits for too long behind it', async () => {
    const caller = new AbortController();
    const left = engine.query(ENDLESS, [], caller.signal);
    const soon = quick(AbortSignal.timeout(500));
    const later = quick(AbortSignal.timeout(AMPLE_MS));
    caller.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    await expect(soon).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await later).toEqual([{ name: '东门' }]);
  });

  it('does not end what runs because another has waited for too long', async () => {
    // Long, and not endless: it must come to its own end.
    const long = engine.query(ENDLESS.replace('1e12', '3e6'), [], AbortSignal.timeout(AMPLE_MS));
    await expect(quick(AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await long).toEqual([{ 'min(n)': 1 }]);
  });

  it('tells those that wait, and the one that runs, that it is closed', async () => {
    const other = openSqlite(join(folder, 'lamps.sqlite'), { connectionsMax: 1, timeoutMs: AMPLE_MS });
    const both = [ENDLESS, 'SELECT 1'].map((sql) => other.query(sql, [], AbortSignal.timeout(AMPLE_MS)));
    for (const one of both) one.catch(() => undefined);
    await other.close();
    for (const one of both) await expect(one).rejects.toMatchObject({ code: 'THREAD_ENDED' });
  });
});
