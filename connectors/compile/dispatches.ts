// Decodes `@dispatch` on fields of Mutation: which department's incidents are carried to the system by which write.
import { DISPATCH_ARGUMENTS } from '@weft/schema/incident-dispatch';
import { type ConstDirectiveNode, type FieldDefinitionNode, Kind } from 'graphql';
import type { DispatchPlan } from '../plan.ts';
import type { Compilation, ReadField } from './compilation.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { findDirective, isListType, namedType } from './sdl-folder.ts';

/** As the incident library takes the code of a department. */
const DEPARTMENT_CODE = /^[a-z0-9-]{1,64}$/;
const NUMBER_KIND_LENGTH_MAX = 64;
/** What a write must be known by to be a dispatch: the incident and the attempt. */
const CLIENT_NUMBER = '$args.requestId';
const KNOWN: ReadonlyMap<string, { readonly types: readonly string[]; readonly nullable: boolean }> = new Map(
  Object.entries(DISPATCH_ARGUMENTS),
);

/**
 * @param fields by `Type.field`: what has a call
 * @param system the folder's name: the default of `numberKind`
 */
export function readDispatches(
  compilation: Compilation,
  fields: ReadonlyMap<string, ReadField>,
  system: string,
): readonly DispatchPlan[] {
  const { issues, sdl } = compilation;
  const plans: DispatchPlan[] = [];
  for (const type of sdl.objects.values()) {
    for (const [name, field] of type.fields) {
      const directive = findDirective(field.directives, 'dispatch');
      const given = directive && readArguments(directive, issues);
      if (directive === undefined || given === undefined) continue;
      const coordinate = `${type.name}.${name}`;
      if (type.name !== 'Mutation' || !isWrite(field)) {
        const mend =
          'put it on a field of Mutation whose @connect has write: what is dispatched is a command';
        issues.add('MISPLACED', directive, `${coordinate} is no write, and @dispatch needs one`, mend);
        continue;
      }
      const plan = readDispatch(given, field, system, compilation);
      checkArguments(field, directive, compilation);
      checkClientNumber(directive, fields.get(coordinate), compilation);
      const other = plans.find(({ department }) => department === plan.department);
      if (other !== undefined) {
        const message = `'${other.field}' has @dispatch for ${plan.department} already`;
        issues.add('WRONG_TOGETHER', given.nodeOf('department'), message, 'keep one field for a department');
      }
      plans.push(plan);
    }
  }
  return plans;
}

/** By the SDL alone: a write that is wrong in itself is told where it is wrong. */
function isWrite(field: FieldDefinitionNode): boolean {
  const connect = findDirective(field.directives, 'connect');
  return (
    connect?.arguments?.some(({ name, value }) => name.value === 'write' && value.kind === Kind.OBJECT) ===
    true
  );
}

function readDispatch(
  given: Arguments,
  field: FieldDefinitionNode,
  system: string,
  { issues }: Compilation,
): DispatchPlan {
  const department = given.requiredText('department');
  if (!DEPARTMENT_CODE.test(department)) {
    const mend = 'write its code in the directory: lower-case letters, digits and hyphens, 64 at the most';
    issues.add('BAD_VALUE', given.nodeOf('department'), `'${department}' is no code of a department`, mend);
  }
  const numberKind = given.text('numberKind') ?? system;
  if (numberKind.length > NUMBER_KIND_LENGTH_MAX) {
    const mend = `write at most ${NUMBER_KIND_LENGTH_MAX} characters`;
    issues.add('BAD_VALUE', given.nodeOf('numberKind'), 'the kind of number is too long', mend);
  }
  const names = (field.arguments ?? []).map((argument) => argument.name.value);
  return { department, numberKind, field: field.name.value, arguments: names };
}

function checkArguments(
  field: FieldDefinitionNode,
  directive: ConstDirectiveNode,
  { issues }: Compilation,
): void {
  for (const { name, type, defaultValue } of field.arguments ?? []) {
    const known = KNOWN.get(name.value);
    const isRequired = type.kind === Kind.NON_NULL_TYPE;
    if (known === undefined) {
      // One that may be left out is left out by a dispatch, and there for others who write.
      if (!isRequired || defaultValue !== undefined) continue;
      const mend = `make it nullable; a dispatch gives ${[...KNOWN.keys()].join(', ')}`;
      issues.add('DISPATCH_SHAPE', name, `a dispatch has no '${name.value}'`, mend);
    } else if (isListType(type) || !known.types.includes(namedType(type))) {
      const mend = `write ${known.types.join(' or ')}`;
      issues.add('DISPATCH_SHAPE', type, `'${name.value}' of a dispatch is no ${namedType(type)}`, mend);
    } else if (isRequired && known.nullable) {
      issues.add('DISPATCH_SHAPE', type, `'${name.value}' of a dispatch can be null`, 'leave out the `!`');
    }
  }
  if (field.arguments?.some(({ name }) => name.value === 'requestId') === true) return;
  const mend = 'add `requestId: ID!`: it is `<incident>:<attempt>`, by which a dispatch is known';
  issues.add('DISPATCH_SHAPE', directive, `'${field.name.value}' has no argument requestId`, mend);
}

/** Another client number could be the same for two attempts, and the second would never be sent. */
function checkClientNumber(
  directive: ConstDirectiveNode,
  read: ReadField | undefined,
  { issues }: Compilation,
): void {
  if (read?.plan.kind !== 'call' || read.plan.write === undefined) return;
  const { text } = read.plan.write.idempotencyKey;
  if (text.trim() === CLIENT_NUMBER) return;
  const mend = `write idempotencyKey: "${CLIENT_NUMBER}"`;
  issues.add('DISPATCH_SHAPE', directive, `the client number of a dispatch is not '${text.trim()}'`, mend);
}
