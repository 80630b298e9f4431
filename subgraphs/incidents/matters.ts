// The directory of managed components (管理部件) and matters (管理事项) of GB/T 47678.5-2026.
import { readFileSync } from 'node:fs';

interface MatterDirectory {
  readonly standard: string;
  /** 5 digits (2 of the class, 3 of the kind) to name: things. The same codes mean something else among the matters. */
  readonly components: Readonly<Record<string, string>>;
  /** 5 digits to name: what happens. An incident's matter is one of these. */
  readonly matters: Readonly<Record<string, string>>;
}

/** Annex A and C: 153 components and 250 matters. */
export const MATTER_DIRECTORY = JSON.parse(
  readFileSync(new URL('./matters.json', import.meta.url), 'utf8'),
) as MatterDirectory;

/** A code that the standard does not have is kept and shown as such, never dropped. */
const UNKNOWN_MATTER = '未知事项';

/** Whether the standard has the matter. */
export function isMatter(code: string): boolean {
  return Object.hasOwn(MATTER_DIRECTORY.matters, code);
}

/** @returns the matter's name as the standard prints it */
export function matterName(code: string): string {
  return isMatter(code) ? (MATTER_DIRECTORY.matters[code] ?? UNKNOWN_MATTER) : UNKNOWN_MATTER;
}
