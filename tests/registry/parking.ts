// A department's system for the tests of joining: 停车 parking, built by @apollo/subgraph, on a loopback port of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSubgraph } from '../gateway/subgraph-server.ts';
import type { Hub } from '../support/hub.ts';
import { waitFor } from '../support/wait.ts';
import { type Ran, weft } from './command-line.ts';

/** What it serves, of which a version says more or less. */
const SERVED = versionOf('id: ID!\n  name: String\n  free: Int\n  charge: Int');

/** The SDL of a version whose car parks have these fields. */
export function versionOf(fields: string): string {
  return `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query {
  carParks(first: Int = 100): [CarPark!]
}
type CarPark @key(fields: "id") {
  ${fields}
}
"""
事件: with the car parks beside it.
"""
type Incident @key(fields: "id") {
  id: ID!
  freeBeside: Int
}
`;
}

export interface Parking {
  /** `host:port`, as a setting allows it. */
  readonly host: string;
  /** Writes the SDL to a file, and runs `weft publish parking` with it. */
  publish(hub: Hub, sdl: string, ...more: readonly string[]): Promise<Ran>;
  /** Writes the SDL to a file. @returns its name */
  fileOf(sdl: string): string;
  close(): Promise<void>;
}

export async function startParking(): Promise<Parking> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-parking-'));
  const server = await startSubgraph(
    'parking',
    SERVED,
    {
      Query: { carParks: () => [{ id: 'p1', name: '观前街停车场', free: 12, charge: 5 }] },
      Incident: { __resolveReference: ({ id }: { id: string }) => ({ id }), freeBeside: () => 7 },
    },
    SERVED,
  );
  let files = 0;
  const fileOf = (sdl: string) => {
    files += 1;
    const file = join(folder, `parking-${files}.graphql`);
    writeFileSync(file, sdl);
    return file;
  };
  return {
    host: new URL(server.url).host,
    fileOf,
    publish: (hub, sdl, ...more) =>
      weft(hub.home, 'publish', 'parking', '--url', server.url, '--sdl', fileOf(sdl), ...more),
    async close() {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** @param url of GraphQL over HTTP @param headers beside those of JSON */
export async function askGateway(
  url: string,
  query: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: JSON.stringify({ query }),
    signal: AbortSignal.timeout(60_000),
  });
  return (await response.json()) as Answer;
}

/** Until each gateway answers so. @returns milliseconds until the last of them did */
export async function untilAll(
  what: string,
  urls: readonly string[],
  query: string,
  isSo: (answer: Answer) => boolean,
): Promise<number> {
  const startedAt = performance.now();
  const each = urls.map((url) =>
    waitFor(`${what} at ${url}`, async () => isSo(await askGateway(url, query)), 60_000),
  );
  await Promise.all(each);
  return performance.now() - startedAt;
}
