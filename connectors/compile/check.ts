// `weft connect check`: what the compiler says of a folder, as data.
import { BuildErrors, type BuildIssue } from './build-issues.ts';
import { compileSystem } from './compile.ts';

export interface FolderCheck {
  /** False when there is an error; warnings leave it true. */
  readonly ok: boolean;
  /** Errors, or else the warnings. */
  readonly issues: readonly BuildIssue[];
}

/** Compiles a folder and answers with what was found; throws only when the folder cannot be read. */
export function checkFolder(folder: string): FolderCheck {
  try {
    return { ok: true, issues: compileSystem(folder).warnings };
  } catch (thrown) {
    if (thrown instanceof BuildErrors) return { ok: false, issues: thrown.issues };
    throw thrown;
  }
}
