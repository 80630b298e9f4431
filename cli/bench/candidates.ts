// Who is measured: Weft, the bare limits and the peers, each with the command that starts it.
import { join, relative } from 'node:path';
import { ROOT } from '../checkout.ts';
import type { PeerName } from './peers.ts';
import type { QueryName } from './workload/operations.ts';

/** What a candidate may need to start. */
export interface Workplace {
  /** Scheme, host and port of the subgraphs. */
  readonly subgraphsOrigin: string;
  /** The composed supergraph, absolute. */
  readonly supergraphFile: string;
  /** A free port to listen on. */
  readonly port: number;
  /** The folder of the candidate's peer; empty when it has none. */
  readonly peerFolder: string;
}

export interface Command {
  /** After the Node binary. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Candidate {
  readonly name: string;
  readonly kind: 'weft' | 'limit' | 'peer';
  /** One line for the document. */
  readonly means: string;
  readonly queries: readonly QueryName[];
  /** Whether equal requests that are in flight at one moment share fetches or answers. */
  readonly isSharing: boolean;
  readonly peer?: PeerName;
  /** Whether it runs with the whole edge (`edge.ts`), and is asked with a token. */
  readonly hasEdge?: boolean;
  command(workplace: Workplace): Command;
}

const BOTH: readonly QueryName[] = ['federated', 'single'];

export const CANDIDATES: readonly Candidate[] = [
  weft('weft', 'Weft in its default configuration', false, []),
  weft('weft-shared', 'Weft with sharing of equal fetches in flight (`--share-in-flight`)', true, [
    '--share-in-flight',
  ]),
  weft('weft-watched', 'Weft with metrics on, its line for each operation as by default', false, [], {
    WEFT_METRICS: 'main',
  }),
  weft('weft-bare', 'Weft with its edge switched off: no line for an operation, no metrics', false, [], {
    WEFT_LOG_LEVEL: 'error',
    WEFT_METRICS: 'off',
  }),
  {
    ...weft(
      'weft-edge',
      'Weft with its whole edge: a token verified, rules on what is asked for, signed requests, metrics, line',
      false,
      [],
    ),
    hasEdge: true,
  },
  limit('limit-paths', 'hand-written fetch and merge, one fetch for each path (13)', 'paths'),
  limit('limit-merged', 'hand-written fetch and merge, fetches of a wave merged (7)', 'merged'),
  limit('limit-reused', 'hand-written fetch and merge, known fields reused (4)', 'reused'),
  {
    name: 'limit-proxy',
    kind: 'limit',
    means: 'hand-written reverse proxy, one fetch passed through',
    queries: ['single'],
    isSharing: false,
    command: ({ subgraphsOrigin, port }) => ({
      args: [program('limits/reverse-proxy.ts'), subgraphsOrigin, String(port)],
    }),
  },
  {
    name: 'apollo',
    kind: 'peer',
    means: '@apollo/gateway behind @apollo/server, defaults',
    queries: BOTH,
    isSharing: false,
    peer: 'apollo',
    command: ({ supergraphFile, port, peerFolder }) => ({
      args: [join(peerFolder, 'apollo.mjs'), supergraphFile, String(port)],
      cwd: peerFolder,
    }),
  },
  hive('hive-js', 'js', false),
  hive('hive-js-shared', 'js', true),
  hive('hive-rust', 'rust', false),
  hive('hive-rust-shared', 'rust', true),
  mercurius('mercurius', []),
  mercurius('mercurius-jit', ['--jit']),
];

function program(path: string): string {
  return join(import.meta.dirname, path);
}

/** The same program as it is in another checkout, for the effect of a change. @param root absolute */
export function ofCheckout(candidate: Candidate, root: string): Candidate {
  const moved = (argument: string) =>
    argument.startsWith(ROOT) ? join(root, relative(ROOT, argument)) : argument;
  return {
    ...candidate,
    name: `${candidate.name}@${root}`,
    command(workplace) {
      const { args, ...more } = candidate.command(workplace);
      const [script = '', ...others] = args;
      return { ...more, args: [moved(script), ...others] };
    },
  };
}

function weft(
  name: string,
  means: string,
  isSharing: boolean,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Candidate {
  return {
    name,
    kind: 'weft',
    means,
    queries: BOTH,
    isSharing,
    command: ({ supergraphFile, port }) => ({
      args: [
        join(ROOT, 'cli', 'main.ts'),
        'gateway',
        '--supergraph',
        supergraphFile,
        '--port',
        String(port),
        ...flags,
      ],
      // No load balancer has to notice that it ends.
      env: { WEFT_DRAIN_GRACE_MS: '0', ...env },
    }),
  };
}

function limit(name: string, means: string, plan: string): Candidate {
  return {
    name,
    kind: 'limit',
    means,
    queries: ['federated'],
    isSharing: false,
    command: ({ subgraphsOrigin, port }) => ({
      args: [program('limits/fetch-and-merge.ts'), subgraphsOrigin, String(port), '--plan', plan],
    }),
  };
}

function hive(name: string, planner: 'js' | 'rust', isSharing: boolean): Candidate {
  const runtime =
    planner === 'rust' ? 'with its Rust planner (router-runtime)' : 'with its JavaScript planner';
  return {
    name,
    kind: 'peer',
    means: `Hive Gateway ${runtime}, its sharing ${isSharing ? 'on' : 'off'}`,
    queries: BOTH,
    isSharing,
    peer: 'hive',
    command: ({ supergraphFile, port, peerFolder }) => ({
      args: [
        join(peerFolder, 'node_modules', '@graphql-hive', 'gateway', 'dist', 'bin.js'),
        'supergraph',
        supergraphFile,
        '--config-path',
        'hive.config.mjs',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
      ],
      env: { BENCH_PLANNER: planner, BENCH_SHARING: isSharing ? 'on' : 'off' },
      cwd: peerFolder,
    }),
  };
}

function mercurius(name: string, flags: readonly string[]): Candidate {
  return {
    name,
    kind: 'peer',
    means: `@mercuriusjs/gateway (Federation 1)${flags.length > 0 ? ' with graphql-jit' : ', defaults'}`,
    queries: BOTH,
    isSharing: false,
    peer: 'mercurius',
    command: ({ subgraphsOrigin, port, peerFolder }) => ({
      args: [join(peerFolder, 'mercurius.mjs'), subgraphsOrigin, String(port), ...flags],
      cwd: peerFolder,
    }),
  };
}
