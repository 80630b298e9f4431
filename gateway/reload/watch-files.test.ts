// Laws of noticing changed files.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/core/logger';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileWatch, watchFiles } from './watch-files.ts';

const NEVER_MS = 3_600_000;
const DEADLINE_MS = 10_000;

let folder: string;
let watch: FileWatch;
let changes: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-watch-'));
  changes = 0;
});
afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true });
});

function open(limits: { readonly debounceMs: number; readonly pollMs: number }): FileWatch {
  const onChange = () => {
    changes += 1;
  };
  watch = watchFiles({ limits, logger: createLogger('test', 'silent'), onChange });
  return watch;
}

const untilChanges = (count: number) => expect.poll(() => changes, { timeout: DEADLINE_MS }).toBe(count);

describe('the watch of files', () => {
  it('tells of a file that was replaced, without polling', async () => {
    const file = join(folder, 'a');
    writeFileSync(file, '1');
    await open({ debounceMs: 1, pollMs: NEVER_MS }).setFiles([file]);
    writeFileSync(join(folder, 'new'), '2');
    renameSync(join(folder, 'new'), file);
    await untilChanges(1);
  });

  it('finds by looking what no event tells: the target of a link in another folder', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    mkdirSync(join(folder, 'here'));
    const target = join(folder, 'elsewhere', 'a');
    writeFileSync(target, '1');
    const file = join(folder, 'here', 'a');
    symlinkSync(target, file);
    await open({ debounceMs: 1, pollMs: 10 }).setFiles([file]);
    writeFileSync(target, 'changed');
    await untilChanges(1);
  });

  it('tells of a file that appears and of one that goes', async () => {
    const file = join(folder, 'a');
    await open({ debounceMs: 1, pollMs: 10 }).setFiles([file]);
    writeFileSync(file, '1');
    await untilChanges(1);
    rmSync(file);
    await untilChanges(2);
  });

  it('does not tell of other files in the folder', async () => {
    const file = join(folder, 'a');
    writeFileSync(file, '1');
    await open({ debounceMs: 1, pollMs: 10 }).setFiles([file]);
    for (let n = 0; n < 20; n += 1) writeFileSync(join(folder, `other${n}`), 'x');
    writeFileSync(file, 'changed');
    await untilChanges(1);
  });

  it('tells of a change between the first naming of a file and the naming of more', async () => {
    const [file, more] = [join(folder, 'a'), join(folder, 'b')];
    writeFileSync(file, '1');
    const files = open({ debounceMs: 1, pollMs: 10 });
    await files.setFiles([file]);
    writeFileSync(file, 'changed');
    await files.setFiles([file, more]);
    await untilChanges(1);
  });
});
