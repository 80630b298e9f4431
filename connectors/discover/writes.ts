// Drafts what writes, or may, as comments: whole, so that a person takes it in by uncommenting it.

import { isEnvelope } from './answers.ts';
import type { Input, Operation } from './contract-model.ts';
import { namedOf } from './cut.ts';
import type { Drafting } from './draft.ts';
import { argumentChecks, argumentsOf, argumentType, valueType } from './field-text.ts';
import { fieldName, namePool, typeName } from './names.ts';
import type { NamedType } from './naming.ts';
import { commentText, mappingString } from './sdl-text.ts';
import { selectText } from './select-text.ts';

const REMARK = [
  'Not drafted, since they write or may. To take one in, uncomment it with the types that it answers, and set',
  '`readOnly: false` on @source, beside `title`, not within `rest` or `soap`. `write: {…}` lets the hub find out',
  'whether a call that failed was applied: docs/connectors.md#writes. One that only reads: draft again with --reads NAME.',
];

export interface WriteContext {
  /** The SDL of a type; undefined for one that the draft has already. */
  readonly definitionOf: (type: readonly [id: string, NamedType]) => string | undefined;
  /** Names of types beside those of the contract. */
  readonly taken: readonly string[];
}

/** Comments only, a `type Mutation` and what it answers; nothing when there are no writes. */
export function writesText(writes: readonly Operation[], drafting: Drafting, context: WriteContext): string {
  if (writes.length === 0) return '';
  const { types, options } = drafting;
  const fields = namePool();
  const wrapperNames = namePool([
    ...context.taken,
    ...options.hub.types,
    ...[...types.values()].map(({ name }) => name),
  ]);
  const wrappers: string[] = [];
  const mutations = writes.map((operation) =>
    mutationField(operation, drafting, fields.take(fieldName(operation.name)), (name, value) => {
      const given = wrapperNames.take(name);
      wrappers.push(`type ${given} {\n  ${value}\n}\n`);
      return given;
    }),
  );
  const answered = [...types].flatMap((type) => context.definitionOf(type) ?? []);
  const text = [`type Mutation {\n${mutations.join('')}}\n`, ...answered, ...wrappers].join('');
  const lines = [...REMARK, ...text.trimEnd().split('\n')];
  return lines
    .map((line) => `# ${line}`.trimEnd())
    .join('\n')
    .concat('\n');
}

type Wrap = (name: string, value: string) => string;

function mutationField(operation: Operation, drafting: Drafting, field: string, wrap: Wrap): string {
  const { types, options } = drafting;
  const { args, call } = argumentsOf(operation, types, (name, input) =>
    isKey(name, input, drafting) ? 'ID' : argumentType(name, input, types),
  );
  const { type, select, check } = answerOf(operation, drafting, field, wrap);
  return (
    commentText(
      [operation.check ?? operation.description, check, ...argumentChecks(operation.inputs)],
      '  ',
    ) +
    `  ${field}${args}: ${type}\n` +
    `    @connect(\n      source: "${options.source.name}"\n      ${call}\n` +
    `      select: ${mappingString(select, '      ')}\n    )\n`
  );
}

/** What a read takes as a key is an ID here too; a number in a body stays one. */
function isKey(name: string, { shape, isInPath }: Input, { loaders }: Drafting): boolean {
  if (shape.kind !== 'scalar' || (isInPath !== true && shape.type !== 'String')) return false;
  return [...loaders.values()].some(
    ({ keyField, input }) => keyField === name || fieldName(input.name) === name,
  );
}

interface WriteAnswer {
  readonly type: string;
  readonly select: string;
  readonly check?: string | undefined;
}

function answerOf(operation: Operation, drafting: Drafting, field: string, wrap: Wrap): WriteAnswer {
  const { answer, inputs } = operation;
  const { types, loaders } = drafting;
  const wrapper = `${typeName(field)}Answer`;
  const done = (why: string) => ({
    type: wrap(wrapper, 'done: Boolean'),
    select: 'done: true',
    check: `check: ${why}; done only says that the call went well`,
  });
  const id = namedOf(answer.shape);
  const named = id === undefined ? undefined : types.get(id);
  if (answer.isUnsaid === true)
    return done(
      'the contract does not say what it answers: no content is taken (204), other text that is no JSON is an error',
    );
  if (id !== undefined && named === undefined)
    return done('its answer has no fields that the contract names');
  if (id === undefined || named?.kind !== 'object')
    return {
      type: wrap(wrapper, `value: ${valueType(answer, types)}`),
      select: selectText(answer, types),
    };
  const loader = loaders.get(id);
  const key = loader?.isEcho === true ? loader.keyField : undefined;
  if (key !== undefined && !inputs.some(({ name }) => fieldName(name) === key))
    return done(`neither its answer nor its arguments say the ${key} of the ${named.name}`);
  const isPlain = loader === undefined && answer.path.length === 0;
  return {
    type: answer.isList ? `[${named.name}!]` : named.name,
    select: selectText(answer, types, key === undefined ? [] : [`${key}: $args.${key}`]),
    check: isPlain ? failureCheck(named.members.map(({ name }) => name).filter(isEnvelope)) : undefined,
  };
}

/** Of an answer that says nothing but how the call went, or says it beside the rest. */
function failureCheck(told: readonly string[]): string | undefined {
  if (told.length === 0) return undefined;
  const verb = told.length === 1 ? 'says' : 'say';
  return `check: if the answer's ${told.join(', ')} ${verb} that the call failed, add failWhen`;
}
