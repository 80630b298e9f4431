// The connectors' document: what was measured, how, on what machine, and what it shows.
import { describeMachine } from '../machine.ts';
import { tableOfMappings } from '../mapping/command.ts';
import { MAPPING_RATIO_MAX, type MappingResult } from '../mapping/measure.ts';
import { machineText } from '../report.ts';
import type { Quartiles } from '../statistics.ts';
import { formatMarkdown, type Table } from '../table.ts';
import {
  CANDIDATES,
  CONNECTIONS,
  type ConnectorsResult,
  ENTITIES,
  ENTITIES_PER_CALL,
  type Over,
  QUERY,
  REQUESTS_PER_TURN,
} from './measure.ts';

/** How much more processor time than the program by hand the connectors may take. */
export const OVER_MAX = 0.15;

const PERCENT = 100;

/** One row a candidate: medians with quartiles. */
export function tableOfConnectors(result: ConnectorsResult): Table {
  const cell = ({ lower, median, upper }: Quartiles, digits: number) =>
    `${median.toFixed(digits)} (${lower.toFixed(digits)}–${upper.toFixed(digits)})`;
  return [
    ['candidate', 'calls', 'CPU ms/req (quartiles)', 'req/s (quartiles)', 'peak RSS MiB'],
    ...CANDIDATES.map((name) => [
      name,
      String(result.calls[name]),
      cell(result.cpuMsPerRequest[name], 2),
      cell(result.requestsPerSecond[name], 0),
      result.rssPeakMiB[name].toFixed(0),
    ]),
    ...Object.entries(result.over).map(([name, { pairs }]) => [
      `connectors over ${name}`,
      '',
      `${percent(pairs.median)} (${percent(pairs.lower)}–${percent(pairs.upper)})`,
      '',
      '',
    ]),
  ];
}

function percent(share: number): string {
  return `${(share * PERCENT).toFixed(1)} %`;
}

function intervalText({ interval: [low, high] }: Over): string {
  return `${percent(low)} to ${percent(high)}`;
}

function roundsText({ rounds }: Over): string {
  return rounds.map(percent).join(', ');
}

/** @returns Markdown, with a final newline */
export function writeConnectorsReport(result: ConnectorsResult, mappings: readonly MappingResult[]): string {
  const { 'by hand': over, 'by hand, no deadline': overBare } = result.over;
  const verdictOf = ({ pairs }: Over) => (pairs.median < OVER_MAX ? 'holds' : '**is missed**');
  return `# Benchmarks of the connectors

Written by \`npm run -s weft -- bench connectors\`, which measures again on any machine. The raw numbers of a run are kept in
\`.weft/bench/connectors/result.json\`.

## A wrapped system beside a program written by hand

One query for ${ENTITIES} entities of an old system that gives at most ${ENTITIES_PER_CALL} in a call: ${result.calls.connectors} calls, which is the fewest there
can be (the old system counts them; another number ends the bench), and an answer of ${(result.answerBytes / 1_000).toFixed(0)} kB.

${formatMarkdown(tableOfConnectors(result), 'right')}

The bar: less than ${OVER_MAX * PERCENT} % more processor time than the program by hand. It ${verdictOf(over)}: **${percent(over.pairs.median)}** (95 % confidence: ${intervalText(over)};
the programs' ${result.rounds} starts taken apart: ${roundsText(over)}). Beside the one that waits for as long as it takes, which no program in use should, it
${verdictOf(overBare)}: **${percent(overBare.pairs.median)}** (${intervalText(overBare)}; ${roundsText(overBare)}).

- **by hand** (\`cli/bench/connectors/by-hand-program.ts\`) is an HTTP server of Node that reads the keys, fetches by undici in the same
  calls, maps, and writes JSON. It knows one query: it parses no GraphQL, checks nothing of it, executes no field by name, and
  has neither guard nor circuit breaker, nor errors by path. It gives up after 4 s and when its client leaves, by one \`AbortSignal\`, and sends its answer as
  bytes, as the connectors do. **by hand, no deadline** is the same program without the signal.
- **connectors** (\`hub-program.ts\`) is the connector host's own server over \`market/market.graphql\`: everything that it does for any query.

\`\`\`graphql
${QUERY}
\`\`\`

## Mappings beside functions written by hand

The bar: at most ${MAPPING_RATIO_MAX} times as long (\`npm run -s weft -- bench mapping\`). The function by hand checks what a careful programmer
checks, for one time zone that it knows; the mapping does it for any.

${formatMarkdown(tableOfMappings(mappings), 'right')}

## Method

- All programs stay up for a round, on the same Node binary and the same core, and take turns of ${REQUESTS_PER_TURN} requests over ${CONNECTIONS} connections; every second turn goes in
  the other order. ${result.turns} turns of each of ${result.rounds} rounds count, after 12 that do not; for each round the programs are started anew, since two starts of one
  program differ by more than its turns do. Ratios are of turns that follow each other; medians with quartiles. The confidence is that of a bootstrap over rounds and turns.
- Processor time is what the kernel's scheduler counted for all threads of the process (\`/proc/PID/task/TID/schedstat\`): it says the same on a
  machine that has more to do, which requests per second do not.
- Before anything is timed, the two answers are compared as canonical JSON; behind it, the calls that the old system
  counted for all turns must be ${ENTITIES / ENTITIES_PER_CALL} for each request.

## Machine

${machineText({ machine: describeMachine({}) })}
`;
}
