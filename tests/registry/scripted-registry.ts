// A registry as gateways meet it: signs whatever graph it is told to publish, takes usage, and does wrong when it is told to.
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { freePort } from '@weft/core/process-table';
import type { SubgraphKey } from '@weft/core/signatures/keys';
import { createRequestVerifier, isBodyOf, signableMessage } from '@weft/core/signatures/verify';

export interface PublishedGraph {
  readonly supergraphSdl: string;
  readonly subgraphs: readonly { readonly name: string; readonly url: string }[];
}

/** `SignedSupergraph` of docs/registry.md. */
export interface Signed {
  readonly variant: string;
  readonly publication: number;
  readonly hash: string;
  readonly publishedAt: string;
  readonly payload: string | null;
  readonly keyId: string;
  readonly signature: string;
}

/** `UsageReportInput` of docs/registry.md. */
export interface UsageReport {
  readonly gateway: string;
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  readonly dropped: number;
  readonly operations: readonly {
    readonly hash: string;
    readonly document: string | null;
    readonly name: string | null;
    readonly clientName: string | null;
    readonly clientVersion: string | null;
    readonly kind: string;
    readonly count: number;
    readonly errors: number;
    readonly lastSeen: string;
    readonly coordinates: readonly string[];
  }[];
  readonly systems: readonly {
    readonly name: string;
    readonly calls: number;
    readonly failures: number;
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
  }[];
}

export interface ScriptedRegistry {
  readonly url: string;
  readonly publicKeysPem: string;
  /** Of the variant `current`; the number is the next one unless given. */
  publish(graph: PublishedGraph, publication?: number): number;
  /** What is answered now, with its payload. */
  signed(): Signed;
  /** Makes of a right answer a wrong one; undefined: does not. */
  tamper: ((signed: Signed) => unknown) | undefined;
  /** What it says to a report; default true. */
  answerUsage: (report: UsageReport) => boolean | null | 'error';
  readonly reports: UsageReport[];
  /** Differences of live subgraphs that were told. */
  readonly drifts: { readonly system: string; readonly differences: readonly string[] }[];
  /** Questions for the graph, by what they have. */
  readonly questions: (string | null)[];
  /** Requests that were not signed as they should be. */
  readonly unsigned: string[];
  /** Nobody listens at its address. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Takes connections, and answers none of them. */
  isSilent: boolean;
}

export interface ScriptedOptions {
  readonly subgraphKeys?: readonly SubgraphKey[];
  readonly variant?: string;
}

export async function startScriptedRegistry(options: ScriptedOptions = {}): Promise<ScriptedRegistry> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { variant = 'current', subgraphKeys } = options;
  const verifier = subgraphKeys === undefined ? undefined : createRequestVerifier({ keys: subgraphKeys });
  let current: Signed | undefined;
  const http = createServer((request, response) => void answer(request, response));
  // It stops and starts: a port that no connection out is given meanwhile.
  const port = await freePort();
  const listen = async () => void (await once(http.listen(port, '127.0.0.1'), 'listening'));
  await listen();
  const registry: ScriptedRegistry = {
    url: `http://127.0.0.1:${port}/registry/graphql`,
    publicKeysPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    publish(graph, publication = (current?.publication ?? 0) + 1) {
      current = signGraph(privateKey, variant, publication, graph);
      return publication;
    },
    signed() {
      if (current === undefined) throw new Error('nothing was published');
      return current;
    },
    tamper: undefined,
    answerUsage: () => true,
    reports: [],
    drifts: [],
    questions: [],
    unsigned: [],
    stop: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
    start: listen,
    isSilent: false,
  };
  return registry;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (registry.isSilent) return;
    const message = signableMessage(request);
    const refusal = verifier?.refuse(message) ?? (isBodyOf(message, body) || !verifier ? undefined : 'body');
    if (refusal !== undefined) {
      registry.unsigned.push(refusal);
      response.writeHead(401).end();
      return;
    }
    const { query, variables } = JSON.parse(body.toString('utf8'));
    if (query.includes('recordDrift')) {
      registry.drifts.push(variables);
      return send(response, { data: { recordDrift: true } });
    }
    const answered = query.includes('recordUsage') ? takeUsage(variables.report) : giveGraph(variables.have);
    send(response, answered);
  }

  function takeUsage(report: UsageReport): unknown {
    const said = registry.answerUsage(report);
    if (said === 'error') return { data: null, errors: [{ message: 'the store does not answer' }] };
    registry.reports.push(report);
    return { data: { recordUsage: said } };
  }

  function giveGraph(have: string | null): unknown {
    registry.questions.push(have);
    if (current === undefined) return { data: { supergraph: null } };
    const right = { ...current, payload: have === current.hash ? null : current.payload };
    return { data: { supergraph: registry.tamper?.(right) ?? right } };
  }
}

function send(response: ServerResponse, answer: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function canonical({ supergraphSdl, subgraphs }: PublishedGraph): string {
  return JSON.stringify({ subgraphs: subgraphs.map(({ name, url }) => ({ name, url })), supergraphSdl });
}

export function signGraph(
  privateKey: KeyObject,
  variant: string,
  publication: number,
  graph: PublishedGraph,
): Signed {
  const payload = canonical(graph);
  const hashed = `sha256:${hash('sha256', payload)}`;
  const text = `weft-supergraph-1\n${variant}\n${publication}\n${hashed}\n`;
  return {
    variant,
    publication,
    hash: hashed,
    publishedAt: new Date().toISOString(),
    payload,
    keyId: 'test',
    signature: sign(null, Buffer.from(text), privateKey).toString('base64'),
  };
}
