// Drafts the SDL of a contract that is called: REST and SOAP.

import type { Contract, LeftOut, Operation } from './contract-model.ts';
import { cutTypes } from './cut.ts';
import { answerType, argumentChecks, argumentsOf } from './field-text.ts';
import { findLoaders, type Loader } from './keys.ts';
import { fieldName, type NamePool, namePool } from './names.ts';
import { type NamedType, nameTypes } from './naming.ts';
import { commentText, descriptionText, mappingString } from './sdl-text.ts';
import { type NamedTypes, selectText, typeText } from './select-text.ts';
import { writesText } from './writes.ts';

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

/** What all parts of one draft know. */
export interface Drafting {
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
  const roots = reads.flatMap(({ answer, inputs }) => [answer.shape, ...inputs.map(({ shape }) => shape)]);
  const readable = cutTypes(contract.types, roots).types;
  // What only writes answer comes last, so that it takes no name from what is read.
  const cut = cutTypes(contract.types, [...roots, ...writes.map(({ answer }) => answer.shape)]);
  leftOut.push(...cut.leftOut);
  const types = nameTypes(cut.types, options.system, options.hub.types);
  const drafted = new Map([...types].filter(([id]) => readable.has(id)));
  const usable = reads.filter((operation) => isUsable(operation, drafted, leftOut));
  const drafting: Drafting = { options, types, loaders: findLoaders(usable, drafted) };
  const loading = new Set([...drafting.loaders.values()].map(({ operation }) => operation));
  const wrappers: string[] = [];
  const fields = namePool(options.hub.fields);
  const queries = [
    ...[...drafting.loaders.values()].map((loader) => referenceField(loader, drafting, fields)),
    ...usable
      .filter((operation) => !loading.has(operation))
      .map((operation) => queryField(operation, drafting, fields, wrappers)),
  ];
  const parts = [
    headText(options),
    queries.length === 0 ? '' : `type Query {\n${queries.join('\n')}}\n`,
    ...[...drafted.values()].map((type) => typeDefinition(type, drafting)),
    ...wrappers,
    writesText(writes, drafting, {
      definitionOf: ([id, type]) => (drafted.has(id) ? undefined : typeDefinition(type, drafting)),
      taken: wrappers.map((text) => /^type (\w+)/.exec(text)?.[1] ?? ''),
    }),
    leftOutText(leftOut),
  ];
  return {
    sdl: `${parts.filter((part) => part !== '').join('\n')}`,
    leftOut,
    counts: {
      types: drafted.size,
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
    operation.check,
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
