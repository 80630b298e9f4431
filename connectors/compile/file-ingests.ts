// Decodes the arguments of an `@ingest` that takes in files, and refuses them where there are none.
import { parseFilePattern } from '../files/file-pattern.ts';
import { cronProblem } from '../files/schedule.ts';
import type { FilesPlan, SourcePlan } from '../plan.ts';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';

const OF_FILES = ['path', 'every', 'cron', 'record', 'delimiter', 'columns', 'mode', 'onBad'] as const;
const EVERY_MS = 60_000;

/** True when nothing is given that only files have; an issue for each that is. */
export function hasNoFileArguments(given: Arguments, source: SourcePlan, issues: IssueList): boolean {
  const present = given.present(OF_FILES);
  for (const name of present) {
    const message = `source '${source.name}' is ${source.protocol}, and '${name}' is of files`;
    issues.add('PROTOCOL_MISMATCH', given.nodeOf(name), message, 'leave it out');
  }
  if (!given.has('order')) {
    const mend = 'name the field of select that orders the versions of a record';
    issues.add('MISSING_ARGUMENT', given.node, "@ingest needs 'order'", mend);
  }
  if (given.text('format') !== 'JSON') {
    const message = `source '${source.name}' is ${source.protocol}, and is read as JSON`;
    issues.add('PROTOCOL_MISMATCH', given.nodeOf('format'), message, 'leave format out');
  }
  return present.length === 0 && given.has('order');
}

/** Where the files are, and how they are read. */
export function readFilesOrigin(given: Arguments, issues: IssueList): FilesPlan | undefined {
  const before = issues.errors.length;
  if (given.has('poll')) {
    issues.add('PROTOCOL_MISMATCH', given.nodeOf('poll'), 'poll is of sql sources', 'write every or cron');
  }
  const path = readPath(given, issues);
  const format = readFormat(given, issues);
  const mode = (given.text('mode') ?? 'UPSERT') as FilesPlan['mode'];
  if (mode !== 'UPSERT' && given.has('order')) {
    const mend = 'leave order out: the order in which files come is all there is';
    issues.add('BAD_VALUE', given.nodeOf('order'), `${mode} knows no versions`, mend);
  }
  const schedule = readSchedule(given, issues);
  const delimiter = given.text('delimiter') ?? ',';
  if (!/^[^\w\s"']$|^\t$/u.test(delimiter)) {
    const mend = 'expected one character like "," or ";", or "\\t"';
    issues.add('BAD_VALUE', given.nodeOf('delimiter'), `delimiter is '${delimiter}'`, mend);
  }
  if (issues.errors.length > before || path === undefined || format === undefined) return undefined;
  return {
    kind: 'files',
    path,
    schedule,
    format,
    record: given.text('record'),
    delimiter,
    columns: (given.text('columns') ?? '').split(',').flatMap((name) => name.trim() || []),
    mode,
    onBad: (given.text('onBad') ?? 'QUARANTINE') as FilesPlan['onBad'],
  };
}

function readPath(given: Arguments, issues: IssueList): string | undefined {
  const path = given.text('path');
  if (path === undefined) {
    const mend = 'add path: "/folder/name_{date}.csv", below the folder of the source';
    issues.add('MISSING_ARGUMENT', given.node, "@ingest of files needs 'path'", mend);
    return undefined;
  }
  const parsed = parseFilePattern(path);
  if (!parsed.ok) {
    const mend = 'name folders, then a file with {date}, {time}, {number} or {text} for what varies';
    issues.add('BAD_VALUE', given.nodeOf('path'), `path is '${path}': ${parsed.problem}`, mend);
  }
  return path;
}

function readFormat(given: Arguments, issues: IssueList): FilesPlan['format'] | undefined {
  const format = given.text('format');
  if (format !== 'CSV' && format !== 'XML') {
    issues.add(
      'BAD_VALUE',
      given.nodeOf('format'),
      `files are read as ${format}`,
      'write format: CSV or XML',
    );
    return undefined;
  }
  const needless = format === 'CSV' ? (['record'] as const) : (['delimiter', 'columns'] as const);
  for (const name of given.present(needless)) {
    issues.add('BAD_VALUE', given.nodeOf(name), `${format} has no '${name}'`, 'leave it out');
  }
  if (format === 'XML' && !given.has('record')) {
    const mend = 'name the element that is a record: record: "Row"';
    issues.add('MISSING_ARGUMENT', given.node, "@ingest of XML files needs 'record'", mend);
  }
  return format;
}

function readSchedule(given: Arguments, issues: IssueList): FilesPlan['schedule'] {
  const cron = given.text('cron');
  if (cron === undefined) return { everyMs: given.durationMs('every') ?? EVERY_MS };
  if (given.has('every')) {
    issues.add('BAD_VALUE', given.nodeOf('every'), '@ingest has every and cron', 'keep one');
  }
  const problem = cronProblem(cron);
  if (problem !== undefined) {
    const mend = 'expected second minute hour day month weekday, like "0 30 1 * * *"';
    issues.add('BAD_VALUE', given.nodeOf('cron'), `cron is '${cron}': ${problem}`, mend);
  }
  return { cron };
}
