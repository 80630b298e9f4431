// What the columns of SOAP share: one WSDL that binds both versions, and the description over it.
import { join } from 'node:path';
import type { Column, SuiteSystem } from '../column.ts';
import { copyFolder } from '../http/folder.ts';
import { type Dialect, startOldSystem } from '../http/old-system.ts';

const ONLY_ASKED = 'A SOAP system is asked; it has no way of its own to tell the hub of a change.';

export const SOAP_CANNOT: Column['cannotOccur'] = {
  'ingest twice': ONLY_ASKED,
  'ingest out of order': ONLY_ASKED,
};

/** Starts an old system of that dialect, wrapped by `soap-records` with the changes given. */
export async function startSoap(
  dialect: Dialect,
  changes: Readonly<Record<string, string>>,
  name: string,
  login: string,
): Promise<SuiteSystem> {
  const folder = copyFolder('soap-records', changes, name);
  const old = await startOldSystem(dialect);
  return {
    ...old,
    folder: folder.path,
    env: { SUITE_URL: old.url, SECRET_SUITE_LOGIN: login },
    discover: ['--wsdl', join(folder.path, 'contracts', 'Records.wsdl')],
    async close() {
      await old.close();
      folder.remove();
    },
  };
}
