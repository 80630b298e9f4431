// Reads the evidence of one incident for the one who asks, and says whether its chain holds.
import { HubError } from '@weft/core/errors';
import { fromPrisma } from '@weft/events/postgres/appender';
import type { EvidenceEntry, EvidenceValue } from '@weft/evidence/entry';
import { readEntries, type StoredEntry } from '@weft/evidence/postgres/read';
import { verifyChain } from '@weft/evidence/verify';
import { mayTrace, TRACE_ROLES } from './authority.ts';
import type { PrismaClient } from './generated/client.ts';
import { governed } from './governed.ts';
import { PERSONAL_FIELDS, subjectOf } from './step-evidence.ts';
import { loadVisible, type Viewing } from './visible.ts';

/** EvidenceTrace, as the schema says. */
export interface Trace {
  readonly subject: string;
  readonly verifies: boolean;
  readonly findings: readonly { readonly where: string; readonly problem: string }[];
  readonly entries: readonly StoredEntry[];
}

/** Findings that are told, at the most. */
const FINDINGS_MAX = 50;

/**
 * All entries of an incident, the first one first; null when there is no such incident for the one who asks.
 * @throws HubError UNAUTHENTICATED or FORBIDDEN for who may see the incident and not its evidence; LIMIT_EXCEEDED
 */
export async function readTrace(prisma: PrismaClient, viewing: Viewing, id: string): Promise<Trace | null> {
  const incident = await loadVisible(viewing, id);
  if (incident === null) return null;
  const { actor } = viewing;
  if (!mayTrace(actor, governed({ ...incident, reporters: [] }))) {
    const code = actor.kind === 'anonymous' ? 'UNAUTHENTICATED' : 'FORBIDDEN';
    const message = `trace is for ${TRACE_ROLES.join(', ')} whose division has the centre that owns the incident`;
    throw new HubError(code, message, { details: { action: 'trace', allowed: '' } });
  }
  const subject = subjectOf(id);
  const entries = await readEntries(fromPrisma(prisma), subject);
  const findings = verifyChain(subject, entries);
  return { subject, verifies: findings.length === 0, findings: findings.slice(0, FINDINGS_MAX), entries };
}

type Shown = readonly { readonly name: string; readonly value: string }[];

const PERSONAL: ReadonlySet<string> = new Set(PERSONAL_FIELDS);
/** Fields that have a field of the graph, and need not stand among `details`. */
const NAMED: ReadonlySet<string> = new Set([
  'step',
  'at',
  'by',
  'kind',
  'actor',
  'system',
  'authority',
  'before',
  'after',
  'reason',
  'remark',
  'requestId',
]);

/** Type to field to resolver. */
export const traceFields = {
  EvidenceEntry: {
    step: (entry: EvidenceEntry) => fieldOf(entry, 'step'),
    at: (entry: EvidenceEntry) => dateOf(entry, 'at'),
    by: (entry: EvidenceEntry) => fieldOf(entry, 'by'),
    action: (entry: EvidenceEntry) => fieldOf(entry, 'kind'),
    actor: (entry: EvidenceEntry) => fieldOf(entry, 'actor'),
    system: (entry: EvidenceEntry) => fieldOf(entry, 'system'),
    authority: (entry: EvidenceEntry) => fieldOf(entry, 'authority'),
    before: (entry: EvidenceEntry) => shown(fieldOf(entry, 'before')),
    after: (entry: EvidenceEntry) => shown(fieldOf(entry, 'after')),
    reason: (entry: EvidenceEntry) => fieldOf(entry, 'reason'),
    // Of entries from before a reporter's remark had a field of its own.
    remark: (entry: EvidenceEntry) => (isEvaluation(entry) ? null : fieldOf(entry, 'remark')),
    requestId: (entry: EvidenceEntry) => fieldOf(entry, 'requestId'),
    details: (entry: EvidenceEntry) => fieldsWhere(entry, (name) => !NAMED.has(name) && !PERSONAL.has(name)),
    personal: (entry: EvidenceEntry) =>
      fieldsWhere(entry, (name) => PERSONAL.has(name) || (name === 'remark' && isEvaluation(entry))),
  },
};

function isEvaluation(entry: EvidenceEntry): boolean {
  return fieldOf(entry, 'kind') === 'EVALUATED';
}

function fieldOf({ fields }: EvidenceEntry, name: string): EvidenceValue {
  return Object.hasOwn(fields, name) ? (fields[name]?.value ?? null) : null;
}

function dateOf(entry: EvidenceEntry, name: string): Date | null {
  const date = new Date(String(fieldOf(entry, name)));
  return Number.isNaN(date.getTime()) ? null : date;
}

/** The members of an object, each as the text of its JSON. */
function shown(value: EvidenceValue): Shown | null {
  if (value === null || typeof value !== 'object') return null;
  return Object.entries(value).map(([name, each]) => ({ name, value: JSON.stringify(each) }));
}

function fieldsWhere(entry: EvidenceEntry, isWanted: (name: string) => boolean): Shown {
  return Object.keys(entry.fields)
    .filter(isWanted)
    .map((name) => ({ name, value: JSON.stringify(fieldOf(entry, name)) }));
}
