// Writes the arguments and the answer of a field that makes a call.
import type { Answer, Input, Operation } from './contract-model.ts';
import { fieldName, namePool, typeName } from './names.ts';
import { identifierShape } from './naming.ts';
import { descriptionText } from './sdl-text.ts';
import { argumentText, type NamedTypes, typeText } from './select-text.ts';

/** A field of Query is filled by objects: a single value gets a type around it. */
export function answerType(
  { answer }: Operation,
  field: string,
  types: NamedTypes,
  wrappers: string[],
): string {
  const type = answer.shape.kind === 'named' ? types.get(answer.shape.id) : undefined;
  if (type?.kind === 'object') return answer.isList ? `[${type.name}!]` : type.name;
  const name = namePool([...types.values()].map((known) => known.name)).take(`${typeName(field)}Answer`);
  wrappers.push(`type ${name} {\n  value: ${valueType(answer, types)}\n}\n`);
  return name;
}

/** The type of a single value, or of a list of such. */
export function valueType({ isList, shape }: Answer, types: NamedTypes): string {
  return isList ? `[${typeText(shape, types)}]` : typeText(shape, types);
}

/** The arguments of a field, and the call that they go into. */
export function argumentsOf(
  operation: Operation,
  types: NamedTypes,
  typeOf: (name: string, input: Input) => string = (name, input) => argumentType(name, input, types),
): { readonly args: string; readonly call: string } {
  const pool = namePool();
  const texts = new Map<Input, string>();
  const args = operation.inputs.map((input) => {
    const name = pool.take(fieldName(input.name));
    texts.set(input, argumentText(`$args.${name}`, input.shape, types));
    return { name, type: `${typeOf(name, input)}${input.isRequired ? '!' : ''}`, input };
  });
  const call = operation.call(texts);
  if (args.length === 0) return { args: '', call };
  if (!args.some(({ input }) => input.description !== undefined)) {
    return { args: `(${args.map(({ name, type }) => `${name}: ${type}`).join(', ')})`, call };
  }
  const lines = args.map(
    ({ name, type, input }) => `${descriptionText(input.description, '    ')}    ${name}: ${type}\n`,
  );
  return { args: `(\n${lines.join('')}  )`, call };
}

export function argumentChecks(inputs: readonly Input[]): readonly string[] {
  return inputs.flatMap(({ name, check }) => (check === undefined ? [] : [`check: ${name}: ${check}`]));
}

export function argumentType(name: string, { shape }: Input, types: NamedTypes): string {
  return typeText(identifierShape(name, shape), types);
}
