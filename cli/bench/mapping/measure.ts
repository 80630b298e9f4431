// Times a mapping beside the function that somebody would write by hand, in short turns of one process.
import { isDeepStrictEqual } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import { compileMapping } from '@weft/schema/mapping/compile';
import { type Quartiles, quartilesOf } from '../statistics.ts';
import type { MappingCase } from './cases.ts';

export interface MappingResult {
  readonly name: string;
  /** Microseconds of one evaluation. */
  readonly mappingUs: Quartiles;
  readonly byHandUs: Quartiles;
  /** How much longer the mapping takes; of turns that follow each other. */
  readonly ratio: Quartiles;
}

/** A mapping may take this many times as long as the function by hand. */
export const MAPPING_RATIO_MAX = 3;

const TURN_MS = 8;
const WARM_UP_TURNS = 20;

/**
 * Compares the results first, then takes `turns` turns of each, one after the other.
 * @throws OperatorError when the two do not yield the same
 */
export function measureMapping({ name, mapping, byHand, input }: MappingCase, turns: number): MappingResult {
  const compiled = compileMapping(mapping);
  const scope = { $: input, timezone: 'Asia/Shanghai' };
  const evaluate = () => compiled.evaluate(scope);
  const call = () => byHand(input);
  if (!isDeepStrictEqual(toPlain(evaluate()), toPlain(call())))
    throw new OperatorError(`${name}: the mapping and the function by hand yield different results`);
  const repeats = calibrate(call);
  const mappingUs: number[] = [];
  const byHandUs: number[] = [];
  for (let turn = -WARM_UP_TURNS; turn < turns; turn += 1) {
    const [one, other] = turn % 2 === 0 ? ([evaluate, call] as const) : ([call, evaluate] as const);
    const took = [time(one, repeats), time(other, repeats)] as const;
    if (turn < 0) continue;
    mappingUs.push(turn % 2 === 0 ? took[0] : took[1]);
    byHandUs.push(turn % 2 === 0 ? took[1] : took[0]);
  }
  return {
    name,
    mappingUs: quartilesOf(mappingUs),
    byHandUs: quartilesOf(byHandUs),
    ratio: quartilesOf(mappingUs.map((us, turn) => us / (byHandUs[turn] ?? Number.NaN))),
  };
}

function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** How often the function runs within a turn. */
function calibrate(work: () => unknown): number {
  let repeats = 1;
  while (time(work, repeats) * repeats < TURN_MS * 1_000 && repeats < 1_000_000) repeats *= 2;
  return repeats;
}

let sink: unknown;

/** Microseconds of one call, by the processor's own account of this process: others on the machine do not count. */
function time(work: () => unknown, repeats: number): number {
  const before = process.cpuUsage();
  // What nobody reads could be left out by the compiler.
  for (let index = 0; index < repeats; index += 1) sink = work();
  const { user, system } = process.cpuUsage(before);
  return sink === undefined ? Number.NaN : (user + system) / repeats;
}
