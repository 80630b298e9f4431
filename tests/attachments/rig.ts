// A gateway before the owned subgraphs, with a folder of attachments and somebody of each office, on a database of its own.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLogger } from '@weft/core/logger';
import type { AttachmentLimits } from '@weft/gateway/attachments/limits';
import { readGatewayConfig } from '@weft/gateway/config';
import type { HttpLimits } from '@weft/gateway/http/limits';
import { startGateway } from '@weft/gateway/start';
import { ATTACHMENT_SETTINGS, type AttachmentSettings } from '@weft/subgraphs/incidents/attachments/limits';
import { PrismaClient } from '@weft/subgraphs/incidents/generated/client';
import { openStore } from '@weft/subgraphs/store';
import { createMigratedDatabase, type GraphQLAnswer, startSigned } from '../support/owned-subgraphs.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Who may ask, by the key that they give. */
const PEOPLE = {
  wang: { roles: ['citizen'] },
  li: { roles: ['citizen'] },
  staff: { roles: ['centre-staff'], division: '320508' },
  elsewhere: { roles: ['centre-staff'], division: '320509' },
  handler: { roles: ['department-handler'], department: 'police' },
  auditor: { roles: ['auditor'], division: '3205' },
} as const;

export type Person = keyof typeof PEOPLE;

export interface RigOptions {
  readonly settings?: Partial<AttachmentSettings>;
  readonly limits?: Partial<AttachmentLimits>;
  readonly httpLimits?: Partial<HttpLimits>;
}

export type Rig = Awaited<ReturnType<typeof openRig>>;

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const keyOf = (person: Person) => `the key of ${person}, which nobody guesses`;

export async function openRig({ settings = {}, limits = {}, httpLimits = {} }: RigOptions = {}) {
  const home = mkdtempSync(join(tmpdir(), 'weft-attachments-'));
  const folder = join(home, 'attachments');
  const database = await createMigratedDatabase();
  const attachments = { ...ATTACHMENT_SETTINGS, folder, ...settings };
  const hub = await startSigned(database.url, { attachments });
  const write = (name: string, content: object) => {
    writeFileSync(join(home, name), JSON.stringify(content));
    return join(home, name);
  };
  const subgraphs = ['directory', 'incidents', 'registry'].map((name) => ({
    name,
    url: hub.urls[name],
  }));
  const apiKeys = Object.entries(PEOPLE).map(([id, person]) => ({
    id,
    sha256: sha256(keyOf(id as Person)),
    ...person,
  }));
  const gateway = await startGateway({
    config: readGatewayConfig({
      PORT: '0',
      DATABASE_URL: database.url,
      // The library's graph stands with those of the systems that it takes from; they are not asked here.
      WEFT_SUPERGRAPH_FILE: join(ROOT, 'schema', 'supergraph.graphql'),
      WEFT_SUBGRAPHS_FILE: write('subgraphs.json', { subgraphs }),
      WEFT_KEYS_FILE: write('keys.json', { subgraphKeys: [hub.key] }),
      WEFT_API_KEYS_FILE: write('api-keys.json', { apiKeys }),
      WEFT_ATTACHMENTS_URL: (hub.urls.incidents ?? '').replace(/graphql$/, 'attachments'),
      WEFT_ATTACHMENT_BYTES_MAX: String(attachments.bytesMax),
    }),
    attachmentLimits: limits,
    httpLimits,
    logger: createLogger('gateway', 'silent'),
  });
  const origin = new URL(gateway.urls.graphql ?? '').origin;
  const prisma = new PrismaClient({
    adapter: openStore(database.url, 'incidents', createLogger('test', 'silent')),
  });
  return {
    ...asking(origin),
    folder,
    settings: attachments,
    origin,
    urls: hub.urls,
    prisma,
    headersOf,
    /** Files that are kept, and those on their way in. */
    files: () => ({
      kept: namesBelow(join(folder, 'objects')),
      incoming: namesBelow(join(folder, 'incoming')),
    }),
    async close() {
      await gateway.close();
      await hub.close();
      await prisma.$disconnect();
      await database.drop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function headersOf(person: Person | undefined): Record<string, string> {
  return person === undefined ? {} : { 'x-api-key': keyOf(person) };
}

/** What somebody may ask of a gateway. */
function asking(origin: string) {
  return {
    async upload(
      person: Person | undefined,
      bytes: Uint8Array | string,
      name?: string,
      type = 'application/octet-stream',
    ) {
      const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
      const response = await fetch(`${origin}/attachments${query}`, {
        method: 'POST',
        headers: { 'content-type': type, ...headersOf(person) },
        body: bytes as Uint8Array<ArrayBuffer>,
      });
      return { status: response.status, ...((await response.json()) as UploadAnswer) };
    },
    download: (
      person: Person | undefined,
      id: string,
      headers: Record<string, string> = {},
      method = 'GET',
    ) => fetch(`${origin}/attachments/${id}`, { method, headers: { ...headersOf(person), ...headers } }),
    async ask(person: Person, query: string, variables: object = {}): Promise<Omit<GraphQLAnswer, 'status'>> {
      const response = await fetch(`${origin}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headersOf(person) },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as GraphQLAnswer;
    },
  };
}

export interface UploadAnswer {
  readonly id?: string;
  readonly size?: number;
  readonly type?: string;
  readonly name?: string;
  readonly errors?: readonly { readonly message: string; readonly extensions: Record<string, unknown> }[];
}

function namesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
