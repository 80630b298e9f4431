// The thread that composes stored SDL: a graph that is dear to compose must not keep clients waiting.
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '@weft/core/errors';
import { type Composition, compose, type Subgraph } from '@weft/schema/compose';

invariant(parentPort !== null, 'the composing thread runs as a worker');
parentPort.postMessage(compose(workerData as readonly Subgraph[]) satisfies Composition);
