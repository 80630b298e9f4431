// Decodes `@connect(write: …)`: what makes a mutation a command, and what its receipt must be.
import { type ConstDirectiveNode, type FieldDefinitionNode, Kind } from 'graphql';
import type { FieldPlan, WritePlan } from '../plan.ts';
import type { Compilation, ReadField } from './compilation.ts';
import type { Arguments } from './directive-arguments.ts';
import { type Readable, readMapping } from './mapping-arguments.ts';
import { RECEIPT_FIELDS, UPSTREAM_REF } from './receipt.ts';
import { findDirective, isListType, namedType, type ObjectType } from './sdl-folder.ts';

/** Beyond the source's time-out: how long a call that was given up may still come to be applied. */
const SETTLE_MARGIN_MS = 2_000;

/** @param readable what the call may read */
export function readWrite(
  type: ObjectType,
  field: FieldDefinitionNode,
  given: Arguments,
  readable: Readable,
  compilation: Compilation,
): WritePlan | undefined {
  const write = given.object('write');
  if (write === undefined) return undefined;
  const { issues, sources } = compilation;
  if (type.name !== 'Mutation') {
    issues.add('MISPLACED', write.node, `${type.name} writes nothing`, 'put write on a field of Mutation');
    return undefined;
  }
  checkReceipt(field, compilation);
  const idempotencyKey = readMapping(write, 'idempotencyKey', readable, issues);
  const subject = readMapping(write, 'subject', readable, issues);
  for (const placed of [idempotencyKey, subject]) {
    if (placed === undefined || placed.mapping.shape.kind !== 'object') continue;
    issues.add('SHAPE_MISMATCH', placed.node, 'yields an object', 'write one path: `$args.requestId`');
  }
  if (idempotencyKey === undefined) return undefined;
  const timeoutMs = sources.plans.get(given.text('source') ?? '')?.guard.timeoutMs ?? 0;
  return {
    idempotencyKey: idempotencyKey.mapping,
    subject: subject?.mapping,
    reconcile: readReconcile(write, compilation),
    retryable: write.flag('retryable'),
    settleForMs: write.durationMs('settleFor') ?? timeoutMs + SETTLE_MARGIN_MS,
    giveUpAfterMs: write.durationMs('giveUpAfter') ?? 0,
  };
}

function readReconcile(write: Arguments, { sdl }: Compilation): WritePlan['reconcile'] {
  const field = write.text('reconcile');
  if (field === undefined) return undefined;
  const asked = sdl.objects.get('Query')?.fields.get(field.split('.')[1] ?? '');
  return { field, argument: asked?.arguments?.[0]?.name.value ?? '' };
}

/** A receipt says at least which command it is of, and its outcome; all else may not be known yet. */
function checkReceipt(field: FieldDefinitionNode, { sdl, issues }: Compilation): void {
  const returnType = namedType(field.type);
  const receipt = sdl.objects.get(returnType);
  const has = (name: string, type: string) => namedTypeOfField(receipt, name) === type;
  if (isListType(field.type) || !has('commandId', 'ID') || !has('outcome', 'CommandOutcome')) {
    const mend =
      'return CommandReceipt, or a type of its own with commandId: ID! and outcome: CommandOutcome!';
    issues.add('SHAPE_MISMATCH', field.type, `a write returns a receipt, and ${returnType} is none`, mend);
    return;
  }
  for (const [name, one] of receipt?.fields ?? []) {
    if (RECEIPT_FIELDS.has(name) || one.type.kind !== Kind.NON_NULL_TYPE) continue;
    const message = `${returnType}.${name} is not known before the write is applied`;
    issues.add('SHAPE_MISMATCH', one, message, 'make it nullable');
  }
}

function namedTypeOfField(type: ObjectType | undefined, name: string): string | undefined {
  const field = type?.fields.get(name);
  return field === undefined ? undefined : namedType(field.type);
}

/** The fields of the receipt that its select need not yield; undefined when the field is no write. */
export function filledByHub(plan: FieldPlan): ReadonlySet<string> | undefined {
  if (plan.kind !== 'call' || plan.write === undefined) return undefined;
  return RECEIPT_FIELDS.union(new Set([UPSTREAM_REF]));
}

/** A `reconcile` names a field of Query that makes a call and has an argument for the client number. */
export function checkReconciles({ sdl, issues }: Compilation, fields: ReadonlyMap<string, ReadField>): void {
  for (const [coordinate, { plan }] of fields) {
    if (plan.kind !== 'call' || plan.write?.reconcile === undefined) continue;
    const { reconcile } = plan.write;
    const isCall = reconcile.field.startsWith('Query.') && fields.get(reconcile.field)?.plan.kind === 'call';
    if (isCall && reconcile.argument !== '') continue;
    const node = nodeOfWrite(sdl.objects.get('Mutation')?.fields.get(coordinate.split('.')[1] ?? ''));
    const mend =
      'name a field of Query, `Query.<field>`, whose @connect makes a call and whose first argument is the client number';
    if (node !== undefined)
      issues.add('BAD_VALUE', node, `'${reconcile.field}' cannot say what became of a write`, mend);
  }
}

function nodeOfWrite(field: FieldDefinitionNode | undefined): ConstDirectiveNode | undefined {
  return findDirective(field?.directives, 'connect');
}
