// What a person does to an incident: report, accept, route; each change and its event in one transaction.
import { HubError } from '@weft/core/errors';
import { fromPrisma, postgresAppender } from '@weft/events/postgres/appender';
import { TRANSACTION_LIMITS } from '../store.ts';
import type { Incident, Prisma, PrismaClient } from './generated/client.ts';
import { fingerprintOf, incidentIdOf, isIncidentId } from './identity.ts';
import { INCIDENT_TOPIC, incidentEvent, type Step } from './incident-event.ts';
import { isIncidentState } from './labels.ts';
import { putReports } from './put-reports.ts';
import { decodeReport, type Report } from './report.ts';
import { CODE_LENGTH_MAX } from './report-limits.ts';
import { ACTIONS, type Action, requireTransition } from './state-machine.ts';

const BY_LENGTH_MAX = 100;
const REMARK_LENGTH_MAX = 2_000;
/** The directory belongs to another subgraph and cannot be asked here: what it cannot have is refused. */
const DEPARTMENT_CODE = /^[a-z0-9-]{1,64}$/;

/** ReportIncidentInput as GraphQL has decoded it. */
export interface ReportIncidentInput {
  readonly requestId: string;
  readonly reportedAt?: Date | null;
  readonly externalNumbers?: readonly { readonly kind: string; readonly number: string }[] | null;
  readonly [field: string]: unknown;
}

/** Arguments of acceptIncident, and of routeIncident with its department. */
export interface ActionArguments {
  readonly id: string;
  readonly by: string;
  readonly remark?: string | null;
  readonly department?: string;
}

/**
 * Puts an incident in by hand, once a `requestId`.
 * @param signal what it has not committed when this aborts is undone
 * @throws HubError BAD_USER_INPUT naming the argument; CONFLICT when the request id came with another input before
 */
export async function reportIncident(
  prisma: PrismaClient,
  input: ReportIncidentInput,
  signal: AbortSignal,
): Promise<Incident> {
  const requestId = requireText('input.requestId', input.requestId, CODE_LENGTH_MAX);
  const receivedAt = new Date();
  const report = requireReport({
    ...input,
    reportedAt: input.reportedAt ?? receivedAt,
    externalNumbers: input.externalNumbers ?? [],
  });
  const id = incidentIdOf('reportIncident', requestId);
  // What was left out is no part of the input: "now" is another one at the second telling.
  const fingerprint = fingerprintOf({
    ...report,
    reportedAt: input.reportedAt?.toISOString() ?? null,
    externalNumbers: JSON.stringify(report.externalNumbers),
  });
  return await prisma.$transaction(async (tx) => {
    await putReports(tx, [{ id, report, by: 'incidents', fingerprint }], receivedAt);
    const incident = await tx.incident.findUniqueOrThrow({ where: { id } });
    signal.throwIfAborted();
    if (incident.fingerprint === fingerprint) return incident;
    throw new HubError(
      'CONFLICT',
      `requestId ${requestId} was used with another input before, for incident ${id}`,
      {
        details: { argument: 'input.requestId', incident: id },
      },
    );
  }, TRANSACTION_LIMITS);
}

/**
 * Takes an incident one step further.
 * @param signal what it has not committed when this aborts is undone
 * @throws HubError NOT_FOUND; CONFLICT when its state does not allow the action, or somebody was faster
 */
export async function actOnIncident(
  prisma: PrismaClient,
  action: Action,
  args: ActionArguments,
  signal: AbortSignal,
): Promise<Incident> {
  const by = requireText('by', args.by, BY_LENGTH_MAX);
  const remark = requireOptionalText('remark', args.remark, REMARK_LENGTH_MAX);
  const department = args.department === undefined ? undefined : requireDepartment(args.department);
  return await prisma.$transaction(async (tx) => {
    const before = await findIncident(tx, args.id);
    const { id, version, state: from } = before;
    if (!isIncidentState(from))
      throw new HubError('INTERNAL_SERVER_ERROR', `incident ${id} has the state ${from}`);
    requireTransition(id, from, action);
    const { to, kind } = ACTIONS[action];
    const { count } = await tx.incident.updateMany({
      where: { id, version, state: from },
      data: { state: to, version: version + 1, ...(department === undefined ? {} : { department }) },
    });
    if (count === 0) throw await explainLostRace(tx, id, action);
    const step: Step = { incidentId: id, sequence: version + 1, kind, from, to, at: new Date(), by };
    await tx.incidentStep.create({ data: { ...step, remark } });
    await postgresAppender.append(fromPrisma(tx), INCIDENT_TOPIC, [incidentEvent(step, before)]);
    const after = await tx.incident.findUniqueOrThrow({ where: { id } });
    signal.throwIfAborted();
    return after;
  }, TRANSACTION_LIMITS);
}

async function findIncident(tx: Prisma.TransactionClient, id: string): Promise<Incident> {
  const incident = isIncidentId(id) ? await tx.incident.findUnique({ where: { id } }) : null;
  if (incident !== null) return incident;
  throw new HubError('NOT_FOUND', `there is no incident ${id}`, { details: { argument: 'id' } });
}

/** Somebody changed the incident between our read and our update: say what it is now. */
async function explainLostRace(tx: Prisma.TransactionClient, id: string, action: Action): Promise<HubError> {
  const { state } = await findIncident(tx, id);
  return new HubError(
    'CONFLICT',
    `incident ${id} was changed by another at the same moment; it is ${state} now`,
    {
      details: { state, action },
      retryable: true,
    },
  );
}

function requireReport(input: Readonly<Record<string, unknown>>): Report {
  const decoded = decodeReport(input);
  if (decoded.kind === 'report') return decoded.report;
  throw badInput(`input.${decoded.argument}`, decoded.problem);
}

function requireDepartment(given: string): string {
  const code = requireText('department', given, CODE_LENGTH_MAX);
  if (DEPARTMENT_CODE.test(code)) return code;
  throw badInput('department', 'expected a code of lower-case letters, digits and hyphens');
}

function requireText(argument: string, value: string, lengthMax: number): string {
  const text = requireOptionalText(argument, value, lengthMax);
  if (text === null) throw badInput(argument, 'expected text that is not empty');
  return text;
}

function requireOptionalText(
  argument: string,
  value: string | null | undefined,
  lengthMax: number,
): string | null {
  const text = value?.trim() || null;
  if (text === null) return null;
  if (text.length > lengthMax)
    throw badInput(argument, `expected at most ${lengthMax} characters, got ${text.length}`);
  if (text.includes('\0')) throw badInput(argument, 'expected text without NUL');
  return text;
}

function badInput(argument: string, problem: string): HubError {
  return new HubError('BAD_USER_INPUT', `${argument}: ${problem}`, { details: { argument } });
}
