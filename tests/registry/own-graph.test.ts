// What `weft compose --lint` finds in this checkout, as people run it.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

describe('weft compose --check --lint', () => {
  it('finds the project up to date and clean, and says what it allows itself and why', async () => {
    const { stdout } = await run(process.execPath, ['cli/main.ts', 'compose', '--check', '--lint'], {
      cwd: ROOT,
    });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('schema/supergraph.graphql is up to date');
    expect(lines.at(-1)).toMatch(/^0 found, [1-9]\d* allowed$/);
    expect(lines.filter((line) => /^(ERROR|WARN|INFO|hint): /.test(line))).toEqual([]);
    expect(stdout).toMatch(
      /^allowed: subgraphs\/grid\/grid\.graphql:\d+:3: grid: GridWorker\.name: .*: the name of somebody in office/m,
    );
  }, 60_000);
});
