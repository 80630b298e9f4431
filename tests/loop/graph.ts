// The hub as its clients have it: operations with a token, and the live field of incidents.
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type GraphQLAnswer, type Hub, ROOT } from '../support/hub.ts';
import { postJson } from './post.ts';

const run = promisify(execFile);
const ANSWER_MS_MAX = 20_000;
/** How often an operation that met with a passing failure is tried. */
const TRIES_MAX = 40;
const TRY_AGAIN_MS = 250;
const PASSING = new Set([
  'UPSTREAM_UNAVAILABLE',
  'STORE_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'RATE_LIMITED',
  'LIMIT_EXCEEDED',
]);

/** A token as `weft token` prints it. */
export async function tokenOf(home: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['cli/main.ts', 'token', '--lifetime', '86400', ...args], {
    cwd: ROOT,
    env: { ...process.env, WEFT_HOME: home },
  });
  return stdout.trim();
}

/** Asks until it is answered; what failed for good is thrown. */
export async function ask<Data>(
  hub: Hub,
  token: string,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Data> {
  for (let tries = 1; ; tries++) {
    const failure = await askOnce<Data>(hub, token, query, variables).catch((thrown: Error) => thrown);
    if (!(failure instanceof Error)) return failure;
    if (tries === TRIES_MAX || failure instanceof Refusal) throw failure;
    await sleep(TRY_AGAIN_MS);
  }
}

/** What asking again does not mend. */
class Refusal extends Error {}

async function askOnce<Data>(
  hub: Hub,
  token: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Data> {
  const headers = { accept: 'application/graphql-response+json', authorization: `Bearer ${token}` };
  const options = { headers, msMax: ANSWER_MS_MAX };
  const { status, text } = await postJson(hub.urls.graphql ?? '', { query, variables }, options);
  const { data, errors } = JSON.parse(text) as GraphQLAnswer<Data>;
  if (errors === undefined && data !== undefined && data !== null) return data;
  // Fields of a mutation run one after the other: what comes after the first that failed may have failed for its sake.
  const isPassing = errors === undefined || PASSING.has(String(errors[0]?.extensions?.code));
  const message = `${status} ${JSON.stringify(errors)}`;
  throw isPassing ? new Error(message) : new Refusal(message);
}

export interface LiveChange {
  readonly id: string;
  readonly kind: string;
  readonly atMs: number;
  readonly receivedAtMs: number;
}

export interface Live {
  /** How often the socket was opened anew. */
  reconnections(): number;
  /** Messages that told of a gap. */
  gaps(): number;
  close(): Promise<void>;
}

const LIVE = `subscription ($after: Cursor) { incidentChanged(division: "320508", after: $after) {
  cursor gap { reason } change { kind at } incident { id }
} }`;

interface Message {
  readonly incidentChanged: {
    readonly cursor: string;
    readonly gap: object | null;
    readonly change: { readonly kind: string; readonly at: string };
    readonly incident: { readonly id: string } | null;
  };
}

/** Follows every change of the district until closed; a socket that falls goes on from its cursor. */
export function follow(hub: Hub, token: string, onChange: (change: LiveChange) => void): Live {
  let [cursor, sockets, gaps, isClosed]: [string | undefined, number, number, boolean] = [
    undefined,
    0,
    0,
    false,
  ];
  const client = createClient({
    url: hub.urls.ws ?? '',
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  const read = async () => {
    sockets += 1;
    for await (const { data } of client.iterate({ query: LIVE, variables: { after: cursor } })) {
      const message = (data as Message | null | undefined)?.incidentChanged;
      if (message === undefined) continue;
      cursor = message.cursor;
      if (message.gap !== null) gaps += 1;
      if (message.incident === null) continue;
      const { kind, at } = message.change;
      onChange({ id: message.incident.id, kind, atMs: Date.parse(at), receivedAtMs: Date.now() });
    }
  };
  const loop = async () => {
    while (!isClosed) {
      await read().catch(() => undefined);
      if (!isClosed) await sleep(TRY_AGAIN_MS);
    }
  };
  const following = loop();
  return {
    reconnections: () => sockets - 1,
    gaps: () => gaps,
    async close() {
      isClosed = true;
      await client.dispose();
      await following;
    },
  };
}
