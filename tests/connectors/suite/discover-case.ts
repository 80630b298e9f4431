// The case of a draft: what `weft connect discover` makes of the old system's contract passes the check as it is.
import { deepEqual, ok } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { SuiteHost } from './host.ts';

/** Whether this checkout can draft at all. */
export const CAN_DISCOVER = existsSync(new URL('../../../cli/connect/discover.ts', import.meta.url));

export async function checkDiscover({ system }: SuiteHost): Promise<void> {
  ok(system.discover !== undefined, 'the column says nothing of what discover is given');
  deepEqual(CAN_DISCOVER, true);
}
