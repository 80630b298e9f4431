import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeKeepingNotes } from './notes.ts';

it('keeps what was written by hand, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-notes-'));
  const file = join(folder, 'below', 'document.md');
  writeKeepingNotes(file, '# One\n');
  expect(readFileSync(file, 'utf8')).toBe('# One\n');
  writeFileSync(file, '# One\n\n## Notes\n\nA word.\n');
  writeKeepingNotes(file, '# Two\n');
  writeKeepingNotes(file, '# Three\n');
  expect(readFileSync(file, 'utf8')).toBe('# Three\n\n## Notes\n\nA word.\n');
  rmSync(folder, { recursive: true });
});
