// `weft bench mapping`: mappings beside functions written by hand.
import { parseArgs } from 'node:util';
import { OperatorError } from '@weft/core/errors';
import type { Quartiles } from '../statistics.ts';
import { formatMarkdown, type Table } from '../table.ts';
import { MAPPING_CASES } from './cases.ts';
import { MAPPING_RATIO_MAX, type MappingResult, measureMapping } from './measure.ts';

const TURNS = 60;
const TURNS_MAX = 10_000;

/**
 * Prints the table; the exit code is 1 when a mapping takes more than `MAPPING_RATIO_MAX` times as long.
 * @throws OperatorError for wrong arguments, and when the results differ
 */
export function benchMappingCommand(argv: readonly string[]): void {
  const { values } = parseArgs({ args: [...argv], options: { turns: { type: 'string' } } });
  const turns = values.turns === undefined ? TURNS : Number(values.turns);
  if (!Number.isInteger(turns) || turns < 1 || turns > TURNS_MAX)
    throw new OperatorError(`--turns is a whole number from 1 to ${TURNS_MAX}`, { exitCode: 2 });
  const results = MAPPING_CASES.map((each) => measureMapping(each, turns));
  process.stdout.write(`${formatMarkdown(tableOfMappings(results), 'right')}\n`);
  if (results.some(({ ratio }) => ratio.median > MAPPING_RATIO_MAX)) process.exitCode = 1;
}

/** One row a mapping: medians with quartiles. */
export function tableOfMappings(results: readonly MappingResult[]): Table {
  const cell = ({ lower, median, upper }: Quartiles, digits: number) =>
    `${median.toFixed(digits)} (${lower.toFixed(digits)}–${upper.toFixed(digits)})`;
  return [
    ['mapping', 'µs', 'by hand, µs', 'ratio (quartiles)'],
    ...results.map(({ name, mappingUs, byHandUs, ratio }) => [
      name,
      cell(mappingUs, 1),
      cell(byHandUs, 1),
      cell(ratio, 2),
    ]),
  ];
}
