// Decodes `@connect(store: true)`: a loader, or a field of Query, that reads what `@ingest` kept of a type.
import { compileMapping } from '@weft/schema/mapping/compile';
import type { ConstDirectiveNode, FieldDefinitionNode, TypeNode } from 'graphql';
import type { ConnectPlan, StoreCall, StoreFilter } from '../plan.ts';
import { IssueList } from './build-issues.ts';
import { defaultEntityField, findEntityFields } from './changes.ts';
import { exactlyOne } from './choices.ts';
import type { Compilation, ReadEntity, ReadField } from './compilation.ts';
import { type Arguments, readArguments } from './directive-arguments.ts';
import { type PlacedMapping, readMapping } from './mapping-arguments.ts';
import { isListType, keyOf, namedType, type ObjectType } from './sdl-folder.ts';

/** Keys in one query of the store. */
const STORE_KEYS_MAX = 1_000;
const FIRST = 'first';
const NUMBERS: ReadonlySet<string> = new Set(['Int', 'Float']);
const AS_KEPT = compileMapping('$');

/** What a type's `@ingest` keeps, as far as it can be read. */
interface Kept {
  readonly source: string;
  readonly selects: readonly PlacedMapping[];
}

/** The loader of a type that reads what was kept of it. */
export function readStoreEntity(
  type: ObjectType,
  given: Arguments,
  compilation: Compilation,
): ReadEntity | undefined {
  const kept = readKept(type, given, compilation);
  const select = kept?.selects[0];
  if (kept === undefined || select === undefined) return undefined;
  const keyFields = keyOf(type, textOf(type, 'key') ?? '');
  const keyField = keyFields?.[0];
  // That @ingest has another key than the type is told where it is decoded.
  if (keyFields === undefined || keyField === undefined) return undefined;
  const connect = connectPlan(kept, storeCall(type, compilation, [], undefined));
  const batch = { how: 'STORE', keysMax: STORE_KEYS_MAX, match: keyField, many: false } as const;
  const several = keyFields.length > 1 ? { keyFields } : {};
  return {
    plan: { type: type.name, keyField, ...several, connect: { ...connect, batch } },
    select: select,
    others: kept.selects.slice(1),
  };
}

/** A field of Query that lists what was kept, or finds one. */
export function readStoreField(
  type: ObjectType,
  field: FieldDefinitionNode,
  given: Arguments,
  compilation: Compilation,
): ReadField | undefined {
  const { issues, sdl } = compilation;
  if (type.name !== 'Query') {
    const mend = 'read the store on an entity type or on a field of Query';
    issues.add('MISPLACED', given.node, `${type.name}.${field.name.value} cannot read the store`, mend);
    return undefined;
  }
  const returnType = namedType(field.type);
  const returned = sdl.objects.get(returnType);
  const kept = readKept(returned, given, compilation, returnType);
  if (returned === undefined || kept === undefined) return undefined;
  const list = isListType(field.type);
  const filters = readFilters(field, returned, kept, list, compilation);
  const hasFirst = list && (field.arguments ?? []).some(({ name }) => name.value === FIRST);
  const call = storeCall(returned, compilation, filters, hasFirst ? FIRST : undefined);
  return { plan: { kind: 'call', connect: connectPlan(kept, call), list, returnType }, select: undefined };
}

function storeCall(
  type: ObjectType,
  { sdl }: Compilation,
  filters: readonly StoreFilter[],
  firstArgument: string | undefined,
): StoreCall {
  const entityField = findEntityFields(sdl).get(type.name) ?? defaultEntityField(type.name);
  return { protocol: 'store', type: type.name, entityField, filters, firstArgument };
}

function connectPlan({ source }: Kept, call: StoreCall): ConnectPlan {
  return { source, call, failWhen: undefined, emptyWhen: undefined, select: AS_KEPT };
}

/** What the type's `@ingest` keep; an issue when there is none, or beside arguments that say nothing here. */
function readKept(
  type: ObjectType | undefined,
  given: Arguments,
  { issues }: Compilation,
  typeName = type?.name ?? '',
): Kept | undefined {
  if (exactlyOne(given, ['http', 'soap', 'sql', 'store', 'reference'], '@connect', issues) === undefined)
    return undefined;
  const others = given.present(['batch', 'select', 'emptyWhen', 'failWhen']);
  if (others.length > 0) {
    const mend = 'leave them out: the store gives what the select of @ingest kept, many at once';
    issues.add('TWO_PROTOCOLS', given.node, `store calls nobody, and has ${others.join(' and ')}`, mend);
    return undefined;
  }
  if (!given.flag('store')) {
    issues.add('BAD_VALUE', given.nodeOf('store'), 'store is false', 'write true, or leave it out');
    return undefined;
  }
  const ingests = type?.directives.filter((directive) => directive.name.value === 'ingest') ?? [];
  if (ingests.length === 0) {
    issues.add('NOT_INGESTED', given.nodeOf('store'), `'${typeName}' has no @ingest`, 'add @ingest to it');
    return undefined;
  }
  return readIngested(ingests, given, issues);
}

function readIngested(
  ingests: readonly ConstDirectiveNode[],
  given: Arguments,
  issues: IssueList,
): Kept | undefined {
  // Whatever is wrong with an @ingest itself is told where it is decoded.
  const untold = new IssueList();
  const read = ingests.flatMap((directive) => readArguments(directive, untold) ?? []);
  const sources = read.map((ingest) => ingest.requiredText('source'));
  const source = given.text('source') ?? sources[0];
  if (source === undefined || sources.length === 0) return undefined;
  if (!sources.includes(source)) {
    const mend = `leave it out, or name ${sources.join(' or ')}`;
    issues.add('UNKNOWN_SOURCE', given.nodeOf('source'), `nothing is taken in from '${source}'`, mend);
    return undefined;
  }
  const readable = { $: undefined, env: undefined };
  return { source, selects: read.flatMap((ingest) => readMapping(ingest, 'select', readable, untold) ?? []) };
}

function readFilters(
  field: FieldDefinitionNode,
  returned: ObjectType,
  { selects }: Kept,
  list: boolean,
  { issues }: Compilation,
): readonly StoreFilter[] {
  const keptNames = new Set(
    selects.flatMap(({ mapping: { shape } }) => (shape.kind === 'object' ? [...shape.fields.keys()] : [])),
  );
  return (field.arguments ?? []).flatMap((argument) => {
    const name = argument.name.value;
    const [, ranged = '', bound] = /^(.+)(From|To)$/.exec(name) ?? [];
    if (keptNames.has(name)) return [filterOf(name, name, 'EQ', argument.type, returned)];
    if (bound !== undefined && keptNames.has(ranged))
      return [filterOf(name, ranged, bound === 'From' ? 'FROM' : 'TO', argument.type, returned)];
    if (name === FIRST && list && namedType(argument.type) === 'Int') return [];
    const mend = `known are ${[...keptNames].join(', ')}, each with From or To behind it, and first: Int of a list`;
    issues.add('BAD_VALUE', argument, `@ingest keeps no '${name}' of ${returned.name}`, mend);
    return [];
  });
}

function filterOf(
  argument: string,
  field: string,
  comparison: StoreFilter['comparison'],
  argumentType: TypeNode,
  returned: ObjectType,
): StoreFilter {
  const definition = returned.fields.get(field);
  const type = namedType(definition?.type ?? argumentType);
  const kind = type === 'DateTime' ? 'TIME' : NUMBERS.has(type) ? 'NUMBER' : 'TEXT';
  return { argument, field, comparison, kind };
}

/** The text argument of the type's first `@ingest`. */
function textOf(type: ObjectType, name: string): string | undefined {
  const ingest = type.directives.find((directive) => directive.name.value === 'ingest');
  const value = ingest?.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === 'StringValue' ? value.value : undefined;
}
