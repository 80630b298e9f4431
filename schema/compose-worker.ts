// The thread that composes stored SDL: a graph that is dear to compose must not keep clients waiting.
import { parentPort } from 'node:worker_threads';
import { invariant } from '@weft/core/errors';
import { type Composition, compose, type Subgraph } from './compose.ts';

const port = parentPort;
invariant(port !== null, 'the composing thread runs as a worker');
port.on('message', (subgraphs: readonly Subgraph[]) =>
  port.postMessage(compose(subgraphs) satisfies Composition),
);
