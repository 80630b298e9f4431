import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('weft', () => {
  it('ends in silence when who reads its output has enough', async () => {
    // The reader is gone before the command has started.
    const line = '"$0" cli/main.ts help | true; echo $PIPESTATUS';
    const cwd = dirname(import.meta.dirname);
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line, process.execPath], { cwd });
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  }, 60_000);
});
