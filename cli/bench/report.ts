// The document: what was measured, on what machine, how, and what it shows.
import type { Candidate } from './candidates.ts';
import { CONNECTIONS } from './load/run-load.ts';
import { SECOND_WARM_UP_SECONDS_MAX } from './measure.ts';
import { type BenchResult, disturbedOf, FOREIGN_SHARE_MAX } from './measurement.ts';
import { formatMarkdown, tableOfQuery, tableOfTargets } from './table.ts';
import { judgeTargets } from './targets.ts';

/** @returns Markdown, with a final newline */
export function writeReport(result: BenchResult, candidates: readonly Candidate[]): string {
  const { measurements } = result;
  return `# Benchmarks

Written by \`npm run -s weft -- bench\`, which measures again on any machine. The raw numbers of a run are kept in
\`.weft/bench/result.json\`. A section "Notes" at the end is kept when it is written anew.

## What Weft must show

Ratios of figures of the same round; the median counts. Weft runs in its default configuration, nothing switched off, and
shares no answer and no fetch between requests.

${formatMarkdown(tableOfTargets(judgeTargets(measurements, candidates)), 'right')}

## Federated query: four subgraphs, an answer of ${answerKilobytes(result)} kB

${formatMarkdown(tableOfQuery(measurements, 'federated'), 'right')}

## Query to one subgraph

${formatMarkdown(tableOfQuery(measurements, 'single'), 'right')}

Columns: \`fetches/req\` are requests to subgraphs for each answered request under load (what was in flight when the load
ended counts as fetched, not as answered), \`alone\` those of one request that has the gateway for itself; \`own core\` is the
share of its core that the candidate used, \`others\` what other processes used of that core, \`load core\` how busy the
core of load and subgraphs was.
${disturbanceText(result)}${failuresText(result)}
## Candidates

${formatMarkdown([['name', 'what it is'], ...candidates.map(({ name, means }) => [`\`${name}\``, means])], 'left')}

${methodText(result)}

## Machine

${machineText(result)}
`;
}

function answerKilobytes({ measurements }: BenchResult): string {
  const bytes = measurements.find(({ query }) => query === 'federated')?.answerBytes;
  return bytes === undefined ? '–' : (bytes / 1_000).toFixed(0);
}

function disturbanceText({ measurements }: BenchResult): string {
  const disturbed = disturbedOf(measurements).length;
  if (disturbed === 0) return '';
  return `
**Disturbed**: in ${disturbed} of ${measurements.length} measurements other processes took more than ${100 * FOREIGN_SHARE_MAX} % of the candidate's core.
`;
}

function failuresText({ failures }: BenchResult): string {
  if (failures.length === 0) return '';
  const rows = failures.map(({ candidate, query, reason }) => [
    candidate,
    query,
    reason.replaceAll('|', '/').replaceAll('\n', ' '),
  ]);
  return `\nNot measured:\n\n${formatMarkdown([['candidate', 'query', 'reason'], ...rows], 'left')}\n`;
}

function methodText({ settings }: BenchResult): string {
  const { rounds, seconds, warmUpSeconds, loadTool, isPinning } = settings;
  const tool =
    loadTool === 'wrk' ? '`wrk`, one thread' : 'the load generator in Node (`wrk` was not installed)';
  const cores = isPinning
    ? 'The gateway has core 0 for itself; load, subgraphs and the bench share core 1.'
    : 'Nothing could be pinned to a core: gateway, load and subgraphs disturb each other.';
  return `## Method

- Rounds: ${rounds}; each measures every candidate once for each query, in a fresh process: start, check of the answer, ${warmUpSeconds} s
  of warm-up, ${Math.min(warmUpSeconds, SECOND_WARM_UP_SECONDS_MAX)} s more by new connections once the first are gone and all is quiet, ${seconds} s of measurement, a second check. Medians of the rounds, with the smallest and the largest.
- Load: ${tool}, ${CONNECTIONS} keep-alive connections. ${cores}
- Before anything is timed the answer is compared, as canonical JSON, with that of a monolith over the same records.
- The four subgraphs answer from a table of ready HTTP responses at some ten microseconds a request: the candidate is the
  bottleneck. They execute a request that they have not seen before.
- Every candidate runs on the same Node binary as Weft, with \`NODE_ENV=production\` and no other setting than those named.
- CPU is user and system time of the candidate's processes; peak RSS is their \`VmHWM\` from start to end of the load, summed
  over those that live at the end; \`at once\` is the most that they had together at one moment since the start, looked at ten times a
  second: the process that plans (docs/planning.md) ends when nothing is to be planned, and is in the second figure only. A
  request in flight when the load ends costs time and is not counted, which matters only for the slowest.`;
}

/** Machine and versions as a table in Markdown. */
export function machineText({ machine }: Pick<BenchResult, 'machine'>): string {
  const rows = [
    ['date', machine.measuredAt.slice(0, 10)],
    ['processor', `${machine.cpuModel}, ${machine.cores} cores`],
    ['memory', `${machine.memoryGiB.toFixed(0)} GiB`],
    ['kernel', machine.kernel],
    ['Node', machine.node],
    ...Object.entries(machine.versions).map(([owner, versions]) => [
      owner,
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ]),
  ];
  return formatMarkdown([['', ''], ...rows], 'left');
}
