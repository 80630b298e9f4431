// What somebody has written by hand at the end of a document that a bench writes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const HEADING = '\n## Notes\n';

/** Writes the document anew, with the section "Notes" of the one that is there. @param text Markdown, with a final newline */
export function writeKeepingNotes(file: string, text: string): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const at = before.indexOf(HEADING);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, at === -1 ? text : text + before.slice(at));
}
