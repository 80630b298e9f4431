import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '@weft/core/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from './lock.ts';

const never = new AbortController().signal;
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-lock-'));
  file = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the lock of the bench', () => {
  it('is refused while another holds it, and taken once it is given back', async () => {
    const release = await takeLock(0, never, file);
    await expect(takeLock(0, never, file)).rejects.toThrow(OperatorError);
    const waiting = takeLock(10_000, never, file);
    release();
    (await waiting)();
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over from a process that is gone', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(file, String(gone));
    (await takeLock(0, never, file))();
    expect(existsSync(file)).toBe(false);
  });

  it('is waited for no longer once the wait is cancelled', async () => {
    const release = await takeLock(0, never, file);
    const stopping = new AbortController();
    const waiting = takeLock(60_000, stopping.signal, file);
    stopping.abort(new OperatorError('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    release();
  });
});
