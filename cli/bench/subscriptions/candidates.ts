// Who is measured with live clients: a bare broadcast, Weft over each source of events, and the peers.
import { join } from 'node:path';
import { ROOT } from '../../checkout.ts';
import type { Command } from '../candidates.ts';
import type { PeerName } from '../peers.ts';
import type { LiveForm } from './schemas.ts';

/** What a row may need to start. */
export interface LiveWorkplace {
  /** Scheme, host and port of the subgraphs; their own subscriptions are on the same port. */
  readonly subgraphsOrigin: string;
  /** The composed supergraph, absolute, for each way to answer the live field. */
  supergraphFile(form: LiveForm): string;
  readonly databaseUrl: string;
  /** Of a Redis server of the row's own; '' where it needs none. */
  readonly redisUrl: string;
  /** A free port to listen on. */
  readonly port: number;
  /** The folder of the row's peer; empty when it has none. */
  readonly peerFolder: string;
}

export interface LiveCandidate {
  readonly name: string;
  readonly kind: 'weft' | 'bare' | 'peer';
  /** One line for the document. */
  readonly means: string;
  /** Where its events come from: its own process, the outbox in PostgreSQL, the subgraph that has the live field. */
  readonly source: 'own' | 'outbox' | 'subgraph';
  /** How its supergraph answers the live field. */
  readonly form: LiveForm;
  readonly peer?: PeerName;
  /** Whether its event log is in Redis: a server and the relay are started beside it. */
  readonly hasRedis?: boolean;
  command(workplace: LiveWorkplace): Command;
}

/** The row that all are divided by. */
export const BARE = 'bare-ws';
/** The same of what an outbox announces. */
export const BARE_OUTBOX = 'bare-outbox';

export const LIVE_CANDIDATES: readonly LiveCandidate[] = [
  bare(BARE, "bare `ws` server that sends each event's ready text to all: `socket.send(text)`", 'send'),
  bare('bare-frame', 'the same with one frame made for all and written past `ws`', 'frame'),
  {
    ...bare(
      BARE_OUTBOX,
      'the same as `bare-ws`, but its events come from the outbox in PostgreSQL: committed, announced, sent; no order, no cursor, nothing fetched',
      'send',
      ({ databaseUrl }) => ({ DATABASE_URL: databaseUrl }),
    ),
    source: 'outbox',
  },
  weft(
    'weft-postgres',
    'Weft, `@eventStream` over the outbox in PostgreSQL',
    'event-log',
    ({ databaseUrl }) => ({
      DATABASE_URL: databaseUrl,
    }),
  ),
  {
    ...weft(
      'weft-redis',
      'Weft, `@eventStream` over Redis Streams, filled by the relay',
      'event-log',
      (place) => ({
        DATABASE_URL: place.databaseUrl,
        EVENT_LOG: place.redisUrl,
      }),
    ),
    hasRedis: true,
  },
  weft(
    'weft-passthrough',
    "Weft, the subgraph's own subscription passed on and completed",
    'own-subscription',
    () => ({}),
  ),
  hive('hive-js', 'js'),
  hive('hive-rust', 'rust'),
  {
    name: 'mercurius',
    kind: 'peer',
    means: '@mercuriusjs/gateway (Federation 1), defaults',
    source: 'subgraph',
    form: 'own-subscription',
    peer: 'mercurius',
    command: ({ subgraphsOrigin, port, peerFolder }) => ({
      args: [join(peerFolder, 'mercurius.mjs'), subgraphsOrigin, String(port), '--live'],
      cwd: peerFolder,
    }),
  },
];

function bare(
  name: string,
  means: string,
  mode: 'send' | 'frame',
  env: (place: LiveWorkplace) => Readonly<Record<string, string>> = () => ({}),
): LiveCandidate {
  return {
    name,
    kind: 'bare',
    means,
    source: 'own',
    form: 'event-log',
    command: (place) => ({
      args: [join(import.meta.dirname, 'bare-broadcast.ts'), String(place.port), mode],
      env: env(place),
    }),
  };
}

function weft(
  name: string,
  means: string,
  form: LiveForm,
  env: (place: LiveWorkplace) => Readonly<Record<string, string>>,
): LiveCandidate {
  return {
    name,
    kind: 'weft',
    means,
    source: form === 'event-log' ? 'outbox' : 'subgraph',
    form,
    command: (place) => ({
      args: [
        join(ROOT, 'cli', 'main.ts'),
        'gateway',
        '--supergraph',
        place.supergraphFile(form),
        '--port',
        String(place.port),
      ],
      // No load balancer has to notice that it ends.
      env: { WEFT_DRAIN_GRACE_MS: '0', WEFT_DRAIN_TIMEOUT_MS: '0', ...env(place) },
    }),
  };
}

function hive(name: string, planner: 'js' | 'rust'): LiveCandidate {
  return {
    name,
    kind: 'peer',
    means: `Hive Gateway ${planner === 'rust' ? 'with its Rust planner (router-runtime)' : 'with its JavaScript planner'}`,
    source: 'subgraph',
    form: 'own-subscription',
    peer: 'hive',
    command: ({ subgraphsOrigin, supergraphFile, port, peerFolder }) => ({
      args: [
        join(peerFolder, 'node_modules', '@graphql-hive', 'gateway', 'dist', 'bin.js'),
        'supergraph',
        supergraphFile('own-subscription'),
        '--config-path',
        'hive.config.mjs',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
      ],
      env: { BENCH_PLANNER: planner, BENCH_SHARING: 'off', BENCH_LIVE: `${subgraphsOrigin}/reviews` },
      cwd: peerFolder,
    }),
  };
}
