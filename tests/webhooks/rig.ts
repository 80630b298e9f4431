// A gateway over a live log of its own, and processes that deliver its webhooks.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLogger } from '@weft/core/logger';
import { migrateAll } from '@weft/core/migrate';
import type { Started } from '@weft/core/process';
import { readGatewayConfig } from '@weft/gateway/config';
import { startGateway } from '@weft/gateway/start';
import pg from 'pg';
import { type LiveLog, openLiveLog, things } from '../live/live-log.ts';
import { BARE_ENVIRONMENT } from '../support/environment.ts';
import { ROOT } from '../support/hub.ts';
import { SECRET } from './receiver.ts';

const SDL = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@requiresScopes"])
  @link(url: "https://specs.weft.dev/events/v0.1", import: ["@eventStream"])
type Query { things: Int }
type Subscription {
  thingChanged(after: Cursor): ThingChanged! @eventStream(topic: "thing", message: "{ n }")
  secretChanged(after: Cursor): SecretChanged! @eventStream(topic: "thing", message: "{ n }")
    @requiresScopes(scopes: [["secrets:read"]])
}
type ThingChanged implements Resumable { cursor: Cursor! gap: Gap n: Int }
type SecretChanged implements Resumable { cursor: Cursor! gap: Gap n: Int }`;

const SUBSCRIPTION =
  'subscription ($after: Cursor) { thingChanged(after: $after) { cursor gap { reason } n } }';
export const API_KEY = 'the key of a department';
const READY_MS_MAX = 30_000;

export interface Rig {
  readonly live: LiveLog;
  readonly client: pg.Client;
  /** Appends things `first` to `last`, each in a transaction of its own. */
  append(first: number, last: number): Promise<void>;
  /** A process that delivers one webhook; `more` are fields of its entry. */
  deliver(url: string, more?: Readonly<Record<string, unknown>>, env?: Env): Promise<Deliverer>;
  /** `weft webhooks …`: what it prints. */
  weft(...args: readonly string[]): Promise<string>;
  restartGateway(): Promise<void>;
  close(): Promise<void>;
}

type Env = Readonly<Record<string, string>>;

export interface Deliverer {
  readonly process: ChildProcess;
  output(): string;
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

export async function openRig(): Promise<Rig> {
  const home = mkdtempSync(join(tmpdir(), 'weft-webhooks-'));
  const live = await openLiveLog();
  await migrateAll(live.databaseUrl, [
    { schema: 'webhooks', directory: join(ROOT, 'webhooks', 'prisma', 'migrations') },
  ]);
  const client = new pg.Client({ connectionString: live.databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  let gateway = await openGateway(home, live.databaseUrl, 0);
  const port = Number(new URL(gateway.urls.graphql ?? '').port);
  const deliverers: Deliverer[] = [];
  const env = { ...BARE_ENVIRONMENT, DATABASE_URL: live.databaseUrl };
  return {
    live,
    client,
    async append(first, last) {
      for (const event of things('thing', first, last)) await live.append('thing', event);
    },
    async deliver(url, more = {}, extra = {}) {
      const file = join(home, 'webhooks.json');
      const entry = { name: 'bureau', url, subscription: SUBSCRIPTION, secrets: ['bureau'], ...more };
      writeFileSync(file, JSON.stringify({ webhooks: [entry] }));
      const deliverer = await startDeliverer({
        ...env,
        WEFT_WEBHOOKS_FILE: file,
        WEFT_WEBHOOKS_GATEWAY_URL: `ws://127.0.0.1:${port}/graphql`,
        WEFT_WEBHOOKS_ALLOWED_HOSTS: '127.0.0.1,localhost',
        SECRET_BUREAU: `whsec_${SECRET.toString('base64')}`,
        SECRET_KEY: API_KEY,
        ...extra,
      });
      deliverers.push(deliverer);
      return deliverer;
    },
    async weft(...args) {
      const command = ['cli/main.ts', 'webhooks', ...args];
      const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, env });
      return stdout;
    },
    async restartGateway() {
      await gateway.close();
      gateway = await openGateway(home, live.databaseUrl, port);
    },
    async close() {
      await Promise.all(deliverers.map((deliverer) => deliverer.kill('SIGKILL')));
      await gateway.close();
      await client.end();
      await live.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function openGateway(home: string, databaseUrl: string, port: number): Promise<Started> {
  const write = (name: string, text: string) => {
    writeFileSync(join(home, name), text);
    return join(home, name);
  };
  // Nobody serves it: what these live fields bring is in the event.
  const subgraphs = [{ name: 'things', url: 'http://127.0.0.1:1/', sdlFile: write('things.graphql', SDL) }];
  const apiKeys = [{ id: 'bureau', sha256: hash('sha256', API_KEY, 'hex'), scopes: ['secrets:read'] }];
  const config = readGatewayConfig({
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    WEFT_LOG_LEVEL: 'silent',
    WEFT_SUBGRAPHS_FILE: write('subgraphs.json', JSON.stringify({ subgraphs })),
    WEFT_KEYS_FILE: write('keys.json', JSON.stringify({ cursorKeys: [{ id: 'k', secret: 's'.repeat(32) }] })),
    WEFT_API_KEYS_FILE: write('api-keys.json', JSON.stringify({ apiKeys })),
  });
  return startGateway({ config, logger: createLogger('test', 'silent') });
}

async function startDeliverer(env: Env): Promise<Deliverer> {
  const child = spawn(process.execPath, ['cli/main.ts', 'webhooks'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'exit');
  const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(READY_MS_MAX) })) as [
    { readonly kind: string; readonly message?: string },
  ];
  if (message.kind !== 'ready') throw new Error(message.message);
  return {
    process: child,
    output: () => output,
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
