// Decodes `@notify` on fields of Mutation: which steps reporters who came by the system are told of, by which write.
import { NOTIFY_ARGUMENTS, TOLD_STEPS } from '@weft/schema/incident-notification';
import type { FieldDefinitionNode } from 'graphql';
import type { NoticePlan } from '../plan.ts';
import type { Compilation, ReadField } from './compilation.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { findDirective } from './sdl-folder.ts';
import { checkTold, isWrite, type Told } from './told-write.ts';

const NOTIFIED: Told = {
  what: 'a notice',
  code: 'NOTIFY_SHAPE',
  arguments: new Map(Object.entries(NOTIFY_ARGUMENTS)),
  clientNumber: '`<incident>:<step>:<number>`',
};
const NUMBER_KIND_LENGTH_MAX = 64;
const STEPS = Object.keys(TOLD_STEPS);

/** @param fields by `Type.field`: what has a call */
export function readNotices(
  compilation: Compilation,
  fields: ReadonlyMap<string, ReadField>,
): readonly NoticePlan[] {
  const { issues, sdl } = compilation;
  const plans: NoticePlan[] = [];
  for (const type of sdl.objects.values()) {
    for (const [name, field] of type.fields) {
      const directive = findDirective(field.directives, 'notify');
      const given = directive && readArguments(directive, issues);
      if (directive === undefined || given === undefined) continue;
      const coordinate = `${type.name}.${name}`;
      if (type.name !== 'Mutation' || !isWrite(field)) {
        const mend = 'put it on a field of Mutation whose @connect has write: a notice is a command';
        issues.add('MISPLACED', directive, `${coordinate} is no write, and @notify needs one`, mend);
        continue;
      }
      const plan = readNotice(given, field, compilation);
      checkTold(field, directive, fields.get(coordinate), NOTIFIED, compilation);
      const [twice] = plans.filter(({ numberKind }) => numberKind === plan.numberKind);
      if (twice !== undefined && [...plan.on].some((step) => twice.on.has(step))) {
        const message = `'${twice.field}' has @notify for the number ${plan.numberKind} and one of these steps`;
        issues.add('WRONG_TOGETHER', given.nodeOf('on'), message, 'keep one field for a step');
      }
      plans.push(plan);
    }
  }
  return plans;
}

function readNotice(given: Arguments, field: FieldDefinitionNode, { issues }: Compilation): NoticePlan {
  const on = given
    .requiredText('on')
    .split(',')
    .map((step) => step.trim());
  for (const step of on) {
    if (STEPS.includes(step)) continue;
    const mend = `write some of ${STEPS.join(', ')}`;
    issues.add('BAD_VALUE', given.nodeOf('on'), `nobody is told of the step '${step}'`, mend);
  }
  const numberKind = given.requiredText('number');
  if (numberKind.length > NUMBER_KIND_LENGTH_MAX) {
    const mend = `write at most ${NUMBER_KIND_LENGTH_MAX} characters, as externalNumbers of its report have it`;
    issues.add('BAD_VALUE', given.nodeOf('number'), 'it is too long for a kind of number', mend);
  }
  const names = (field.arguments ?? []).map((argument) => argument.name.value);
  return { on: new Set(on), numberKind, field: field.name.value, arguments: names };
}
