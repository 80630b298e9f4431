// The column CSV, SFTP: a register that is left as files on an SFTP server.
import { freePort } from '@weft/core/process-table';
import type { Column, SuiteFault } from '../column.ts';
import { type FilePlace, NO_FILE_HAS, startFiles } from '../files/column.ts';
import { newKey, type SftpServer, startSftpServer } from '../files/sftp-server.ts';

export const column: Column = {
  protocol: 'CSV, SFTP',
  cannotOccur: NO_FILE_HAS,
  whyNot: async () => undefined,
  start: () => startFiles('sftp-records', 'CSV', openSftp),
};

const LOGIN = { user: 'book', password: 'suite-password' };

async function openSftp(root: string): Promise<FilePlace> {
  const key = newKey();
  // It is started again: a port that no connection out is given meanwhile.
  const port = await freePort();
  let server: SftpServer = await startSftpServer(root, LOGIN, port, key);
  const { counts } = server;
  return {
    env: {
      SUITE_FILES: `sftp://127.0.0.1:${port}/`,
      SUITE_HOST_KEY: key.fingerprint,
      SECRET_SUITE_LOGIN: `${LOGIN.user}:${LOGIN.password}`,
    },
    counts: {
      get reads() {
        return counts.reads;
      },
      get atOnceMax() {
        return counts.atOnceMax;
      },
    },
    fault(fault: SuiteFault | undefined) {
      Object.assign(server.faults, {
        refuseLogin: fault === 'auth expired',
        resetReads: fault === 'reset',
        shortReads: false,
        slowMs: fault === 'slow' ? 600 : 0,
      });
      return fault === 'auth expired' || fault === 'reset' || fault === 'slow';
    },
    async restart() {
      await server.close();
      server = await startSftpServer(root, LOGIN, port, key);
    },
    close: () => server.close(),
  };
}
