// What is checked of a field of Mutation by which the hub itself tells a system something: its arguments and its client number.
import { type ConstDirectiveNode, type FieldDefinitionNode, Kind } from 'graphql';
import type { BuildCode } from './build-issues.ts';
import type { Compilation, ReadField } from './compilation.ts';
import { findDirective, isListType, namedType } from './sdl-folder.ts';

/** What is told. */
export interface Told {
  /** As an issue names it. */
  readonly what: string;
  readonly code: BuildCode;
  readonly arguments: ReadonlyMap<string, { readonly types: readonly string[]; readonly nullable: boolean }>;
  /** What `requestId` is. */
  readonly clientNumber: string;
}

/** What such a write must be known by. */
const CLIENT_NUMBER = '$args.requestId';

/** By the SDL alone: a write that is wrong in itself is told where it is wrong. */
export function isWrite(field: FieldDefinitionNode): boolean {
  const connect = findDirective(field.directives, 'connect');
  return (
    connect?.arguments?.some(({ name, value }) => name.value === 'write' && value.kind === Kind.OBJECT) ===
    true
  );
}

export function checkTold(
  field: FieldDefinitionNode,
  directive: ConstDirectiveNode,
  read: ReadField | undefined,
  told: Told,
  compilation: Compilation,
): void {
  checkArguments(field, directive, told, compilation);
  checkClientNumber(directive, read, told, compilation);
}

function checkArguments(
  field: FieldDefinitionNode,
  directive: ConstDirectiveNode,
  { what, code, arguments: known, clientNumber }: Told,
  { issues }: Compilation,
): void {
  for (const { name, type, defaultValue } of field.arguments ?? []) {
    const argument = known.get(name.value);
    const isRequired = type.kind === Kind.NON_NULL_TYPE;
    if (argument === undefined) {
      // One that may be left out is left out by the hub, and there for others who write.
      if (!isRequired || defaultValue !== undefined) continue;
      const mend = `make it nullable; ${what} gives ${[...known.keys()].join(', ')}`;
      issues.add(code, name, `${what} has no '${name.value}'`, mend);
    } else if (isListType(type) || !argument.types.includes(namedType(type))) {
      const mend = `write ${argument.types.join(' or ')}`;
      issues.add(code, type, `'${name.value}' of ${what} is no ${namedType(type)}`, mend);
    } else if (isRequired && argument.nullable) {
      issues.add(code, type, `'${name.value}' of ${what} can be null`, 'leave out the `!`');
    }
  }
  if (field.arguments?.some(({ name }) => name.value === 'requestId') === true) return;
  const mend = `add \`requestId: ID!\`: it is ${clientNumber}, by which ${what} is known`;
  issues.add(code, directive, `'${field.name.value}' has no argument requestId`, mend);
}

/** Another client number could be the same for two of them, and the second would never be sent. */
function checkClientNumber(
  directive: ConstDirectiveNode,
  read: ReadField | undefined,
  { what, code }: Told,
  { issues }: Compilation,
): void {
  if (read?.plan.kind !== 'call' || read.plan.write === undefined) return;
  const { text } = read.plan.write.idempotencyKey;
  if (text.trim() === CLIENT_NUMBER) return;
  const mend = `write idempotencyKey: "${CLIENT_NUMBER}"`;
  issues.add(code, directive, `the client number of ${what} is not '${text.trim()}'`, mend);
}
