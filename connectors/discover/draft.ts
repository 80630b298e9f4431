// Drafts the SDL of a contract that is called: REST and SOAP.

import type { Contract, Input, LeftOut, Operation } from './contract-model.ts';
import { cutTypes } from './cut.ts';
import { findLoaders, type Loader } from './keys.ts';
import { fieldName, type NamePool, namePool, typeName } from './names.ts';
import { identifierShape, type NamedType, nameTypes } from './naming.ts';
import { commentText, descriptionText, mappingString } from './sdl-text.ts';
import { argumentText, type NamedTypes, selectText, typeText } from './select-text.ts';

/** What the hub's graph has already; the draft avoids it, so that both compose. */
export interface HubNames {
  readonly types: readonly string[];
  /** Of Query. */
  readonly fields: readonly string[];
}

export interface DraftOptions {
  /** The folder's name. */
  readonly system: string;
  readonly source: SourceDraft;
  readonly hub: HubNames;
}

export interface SourceDraft {
  readonly name: string;
  /** The `@source(…)` as it stands in the SDL. */
  readonly text: string;
  /** Comment lines at the head of the file. */
  readonly head: readonly string[];
}

export interface Draft {
  readonly sdl: string;
  readonly leftOut: readonly LeftOut[];
  readonly counts: {
    readonly types: number;
    readonly entities: number;
    readonly queries: number;
    readonly commented: number;
  };
}

/** The import of Federation, and of the connector directives. */
const LINKS = `  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  @link(url: "https://specs.weft.dev/hub/v0.1", import: ["@source", "@connect"])`;
/** Operations that are drafted, at the most: a person has to read them. */
const OPERATIONS_MAX = 300;
const BATCH_MAX = 20;

interface Drafting {
  readonly options: DraftOptions;
  readonly types: NamedTypes;
  readonly loaders: ReadonlyMap<string, Loader>;
}

/** Drafts what `contract` describes; pure. The SDL passes `weft connect check` beside a copy of the contract. */
export function draftContract(contract: Contract, options: DraftOptions): Draft {
  const leftOut = [...contract.leftOut];
  const reads = contract.operations.filter((operation) => operation.isRead).slice(0, OPERATIONS_MAX);
  const writes = contract.operations.filter((operation) => !operation.isRead).slice(0, OPERATIONS_MAX);
  if (contract.operations.length > reads.length + writes.length)
    leftOut.push({ what: 'operations', why: `only ${OPERATIONS_MAX} are drafted` });
  const cut = cutTypes(contract.types, [
    ...reads.flatMap((operation) => [operation.answer.shape, ...operation.inputs.map(({ shape }) => shape)]),
  ]);
  leftOut.push(...cut.leftOut);
  const types = nameTypes(cut.types, options.system, options.hub.types);
  const usable = reads.filter((operation) => isUsable(operation, types, leftOut));
  const drafting: Drafting = { options, types, loaders: findLoaders(usable, types) };
  const loading = new Set([...drafting.loaders.values()].map(({ operation }) => operation));
  const wrappers: string[] = [];
  const fields = namePool(options.hub.fields);
  const queries = [
    ...[...drafting.loaders.values()].map((loader) => referenceField(loader, drafting, fields)),
    ...usable
      .filter((operation) => !loading.has(operation))
      .map((operation) => queryField(operation, drafting, fields, wrappers)),
  ];
  const answered = new Set(types.values());
  const parts = [
    headText(options),
    queries.length === 0 ? '' : `type Query {\n${queries.join('\n')}}\n`,
    ...[...answered].map((type) => typeDefinition(type, drafting)),
    ...wrappers,
    writesText(writes, options.source.name),
    leftOutText(leftOut),
  ];
  return {
    sdl: `${parts.filter((part) => part !== '').join('\n')}`,
    leftOut,
    counts: {
      types: types.size,
      entities: drafting.loaders.size,
      queries: queries.length,
      commented: writes.length,
    },
  };
}

function isUsable(operation: Operation, types: NamedTypes, leftOut: LeftOut[]): boolean {
  const { shape } = operation.answer;
  if (shape.kind !== 'named' || types.has(shape.id)) return true;
  leftOut.push({ what: operation.id, why: 'its answer has no fields that the contract names' });
  return false;
}

/** Links, source and what a person should know first. */
export function headText({ source }: DraftOptions): string {
  return `${commentText(source.head, '')}extend schema\n${LINKS}\n${source.text}\n`;
}

/** What is not here, at the end of the file. */
export function leftOutText(leftOut: readonly LeftOut[]): string {
  if (leftOut.length === 0) return '';
  return `# Left out:\n${commentText(
    leftOut.map(({ what, why }) => `- ${what}: ${why}`),
    '',
  )}`;
}

function referenceField(loader: Loader, { types, options }: Drafting, pool: NamePool): string {
  const type = types.get(loader.type);
  const name = type?.name ?? '';
  const field = pool.take(freeName(fieldName(name), options));
  return (
    descriptionText(loader.operation.description, '  ') +
    `  ${field}(${loader.keyField}: ID!): ${name} @connect(reference: "${loader.keyField}: $args.${loader.keyField}")\n`
  );
}

/** A name that another system's Query has gets this system's before it. */
function freeName(name: string, { hub, system }: DraftOptions): string {
  return hub.fields.includes(name) ? fieldName(`${system} ${name}`) : name;
}

const LEADING_VERB = /^(?:get|query|find|fetch|list|retrieve|search|read|load|select)(?=[A-Z])/;

function queryField(operation: Operation, drafting: Drafting, pool: NamePool, wrappers: string[]): string {
  const { types, options } = drafting;
  const full = fieldName(operation.name);
  const field = pool.take(freeName(fieldName(full.replace(LEADING_VERB, '')), options));
  const { args, call } = argumentsOf(operation, types);
  return (
    descriptionText(operation.description, '  ') +
    commentText([operation.check, ...argumentChecks(operation.inputs)], '  ') +
    `  ${field}${args}: ${answerType(operation, field, types, wrappers)}\n` +
    `    @connect(\n      source: "${options.source.name}"\n      ${call}\n` +
    `      select: ${mappingString(selectText(operation.answer, types), '      ')}\n    )\n`
  );
}

/** A field of Query is filled by objects: a single value gets a type around it. */
function answerType({ answer }: Operation, field: string, types: NamedTypes, wrappers: string[]): string {
  const type = answer.shape.kind === 'named' ? types.get(answer.shape.id) : undefined;
  if (type?.kind === 'object') return answer.isList ? `[${type.name}!]` : type.name;
  const name = namePool([...types.values()].map((known) => known.name)).take(`${typeName(field)}Answer`);
  const value = answer.isList ? `[${typeText(answer.shape, types)}]` : typeText(answer.shape, types);
  wrappers.push(`type ${name} {\n  value: ${value}\n}\n`);
  return name;
}

function argumentsOf(
  operation: Operation,
  types: NamedTypes,
  isBrief = false,
): { readonly args: string; readonly call: string } {
  const pool = namePool();
  const texts = new Map<Input, string>();
  const args = operation.inputs.map((input) => {
    const name = pool.take(fieldName(input.name));
    texts.set(input, argumentText(`$args.${name}`, input.shape, types));
    const type = typeText(identifierShape(name, input.shape), types);
    return { name, type: `${type}${input.isRequired ? '!' : ''}`, input };
  });
  const call = operation.call(texts);
  if (args.length === 0) return { args: '', call };
  if (isBrief || !args.some(({ input }) => input.description !== undefined)) {
    return { args: `(${args.map(({ name, type }) => `${name}: ${type}`).join(', ')})`, call };
  }
  const lines = args.map(
    ({ name, type, input }) => `${descriptionText(input.description, '    ')}    ${name}: ${type}\n`,
  );
  return { args: `(\n${lines.join('')}  )`, call };
}

function argumentChecks(inputs: readonly Input[]): readonly string[] {
  return inputs.flatMap(({ name, check }) => (check === undefined ? [] : [`check: ${name}: ${check}`]));
}

function typeDefinition(type: NamedType, drafting: Drafting): string {
  const head = descriptionText(type.type.description ?? foreignName(type.type.name), '');
  if (type.kind === 'enum') {
    const values = type.values.map(
      ([old, ours]) => `${descriptionText(old.toUpperCase() === ours ? undefined : old, '  ')}  ${ours}\n`,
    );
    return `${head}enum ${type.name} {\n${values.join('')}}\n`;
  }
  const loader = drafting.loaders.get(type.type.id);
  const key = loader?.keyField;
  const fields = type.members.map(({ name, member }) => {
    const shown = name === key ? 'ID!' : typeText(member.shape, drafting.types);
    return (
      descriptionText(member.description ?? foreignName(member.name), '  ') +
      commentText([member.check === undefined ? undefined : `check: ${member.check}`], '  ') +
      `  ${name}: ${shown}\n`
    );
  });
  const echo = loader?.isEcho === true ? `  ${loader.keyField}: ID!\n` : '';
  return `${head}type ${type.name}${loader === undefined ? ' ' : loaderText(loader, drafting)}{\n${echo}${fields.join('')}}\n`;
}

/** An old name that says more than ours does. */
function foreignName(old: string): string | undefined {
  return /[^\x20-\x7e]/.test(old) ? old : undefined;
}

function loaderText(loader: Loader, { types, options }: Drafting): string {
  const { operation, input, keyField, how } = loader;
  const root = how === 'FAN_OUT' ? `$batch.${keyField}->first` : `$batch.${keyField}`;
  const extra = loader.isEcho ? [`${keyField}: $batch.${keyField}->first`] : [];
  const checks = [
    `check: '${operation.id}' is taken to load one ${types.get(loader.type)?.name ?? ''} by '${input.name}'`,
    loader.isEcho
      ? `check: the answer does not say its ${keyField}; the one that was asked for is taken`
      : undefined,
    how === 'FAN_OUT'
      ? 'check: one call a key; if the system can take many at once, batch them (docs/connectors.md)'
      : undefined,
    how === 'FAN_OUT' ? undefined : `check: how many keys one call may have; ${BATCH_MAX} is a guess`,
  ];
  const batch =
    how === 'FAN_OUT'
      ? `how: ${how}, match: "${keyField}"`
      : `how: ${how}, max: ${BATCH_MAX}, match: "${keyField}"`;
  return (
    `\n${commentText(checks, '  ')}  @key(fields: "${keyField}")\n  @connect(\n    source: "${options.source.name}"\n` +
    `    ${operation.call(new Map([[input, root]]))}\n    batch: { ${batch} }\n` +
    `    select: ${mappingString(selectText(operation.answer, types, extra), '    ')}\n  )\n`
  );
}

/** Operations that write, or may: for a person to take in. */
function writesText(writes: readonly Operation[], source: string): string {
  if (writes.length === 0) return '';
  const fields = writes.map((operation) => {
    const { args, call } = argumentsOf(operation, new Map(), true);
    const what = operation.check ?? operation.description;
    return `${what === undefined ? '' : `  # ${what.replaceAll(/\s+/g, ' ').slice(0, 200)}\n`}  ${fieldName(operation.name)}${args}: Answer @connect(source: "${source}", ${call}, select: "…")`;
  });
  const lines = [
    'Not drafted, since they write or may: to take one in, move it to `type Mutation`, say what it answers, and set',
    '`readOnly: false` on the source. One that only reads: draft again with --reads NAME.',
    'type Mutation {',
    ...fields.flatMap((field) => field.split('\n')),
    '}',
  ];
  return lines.map((line) => `# ${line}\n`).join('');
}
