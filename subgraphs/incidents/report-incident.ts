// Puts an incident into the library by hand: a report, or a draft of one.
import { HubError } from '@weft/core/errors';
import type { SqlTransaction } from '@weft/core/sql-store';
import type { HashAlgorithm } from '@weft/evidence/hash';
import type { Known } from './act.ts';
import { type Actor, shownName } from './actor.ts';
import {
  type Attached,
  attachedFields,
  attachToStep,
  type Claim,
  claimUploads,
  decodeAttachments,
} from './attachments/refer.ts';
import { REPORT_ROLES } from './authority.ts';
import { badInput } from './bad-input.ts';
import { requireText } from './command.ts';
import { mergeIfDuplicate } from './duplicates.ts';
import type { Incident } from './generated/client.ts';
import { fingerprintOf, incidentIdOf } from './identity.ts';
import type { ReporterKind } from './labels.ts';
import type { Library } from './library.ts';
import { isMatter } from './matters.ts';
import { putReports } from './put-reports.ts';
import { decodeReport, type Report } from './report.ts';
import { CODE_LENGTH_MAX } from './report-limits.ts';
import { incidentColumns, incidentOf } from './rows.ts';
import { testimonyOf } from './step-evidence.ts';

/** Who tells us, where nobody is known by name. */
const BY = 'incidents';

/** ReportIncidentInput as GraphQL has decoded it. */
export interface ReportIncidentInput {
  readonly requestId: string;
  readonly reportedAt?: Date | null;
  readonly externalNumbers?: readonly { readonly kind: string; readonly number: string }[] | null;
  readonly reporters?: readonly { readonly kind: string }[] | null;
  readonly draft?: boolean | null;
  readonly attachments?: readonly string[] | null;
  readonly [field: string]: unknown;
}

/** Who reports, and how it is put in evidence. */
export interface Reporting {
  readonly actor: Actor;
  readonly hash: HashAlgorithm;
  readonly divisions: Known;
  readonly signal: AbortSignal;
}

/**
 * Puts an incident in, once a `requestId` of whoever asks.
 * @param asked `signal`: what it has not committed when this aborts is undone
 * @throws HubError BAD_USER_INPUT naming the argument; CONFLICT when the request id came with another input before;
 *   UNAUTHENTICATED or FORBIDDEN for who may report nothing
 */
export async function reportIncident(
  library: Library,
  input: ReportIncidentInput,
  { actor, hash, divisions, signal }: Reporting,
): Promise<Incident> {
  const { prisma, sql } = library;
  const role = requireReporter(actor);
  const requestId = requireText('input.requestId', input.requestId, CODE_LENGTH_MAX);
  const receivedAt = new Date();
  const isOwn = (input.reporters ?? []).length === 0;
  const report = requireReport({
    ...input,
    reportedAt: input.reportedAt ?? receivedAt,
    externalNumbers: input.externalNumbers ?? [],
    reporters: isOwn ? ownReporter(actor) : input.reporters,
  });
  await requireKnown(report, divisions);
  const isDraft = input.draft ?? false;
  const hashes = decodeAttachments('input.attachments', input.attachments);
  if (isDraft && actor.key === undefined)
    throw badInput('input.draft', 'expected credentials: nobody else would see the draft again');
  // What one has chosen as the number of a request is nobody else's.
  const id = incidentIdOf(
    actor.key === undefined ? 'reportIncident' : `reportIncident ${actor.key}`,
    requestId,
  );
  const fingerprint = fingerprintOfReport(report, { ...input, attachments: hashes }, isDraft);
  const by = shownName(actor, role) ?? BY;
  const subject = isOwn ? actor.key : undefined;
  const reported = await sql.transaction(async (tx) => {
    const claim = { argument: 'input.attachments', hashes, uploader: actor.key };
    const attached = await claimOnce(tx, id, claim);
    const told = { requestId, ...attachedFields(attached) };
    const testimony = testimonyOf(actor, { role, reach: 'ANY' }, hash, told);
    await putReports(tx, [{ id, report, by, fingerprint, subject, role, isDraft, testimony }], receivedAt);
    await attachToStep(tx, id, 1, attached);
    const incident = await readIncident(tx, id);
    if (incident?.fingerprint === fingerprint) return incident;
    throw new HubError(
      'CONFLICT',
      `requestId ${requestId} was used with another input before, for incident ${id}`,
      {
        details: { argument: 'input.requestId', incident: id },
      },
    );
  }, signal);
  if (!reported.duplicateCheck) return reported;
  await mergeIfDuplicate(library, id, hash);
  return await prisma.incident.findUniqueOrThrow({ where: { id } });
}

async function readIncident(tx: SqlTransaction, id: string): Promise<Incident | undefined> {
  const [row] = await tx.query(`SELECT ${incidentColumns('i')} FROM incidents.incident i WHERE i.id = $1`, [
    id,
  ]);
  return row && incidentOf(row);
}

/** A report that is told again takes nothing: the first telling has it. */
async function claimOnce(tx: SqlTransaction, id: string, claim: Claim): Promise<readonly Attached[]> {
  const isThere = async () => (await readIncident(tx, id)) !== undefined;
  if (claim.hashes.length === 0 || (await isThere())) return [];
  try {
    return await claimUploads(tx, claim);
  } catch (thrown) {
    // Who tells it at the same moment has taken them.
    if (await isThere()) return [];
    throw thrown;
  }
}

/** @returns the role by which they may report */
function requireReporter(actor: Actor): string {
  const role = actor.roles.find((each) => REPORT_ROLES.has(each));
  if (role !== undefined) return role;
  const roles = [...REPORT_ROLES].filter((each) => each !== 'anonymous').join(', ');
  throw new HubError(
    actor.kind === 'anonymous' ? 'UNAUTHENTICATED' : 'FORBIDDEN',
    `reportIncident is for the roles ${roles}`,
    { details: { action: 'report', allowed: '' } },
  );
}

/** 上报主体 by the role of who reports in their own name. */
const KINDS: Readonly<Record<string, ReporterKind>> = {
  volunteer: 'VOLUNTEER',
  'grid-worker': 'GRASSROOTS_WORKER',
  'grid-head': 'GRASSROOTS_WORKER',
  'centre-staff': 'PUBLIC_OFFICIAL',
  'duty-officer': 'PUBLIC_OFFICIAL',
  leader: 'PUBLIC_OFFICIAL',
  operator: 'PUBLIC_OFFICIAL',
  'stationed-agency': 'PUBLIC_OFFICIAL',
  'department-handler': 'PUBLIC_OFFICIAL',
};

function ownReporter({ key, name, roles }: Actor): readonly unknown[] {
  if (key === undefined) return [];
  const kind = roles.map((role) => KINDS[role]).find((each) => each !== undefined) ?? 'CITIZEN';
  return [{ kind, name, contact: null }];
}

/** What was left out is no part of the input: "now" is another one at the second telling. */
function fingerprintOfReport(
  report: Report,
  { reportedAt, attachments }: ReportIncidentInput,
  isDraft: boolean,
): string {
  const { urgency, confidential, position, reporters, externalNumbers, ...fields } = report;
  const base = {
    ...fields,
    reportedAt: reportedAt?.toISOString() ?? null,
    externalNumbers: JSON.stringify(externalNumbers),
  };
  const more = JSON.stringify([urgency, confidential, position, reporters, isDraft]);
  // As it was before a report had more: what was told then is the same when it is told again.
  const isPlain =
    urgency === 'NORMAL' &&
    !confidential &&
    position === null &&
    !isDraft &&
    reporters.every(({ name, contact }) => name === null && contact === null);
  const whole = isPlain ? base : { ...base, more };
  const isBare = (attachments ?? []).length === 0;
  return fingerprintOf(isBare ? whole : { ...whole, attachments: JSON.stringify(attachments) });
}

/**
 * What a person writes by hand is looked up, and comes back to them; what another system tells is kept as it was told.
 * @throws HubError BAD_USER_INPUT
 */
async function requireKnown({ division, matter }: Report, divisions: Known): Promise<void> {
  if (matter !== null && !isMatter(matter))
    throw badInput(
      'input.matter',
      'expected 5 digits of a matter (管理事项) of GB/T 47678.5-2026 Annex C, such as 01001',
    );
  if (division !== null && !(await divisions.has(division)))
    throw badInput(
      'input.division',
      'the directory has no division of this code: { divisions(parent: "320508") { code name } } lists those below one',
    );
}

function requireReport(input: Readonly<Record<string, unknown>>): Report {
  const decoded = decodeReport(input);
  if (decoded.kind === 'report') return decoded.report;
  throw badInput(`input.${decoded.argument}`, decoded.problem);
}
