// The column XML, folder: a register that is left as files in a folder of this machine.
import type { Column } from '../column.ts';
import { NO_FILE_HAS, startFiles } from '../files/column.ts';

export const column: Column = {
  protocol: 'XML, folder',
  cannotOccur: {
    ...NO_FILE_HAS,
    discover:
      'An element names its fields and says neither which is the key nor what they hold: nothing can be drafted of it.',
    reset: 'A file is read from a folder of this machine: there is no connection that could be reset.',
    'auth expired': 'A folder of this machine asks nobody to log in.',
  },
  whyNot: async () => undefined,
  start: () => startFiles('xml-records', 'XML', async (root) => ({ env: { SUITE_FILES: `file://${root}` } })),
};
