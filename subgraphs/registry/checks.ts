// What a proposal would do to the graph: asked without publishing, kept by its content, and let pass by somebody who may.
import { HubError } from '@weft/core/errors';
import type { Problem, ProblemLevel } from '@weft/schema/problem';
import type { BrokenOperation, CheckReport } from '@weft/schema/registry-checks';
import { TRANSACTION_LIMITS } from '../store.ts';
import { HUB_OWNER, type KnownActor, mayFor } from './actor.ts';
import { checkIdOf, findBreakApproval } from './approvals.ts';
import { recordDone } from './audit.ts';
import { CHECK_WINDOW, type CheckWindow, checkGraph } from './check-graph.ts';
import type { Check, Prisma } from './generated/client.ts';
import { lockRegistry, readHead } from './head.ts';
import type { RegistryParts } from './parts.ts';
import { decodeChanges, findRefusal, type Proposed, withProposed } from './publish.ts';
import type { ToldUse } from './read-usage.ts';
import { bad, requireText, type VersionInput } from './version.ts';

/** As `CheckResult` tells it. */
export interface CheckResult {
  readonly id: string;
  readonly verdict: 'PASS' | 'APPROVED' | 'FAIL';
  readonly code: string | null;
  readonly problems: readonly ToldProblem[];
  readonly hints: readonly ToldProblem[];
  readonly operations: readonly ToldBroken[];
  readonly approvedBy: string | null;
}

/** As `BrokenOperation` tells it. */
export interface ToldBroken extends Omit<BrokenOperation, 'operation'> {
  readonly operation: ToldUse;
}

/** As `GraphProblem` tells it. */
export interface ToldProblem {
  readonly code: string;
  readonly level: ProblemLevel;
  readonly message: string;
  readonly systems: readonly string[];
  readonly coordinate: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

export interface WindowInput {
  readonly days?: number | null;
  readonly countMin?: number | null;
  readonly excludedClients?: readonly string[] | null;
}

/** Findings of one kind that an answer tells. */
export const PROBLEMS_MAX = 500;
const OPERATIONS_MAX = 200;
const REMARK_LENGTH_MAX = 1_000;
export const USAGE_DAYS_MAX = 90;
const CLIENTS_MAX = 100;

/** @throws HubError for what cannot be proposed at all; what is wrong with the proposal is in the result */
export async function checkVersions(
  parts: RegistryParts,
  actor: KnownActor,
  changes: readonly VersionInput[],
  window: WindowInput | null | undefined,
): Promise<CheckResult> {
  const asked = decodeWindow(window);
  // Of a new one it is not said yet for whom it would be registered.
  const owner = actor.department ?? HUB_OWNER;
  const register = changes.map(({ system }) => ({ name: system, owner }));
  const proposed = await decodeChanges(parts, actor, { versions: changes, register });
  const result = await judgeProposal(parts, actor, proposed, asked);
  const versions = Object.fromEntries(proposed.map(({ member: { system, id } }) => [system, id]));
  const told = {
    at: new Date(),
    by: actor.name,
    versions,
    result: result as unknown as Prisma.InputJsonObject,
  };
  await parts.prisma.check.upsert({
    where: { id: result.id },
    create: { id: result.id, ...told },
    update: told,
  });
  return result;
}

async function judgeProposal(
  parts: RegistryParts,
  actor: KnownActor,
  proposed: readonly Proposed[],
  window: CheckWindow,
): Promise<CheckResult> {
  const members = proposed.map(({ member }) => member);
  const head = await readHead(parts.prisma);
  const report = await reportOf(parts, () => checkGraph(parts, head, withProposed(head, proposed), window));
  const refusal = report.errors.length > 0 ? undefined : await findRefusal(parts, actor, proposed, report);
  const code = report.errors.length > 0 ? 'COMPOSITION_FAILED' : (refusal?.code ?? null);
  const isAsked = report.broken.length + report.unprotected.length > 0;
  const approvedBy = isAsked ? await findBreakApproval(parts.prisma, members) : undefined;
  const passed = approvedBy === undefined ? 'PASS' : 'APPROVED';
  const isTold = refusal?.code === 'CHECK_FAILED' || refusal?.code === 'COMPOSITION_FAILED';
  const refused = refusal === undefined || isTold ? [] : [problemOf(refusal)];
  const found = [...report.errors, ...report.lostVariants, ...report.unprotected];
  const systems = new Set(members.map(({ system }) => system));
  const tell = (problem: Problem) => tellProblem(problem, systems);
  return {
    id: checkIdOf(members),
    verdict: code === null ? passed : 'FAIL',
    code,
    problems: [...found.slice(0, PROBLEMS_MAX - refused.length).map(tell), ...refused],
    hints: report.hints.slice(0, PROBLEMS_MAX).map(tell),
    operations: report.broken.slice(0, OPERATIONS_MAX).map(tellBroken),
    approvedBy: approvedBy ?? null,
  };
}

/** A check that was ended by its bounds is a finding too. */
async function reportOf({ logger }: RegistryParts, run: () => Promise<CheckReport>): Promise<CheckReport> {
  try {
    return await run();
  } catch (thrown) {
    if (!(thrown instanceof HubError) || thrown.code !== 'COMPOSITION_FAILED') throw thrown;
    logger.warn({ err: thrown }, 'a check was ended by its bounds');
    const { code, message } = thrown;
    const errors: Problem[] = [
      { code, level: 'ERROR', message, systems: [], coordinate: undefined, locations: [] },
    ];
    return {
      supergraphs: {},
      errors,
      hints: [],
      unprotected: [],
      lostVariants: [],
      broken: [],
      takeovers: [],
    };
  }
}

function problemOf({ code, message, details }: HubError): ToldProblem {
  const { coordinate, system, from, file, line } = details;
  return {
    code,
    level: 'ERROR',
    message,
    systems: [system, from].filter((name) => typeof name === 'string'),
    coordinate: typeof coordinate === 'string' ? coordinate : null,
    file: typeof file === 'string' ? file : null,
    line: typeof line === 'number' ? line : null,
  };
}

/** What it uses is long, and no part of the answer. */
function tellBroken({ operation: { coordinates: _coordinates, ...operation }, ...broken }: BrokenOperation) {
  return { ...broken, operation };
}

/**
 * For an answer of GraphQL, which has room for one place.
 * @param proposed the systems that are asked about: who asks has their files, and not those of others
 */
export function tellProblem(problem: Problem, proposed: ReadonlySet<string>): ToldProblem {
  const { code, level, message, systems, coordinate, locations } = problem;
  const first = locations.find(({ system }) => proposed.has(system)) ?? locations[0];
  const place = { file: first?.file ?? null, line: first?.line ?? null };
  return { code, level, message, systems, coordinate: coordinate ?? null, ...place };
}

function decodeWindow(given: WindowInput | null | undefined): CheckWindow {
  const days = given?.days ?? CHECK_WINDOW.days;
  const countMin = given?.countMin ?? CHECK_WINDOW.countMin;
  const excludedClients = given?.excludedClients ?? CHECK_WINDOW.excludedClients;
  if (days < 1 || days > USAGE_DAYS_MAX) throw bad('window.days', `expected 1 to ${USAGE_DAYS_MAX}`);
  if (countMin < 1) throw bad('window.countMin', 'expected 1 or more');
  if (excludedClients.length > CLIENTS_MAX)
    throw bad('window.excludedClients', `expected at most ${CLIENTS_MAX}`);
  for (const client of excludedClients) requireText('window.excludedClients', client, REMARK_LENGTH_MAX);
  return { days, countMin, excludedClients };
}

/** @throws HubError NOT_FOUND; FORBIDDEN unless the actor may approve for every department that the proposal changes */
export async function approveBreakingChange(
  { prisma }: RegistryParts,
  actor: KnownActor,
  id: string,
  remark: string,
): Promise<CheckResult> {
  requireText('remark', remark, REMARK_LENGTH_MAX);
  const check = await prisma.check.findUnique({ where: { id } });
  if (check === null)
    throw new HubError('NOT_FOUND', `there is no check ${id}`, { details: { argument: 'check' } });
  const systems = Object.keys(check.versions as Prisma.JsonObject);
  const known = await prisma.registration.findMany({ where: { name: { in: systems } } });
  const refusing = known.find(({ owner }) => !mayFor(actor, 'registry:approve', owner));
  if (refusing !== undefined || (known.length === 0 && !actor.isAdmin))
    throw new HubError('FORBIDDEN', 'the scope registry:approve of the department is missing', {
      details: { scope: 'registry:approve' },
    });
  const approved = { approvedAt: new Date(), approvedBy: actor.name, remark };
  const stored = await prisma.$transaction(async (tx) => {
    await lockRegistry(tx);
    await recordDone(tx, actor, { action: 'approveBreakingChange', systems, reason: remark });
    return await tx.check.update({ where: { id }, data: approved });
  }, TRANSACTION_LIMITS);
  return approvedResult(stored);
}

/** What was in the way besides stays there. */
function approvedResult({ result, approvedBy }: Check): CheckResult {
  const told = result as unknown as CheckResult;
  const isOnly = told.code === 'CHECK_FAILED';
  return { ...told, approvedBy, ...(isOnly ? { verdict: 'APPROVED', code: null } : {}) };
}
