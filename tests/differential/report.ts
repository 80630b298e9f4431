// The table of a run, for people.
import type { CampaignReport } from './campaign.ts';

export function printReport(report: CampaignReport): string {
  const share = ((100 * report.nonEmpty) / Math.max(1, report.operations)).toFixed(1);
  const lines = [
    `${report.operations} operations on ${report.supergraphs} supergraphs; ${share} % of the answers hold a value`,
    '',
    row('feature', 'supergraphs', 'operations'),
    ...[...report.features].map(([feature, tally]) => row(feature, tally.supergraphs, tally.operations)),
    '',
  ];
  for (const [name, engine] of report.engines) {
    const known = [...engine.known.values()].reduce((sum, count) => sum + count, 0);
    lines.push(
      `${name}: ${engine.operations} answers, ${engine.agreements} as the monolith's, ${known} in known classes, ${engine.disagreements} other`,
    );
    for (const [reason, count] of engine.known) lines.push(`  known: ${reason}: ${count}`);
    for (const [reason, count] of engine.refusals)
      lines.push(`  refuses ${count} supergraphs: ${reason.replaceAll('\n', ' ')}`);
  }
  return lines.join('\n');
}

function row(feature: string, supergraphs: number | string, operations: number | string): string {
  return `${feature.padEnd(28)}${String(supergraphs).padStart(12)}${String(operations).padStart(12)}`;
}

export const SUPERGRAPHS_OF_A_FEATURE_MIN = 10;
export const OPERATIONS_OF_A_FEATURE_MIN = 100;
export const NON_EMPTY_PERCENT_MIN = 95;

/** What a whole run lacks to be a proof; empty when it lacks nothing. */
export function shortfalls(report: CampaignReport): readonly string[] {
  const rare = [...report.features].flatMap(([feature, { supergraphs, operations }]) =>
    supergraphs < SUPERGRAPHS_OF_A_FEATURE_MIN || operations < OPERATIONS_OF_A_FEATURE_MIN
      ? [`${feature} is used by ${supergraphs} supergraphs and ${operations} operations`]
      : [],
  );
  const share = (100 * report.nonEmpty) / Math.max(1, report.operations);
  return share < NON_EMPTY_PERCENT_MIN
    ? [...rare, `only ${share.toFixed(1)} % of the answers hold a value`]
    : rare;
}
