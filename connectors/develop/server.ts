// `weft connect serve`: one wrapped system for its own developer, without a hub around it.
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { deadlineSignal } from '@weft/core/deadline';
import type { Logger } from '@weft/core/logger';
import type { Secrets } from '@weft/core/secrets';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { graphql } from 'graphql';
import { listen } from '../http/listen.ts';
import { createRequestContext } from '../load/request-context.ts';
import { createCallWatch } from '../observe/observed-calls.ts';
import { formatExecution } from '../serve/format-errors.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';
import { type Generation, openGeneration } from './generation.ts';
import { watchFolder } from './watch-folder.ts';

export interface DevelopOptions {
  readonly folder: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  /** Whether values of arguments are shown: they may be personal. */
  readonly showsValues: boolean;
  /** Files that the page needs of packages, by their URL path: GraphiQL and what it needs. */
  readonly vendorFiles: ReadonlyMap<string, string>;
  /** Told of every generation, the first one too. */
  readonly onGeneration: (generation: Generation) => void;
  readonly logger: Logger;
}

export interface DevelopServer {
  readonly url: string;
  close(): Promise<void>;
}

const REQUEST_BYTES_MAX = 1_000_000;
const DEADLINE_MS = 5_000;
const PAGE_FILES = ['page.html', 'page.js', 'page.css'] as const;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};
/** Scripts from here only; GraphiQL writes style attributes and data: images. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/**
 * Serves the page at `/`, the graph at `/graphql`, and what happens at `/events`; takes the folder in again when it changes.
 * A folder that cannot be served leaves the last one that could.
 * @throws OperatorError when the port is taken
 */
export async function serveForDevelopment(options: DevelopOptions): Promise<DevelopServer> {
  const folder = resolve(options.folder);
  const calls = createCallWatch(options.showsValues);
  const streams = createEventStreams();
  let current = await openGeneration(folder, 1, { ...options, calls });
  let answering = current.served;
  options.onGeneration(current);

  let turn = Promise.resolve();
  const reload = () => {
    turn = turn.then(async () => {
      const next = await openGeneration(folder, current.number + 1, { ...options, calls });
      const before = answering;
      current = next;
      if (next.served !== undefined) {
        answering = next.served;
        await before?.system.close();
      }
      options.onGeneration(next);
      streams.send({ event: 'state', data: stateOf(next, answering !== undefined) });
    });
  };
  const stopWatching = watchFolder(folder, reload);
  const stopCalls = calls.onCall((call) => streams.send({ event: 'call', data: call }));

  const app = Fastify({ logger: false, bodyLimit: REQUEST_BYTES_MAX, forceCloseConnections: true });
  registerGuards(app);
  registerFiles(app, options.vendorFiles);
  registerEvents(app, streams, () => [
    { event: 'state', data: stateOf(current, answering !== undefined) },
    ...calls.latest().map((data) => ({ event: 'call', data }) as const),
  ]);
  app.post('/graphql', (request, reply) => answer(request, reply, answering, current, options.logger));
  const url = await listen(app, options.host, options.port, '--port').catch(async (thrown: unknown) => {
    stopWatching();
    streams.close();
    await answering?.system.close();
    throw thrown;
  });
  return {
    url,
    async close() {
      stopWatching();
      stopCalls();
      await turn;
      streams.close();
      await app.close();
      await answering?.system.close();
    },
  };
}

/** What the page shows of a generation. */
function stateOf({ number, issues, problem, served, off }: Generation, isAnswering: boolean) {
  const name = served?.system.plan.title;
  return { number, issues, problem, isServed: served !== undefined, isAnswering, off, name };
}

/** Another page's script must not ask through a name that leads here, nor without being asked for it first. */
function registerGuards(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    const host = request.headers.host?.replace(/:\d+$/, '');
    if (host === undefined || !['localhost', '127.0.0.1', '[::1]'].includes(host)) {
      return reply.code(403).send({ message: 'this server answers to localhost only' });
    }
  });
}

function registerFiles(app: FastifyInstance, vendorFiles: ReadonlyMap<string, string>): void {
  const files = new Map(vendorFiles);
  for (const name of PAGE_FILES) files.set(`/${name}`, resolve(import.meta.dirname, 'page', name));
  files.set('/', resolve(import.meta.dirname, 'page', 'page.html'));
  for (const [path, file] of files) {
    app.get(path, (_request, reply) =>
      reply.type(TYPES[extname(file)] ?? 'application/octet-stream').send(readFileSync(file)),
    );
  }
}

function registerEvents(
  app: FastifyInstance,
  streams: EventStreams,
  first: () => Parameters<EventStreams['open']>[1],
): void {
  app.get('/events', (_request, reply) => {
    streams.open(reply, first());
  });
}

interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly operationName?: string | null;
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  served: Generation['served'],
  current: Generation,
  logger: Logger,
) {
  const asked = request.body as Partial<GraphqlRequest> | null;
  if (typeof asked?.query !== 'string')
    return reply.code(400).send(refusal('expected { "query": "…" } as JSON'));
  if (served === undefined) return reply.code(503).send(refusal(whyNotServed(current)));
  const { schema, system } = served;
  const left = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) left.abort();
  });
  const context = createRequestContext(system, deadlineSignal(DEADLINE_MS, left.signal), crypto.randomUUID());
  const execution = await graphql({
    schema,
    source: asked.query,
    contextValue: context,
    variableValues: asked.variables ?? {},
    operationName: asked.operationName ?? null,
  });
  const { statusCode, response } = formatExecution(execution, system.plan.name, logger);
  const { errors, data } = response;
  return reply
    .code(statusCode)
    .send(errors === undefined || errors.length === 0 ? { data } : { data, errors });
}

function refusal(message: string) {
  return { errors: [{ message }] };
}

function whyNotServed({ issues, problem }: Generation): string {
  const [issue] = issues;
  return problem ?? (issue === undefined ? 'the folder cannot be served' : `${issue.code}: ${issue.message}`);
}
