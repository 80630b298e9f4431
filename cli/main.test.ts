import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const CWD = dirname(import.meta.dirname);
const weft = async (...argv: string[]) =>
  (await promisify(execFile)(process.execPath, ['cli/main.ts', ...argv], { cwd: CWD })).stdout;

describe('weft', () => {
  it('shows of its help what is of the command that was asked for', async () => {
    const [plan, whole] = await Promise.all([weft('plan', '--help'), weft('help')]);
    expect(plan.match(/^ {2}weft \S+/gm)).toEqual(['  weft plan']);
    expect(plan).toContain('[--operation NAME]');
    expect(plan).toContain('docs/settings.md');
    expect(new Set(whole.match(/^ {2}weft \S+/gm)).size).toBeGreaterThan(10);
    expect(await weft('bench', 'subscriptions', '--help')).toContain(
      'weft bench subscriptions [--only NAMES]',
    );
    // One that is not there has no part.
    expect(await weft('help', 'weave')).toBe(whole);
  }, 60_000);

  it('ends in silence when who reads its output has enough', async () => {
    // The reader is gone before the command has started.
    const line = '"$0" cli/main.ts help | true; echo $PIPESTATUS';
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line, process.execPath], {
      cwd: CWD,
    });
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  }, 60_000);
});
