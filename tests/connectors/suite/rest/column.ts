// What the columns of REST share: the one description of the interface, in JSON or in XML.
import type { Column, SuiteSystem } from '../column.ts';
import { type CopiedFolder, copyFolder } from '../http/folder.ts';
import { type Dialect, startOldSystem } from '../http/old-system.ts';

const ONLY_ASKED =
  'A REST system is asked; what one pushes comes as a webhook, which is a column of its own.';

export const REST_CANNOT: Column['cannotOccur'] = {
  'ingest twice': ONLY_ASKED,
  'ingest out of order': ONLY_ASKED,
};

/** Starts an old system of that dialect, wrapped by `rest-records` with the changes given. */
export async function startRest(
  dialect: Dialect,
  changes: Readonly<Record<string, string>>,
  name: string,
  secrets: Readonly<Record<string, string>>,
): Promise<SuiteSystem> {
  const folder: CopiedFolder = copyFolder('rest-records', changes, name);
  const old = await startOldSystem(dialect);
  return {
    ...old,
    folder: folder.path,
    env: { SUITE_URL: old.url, ...secrets },
    async close() {
      await old.close();
      folder.remove();
    },
  };
}
