import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { whyNoPostgres } from '../support/engines.ts';
import { waitFor } from '../support/wait.ts';
import { type FolderHost, startFolderHost } from './folder-host.ts';
import { type FolderWriter, openFolderWriter } from './suite/files/folder-writer.ts';
import { newKey, type SftpServer, startSftpServer } from './suite/files/sftp-server.ts';

const KEY = newKey();
const USER_KEY = ssh2.utils.generateKeyPairSync('ed25519', {
  passphrase: 'open',
  cipher: 'aes256-cbc',
  rounds: 1,
});

const sdl = (more = '') => `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect", "@ingest"])
  @source(
    name: "epb", encoding: "gb18030", guard: { timeout: "1s" }
    files: { url: "{$env.EPB}", hostKey: "{$env.EPB_KEY}", auth: { basic: "epb-login" }, ${more} doneWhen: { stableFor: "40ms" } }
  )
type Query { readings: [Reading!] @connect(store: true) }
type Reading @key(fields: "id") @connect(store: true)
  @ingest(source: "epb", path: "/out/r_{text}.csv", every: "30ms", format: CSV, key: "id", select: "id: 编号 value: 值") {
  id: ID!
  value: String
}
`;

const skipReason = await whyNoPostgres();

describe.skipIf(skipReason !== undefined)('files behind SFTP', () => {
  let host: FolderHost;
  let server: SftpServer;
  let writer: FolderWriter;
  const env: Record<string, string> = { EPB_KEY: KEY.fingerprint, SECRET_EPB_LOGIN: 'epb:s3:cret' };

  beforeAll(async () => {
    host = await startFolderHost('epb', sdl(), (home) => {
      writer = openFolderWriter(join(home, 'epb-files/drop'));
      env.EPB = 'sftp://127.0.0.1:1/drop';
      return env;
    });
    await host.stopHost();
    const login = { user: 'epb', password: 's3:cret', publicKey: USER_KEY.public };
    server = await startSftpServer(join(writer.folder, '..'), login, 0, KEY);
  });
  afterEach(async () => {
    await host.stopHost();
    Object.assign(server.faults, { refuseLogin: false, resetReads: false, shortReads: false, slowMs: 0 });
  });
  afterAll(async () => {
    await host?.close();
    await server?.close();
  });

  const start = async (more: Readonly<Record<string, string>> = {}, text = sdl()) => {
    host.write(text);
    host.setEnv({ ...env, EPB: `sftp://127.0.0.1:${server.port}/drop`, ...more });
    await host.startHost();
  };
  const write = (name: string, rows: string) =>
    writer.place(`out/r_${name}.csv`, iconv.encode(`编号,值\n${rows}`, 'gb18030'));
  const ids = async () => {
    const { data } = await host.query('{ readings { id } }');
    return (data as unknown as { readings: { id: string }[] }).readings.map(({ id }) => id);
  };
  const untilKnown = (id: string) => waitFor(`${id} to be known`, async () => (await ids()).includes(id));
  const reason = async () => {
    const rows = await host.rows<{ reason: string | null }>(
      `SELECT envelope->'data'->>'reason' AS reason FROM events.event WHERE topic = 'system' ORDER BY tx DESC, seq DESC LIMIT 1`,
    );
    return rows[0]?.reason ?? '';
  };

  it('are taken by password, one connection a look, and nothing is written there', async () => {
    write('a', 'A1,一\nA2,二\n');
    symlinkSync('/etc/hostname', join(writer.folder, 'out/r_link.csv'));
    await start();
    await untilKnown('A2');
    await expect
      .poll(() => host.rows('SELECT path, state, rows_done FROM connectors.file'), { timeout: 15_000 })
      .toEqual([{ path: 'out/r_a.csv', state: 'DONE', rows_done: 2 }]);
    expect(server.counts.writes).toBe(0);
    expect(server.counts.atOnceMax).toBe(1);
    expect(server.counts.reads).toBe(1);
  });

  it('are taken by a private key that a passphrase opens', async () => {
    write('key', 'K1,一\n');
    await start(
      { SECRET_EPB_LOGIN: 'epb:open', SECRET_EPB_USER_KEY: USER_KEY.private },
      sdl('privateKey: "epb-user-key"'),
    );
    await untilKnown('K1');
    await host.stopHost();
    await expect(
      start(
        { SECRET_EPB_LOGIN: 'epb:wrong', SECRET_EPB_USER_KEY: USER_KEY.private },
        sdl('privateKey: "epb-user-key"'),
      ),
    ).rejects.toThrow(/no private key that the passphrase of the login opens/);
  });

  it('are not taken from a server with another key, which is never told the password', async () => {
    const other = await startSftpServer(join(writer.folder, '..'), { user: 'epb', password: 's3:cret' });
    try {
      write('other', 'X1,一\n');
      await start({ EPB: `sftp://127.0.0.1:${other.port}/drop` });
      await waitFor('the state to tell why', async () => (await reason()).includes('HOST_KEY'));
      expect(other.counts).toMatchObject({ logins: 0, refused: 0, reads: 0 });
    } finally {
      await host.stopHost();
      await other.close();
    }
    await start();
    await untilKnown('X1');
  });

  it('wait while the server refuses the login, is slow, or breaks in the middle, and are whole afterwards', async () => {
    const rows = Array.from({ length: 6_000 }, (_, index) => `W${index},${'值'.repeat(20)}\n`).join('');
    Object.assign(server.faults, { refuseLogin: true });
    write('whole', rows);
    await start();
    await waitFor('a refused login', () => server.counts.refused > 0);
    Object.assign(server.faults, { refuseLogin: false, resetReads: true });
    const { reads } = server.counts;
    await waitFor('a reading that breaks', () => server.counts.reads > reads);
    // An end before the end is no end: the size says so.
    Object.assign(server.faults, { resetReads: false, shortReads: true });
    await waitFor('a reading that ends early', () => server.counts.reads > reads + 1);
    expect(await host.rows(`SELECT 1 FROM connectors.file WHERE path = 'out/r_whole.csv'`)).toEqual([]);
    Object.assign(server.faults, { shortReads: false });
    await waitFor(
      'all rows',
      async () => {
        const [row] = await host.rows<{ n: number }>(
          `SELECT count(*)::int AS n FROM connectors.record WHERE key LIKE 'W%'`,
        );
        return row?.n === 6_000;
      },
      20_000,
    );
    await waitFor('the file to be done', async () => {
      const [row] = await host.rows(`SELECT state FROM connectors.file WHERE path = 'out/r_whole.csv'`);
      return row?.state === 'DONE';
    });
  });

  it('do not start with an address, a key or a login that is none', async () => {
    await expect(start({ EPB_KEY: 'SHA256:short' })).rejects.toThrow(/hostKey is no fingerprint/);
    await expect(start({ EPB: 'sftp://epb:pw@127.0.0.1/drop' })).rejects.toThrow(
      /belongs into the secret store/,
    );
    await expect(start({ EPB: 'ftp://127.0.0.1/drop' })).rejects.toThrow(/url is not file/);
  });
});
