// Decodes `@dispatch` on fields of Mutation: which department's incidents are carried to the system by which write.
import { DISPATCH_ARGUMENTS } from '@weft/schema/incident-dispatch';
import type { FieldDefinitionNode } from 'graphql';
import type { DispatchPlan } from '../plan.ts';
import type { Compilation, ReadField } from './compilation.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { findDirective } from './sdl-folder.ts';
import { checkTold, isWrite, type Told } from './told-write.ts';

/** As the incident library takes the code of a department. */
const DEPARTMENT_CODE = /^[a-z0-9-]{1,64}$/;
const NUMBER_KIND_LENGTH_MAX = 64;
const DISPATCHED: Told = {
  what: 'a dispatch',
  code: 'DISPATCH_SHAPE',
  arguments: new Map(Object.entries(DISPATCH_ARGUMENTS)),
  clientNumber: '`<incident>:<attempt>`',
};

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
      checkTold(field, directive, fields.get(coordinate), DISPATCHED, compilation);
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
