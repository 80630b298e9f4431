// The document: what was measured with live clients, on what machine, and how.
import { machineText } from '../report.ts';
import { formatMarkdown, tableOfTargets } from '../table.ts';
import { LIVE_CANDIDATES } from './candidates.ts';
import { LIVE_LIMITS } from './limits.ts';
import type { LiveResult } from './measurement.ts';
import type { Shape } from './operations.ts';
import { describeIdle, describeSlow, tableOfIdle, tableOfShape, tableOfSlow } from './table.ts';
import { judgeLive } from './targets.ts';

/** @returns Markdown, with a final newline */
export function writeLiveReport(result: LiveResult): string {
  return `${HEAD}
${targetsText(result)}${(['broadcast', 'groups'] as const).map((shape) => shapeText(result, shape)).join('\n')}
${idleText(result)}${slowText(result)}
${failuresText(result)}${COLUMNS}
${rowsText()}
${methodText(result.settings.isPinning)}
- This run: ${result.settings.clients} clients, ${result.settings.eventsPerSecond} events a second, ${result.settings.seconds} s, ${result.settings.rounds} rounds, ${result.settings.groups} groups.

## Machine

${machineText(result)}
`;
}

/** What stands there until a run has written its figures. */
export function writeEmptyLiveReport(): string {
  return `${HEAD}
The figures are written here by a run: there are none yet.

${COLUMNS}
${rowsText()}
${methodText(true)}
`;
}

const HEAD = `# Benchmarks of subscriptions

Written by

    npm run -s weft -- bench subscriptions --idle --slow --report docs/benchmarks-subscriptions.md

which measures again on any machine of two cores or more; it takes an hour. The raw numbers of a run are kept in
\`.weft/bench/subscriptions.json\`. A section "Notes" at the end is kept when it is written anew.
`;

const TITLES: Readonly<Record<Shape, (result: LiveResult) => string>> = {
  broadcast: ({ settings }) => `Broadcast: ${settings.clients} clients, every event to all`,
  groups: ({ settings }) =>
    `Groups: ${settings.groups} groups of ${Math.floor(settings.clients / settings.groups)} clients, every event to one group`,
};

function targetsText({ measurements }: LiveResult): string {
  const targets = judgeLive(measurements);
  if (targets.length === 0) return '';
  return `## What Weft must show

To \`bare-ws\` in the same round; the median of the rounds counts, and of deliveries the worst round.

${formatMarkdown(tableOfTargets(targets), 'right')}

`;
}

function shapeText(result: LiveResult, shape: Shape): string {
  const table = tableOfShape(result.measurements, shape);
  if (table.length === 1) return '';
  const wrong = result.measurements.filter(
    (run) => run.shape === shape && (run.duplicates > 0 || run.misordered > 0),
  );
  const wrongs = wrong.map(
    ({ candidate, round, duplicates, misordered }) =>
      `\nRound ${round}, \`${candidate}\`: ${duplicates} deliveries twice, ${misordered} out of order.\n`,
  );
  return `## ${TITLES[shape](result)}

${formatMarkdown(table, 'right')}
${wrongs.join('')}`;
}

function idleText({ idle }: LiveResult): string {
  if (idle === undefined) return '';
  return `## Idle subscriptions

${describeIdle(idle)}.

${formatMarkdown(tableOfIdle(idle), 'right')}
`;
}

function slowText({ slow }: LiveResult): string {
  if (slow === undefined) return '';
  return `
## Clients that stop reading

${describeSlow(slow)}.

${formatMarkdown(tableOfSlow(slow), 'right')}
`;
}

function failuresText({ failures }: LiveResult): string {
  if (failures.length === 0) return '';
  const rows = failures.map(({ candidate, shape, reason }) => [
    candidate,
    shape,
    reason.replaceAll('|', '/').replaceAll('\n', ' '),
  ]);
  return `Not measured:\n\n${formatMarkdown([['row', 'shape', 'reason'], ...rows], 'left')}\n\n`;
}

const COLUMNS = `Columns: \`of all\` is the share of the deliveries due that were made, of the worst round; delays are from the source's clock in the
event to the arrival at the client; \`to bare\` divides by \`bare-ws\` of the same round, \`to outbox\` by \`bare-outbox\`; \`from due\` counts from when the event was due at its source, which emits late where it is held up: \`bare-ws\` is its own source;
\`bunched\` is the share of events that their source, on the core of the load but for \`bare-ws\`, emitted less than half an interval after the one before; \`CPU\` is user and system time of the row's
processes in percent of one core, \`beside\` that of the relay; \`KiB/conn.\` is the growth of RSS from nobody connected (a few hundred clients had come, had events and gone) to all subscribed;
\`bytes\` is one delivery; \`others\` and \`load core\` are as in [benchmarks](benchmarks.md).
`;

function rowsText(): string {
  const rows = LIVE_CANDIDATES.map(({ name, means }) => [`\`${name}\``, means]);
  return `## Rows

${formatMarkdown([['name', 'what it is'], ...rows], 'left')}
`;
}

function methodText(isPinning: boolean): string {
  const cores = isPinning
    ? 'The gateway has core 0 for itself; clients, subgraphs, the source of events, PostgreSQL, Redis and the relay share core 1.'
    : 'Nothing could be pinned to a core: gateway, clients and subgraphs disturb each other.';
  return `## Method

- Each round measures every row once for each shape, in a fresh process. Medians of the rounds, with the smallest and the largest.
- ${cores}
- An event is stamped at its source with its number and CLOCK_MONOTONIC; both are part of what every client gets. Each client must have
  every event that is due to it once and in order: what is missing, double or out of order is counted.
- The document asks for two fields that come with the event and for one object of each of two other subgraphs: two entity fetches an event.
  In the shape \`groups\` each group has an argument and a selection of its own, and each event is of one group.
- With the outbox each event is appended in a transaction of its own, as a department's change is and in one round trip, as the owned subgraphs write; the delay holds its
  commit, whose write to the disk \`bare-ws\` does without and \`bare-outbox\` waits for.
- Clients are bare sockets that look for the stamp in the bytes of a frame and read no JSON. They open the socket, send ConnectionInit and
  Subscribe, and answer pings. The protocol does not say when a subscription stands: events go out for at least ${LIVE_LIMITS.warmUpMsMin / 1_000} s and until every
  client has had one, no more at once than the row delivers; only then is counted.
- Idle: the sockets are held by client processes of at most ${LIVE_LIMITS.clientsPerProcessMax} each; subscriptions are counted by the gateway's own \`weft_live_streams\`. Heap is
  what \`/metrics\` tells after the inspector was asked to collect garbage, RSS and descriptors are from /proc.
- Clients that stop reading: a few sockets with as many operations as one may have. Each round measures the others before these come, and again while they
  read nothing. When they read again they must find their gap, LIMIT_EXCEEDED and the close 4499, and the cursors of their last events must bring all
  that they missed.
- All run on the same Node binary, with \`NODE_ENV=production\` and no other setting than those named.`;
}
