// Prints what composing a large graph costs: node tests/registry/compose-bench.ts --subgraphs 100 --types 2000
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { composeAtSize, type LoopDelay } from './composing-at-size.ts';

const { values } = parseArgs({
  options: {
    subgraphs: { type: 'string', default: '100' },
    types: { type: 'string', default: '2000' },
  },
});

const show = ({ p50, p99, max }: LoopDelay) =>
  `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, max ${max.toFixed(2)} ms`;

const found = await composeAtSize(Number(values.subgraphs), Number(values.types));
console.log(`${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}`);
console.log(`${found.systems} subgraphs, ${found.types} types, ${found.sdlKib} KiB of SDL`);
console.log(`composed in ${found.seconds} s to ${found.supergraphKib} KiB, memory + ${found.memoryMib} MiB`);
console.log(`event loop meanwhile: ${show(found.delay)}`);
console.log(`event loop idle:      ${show(found.idle)}`);
