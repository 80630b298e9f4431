// Finds the types of a contract that have a key and a call that loads them by it.

import type { Input, Operation, Shape } from './contract-model.ts';
import { namedOf } from './cut.ts';
import { fieldName } from './names.ts';
import type { NamedType } from './naming.ts';

export interface Loader {
  /** The id of the type. */
  readonly type: string;
  readonly operation: Operation;
  readonly input: Input;
  /** The field that is the key; for an echo one that the type does not have: the answer does not say whose it is. */
  readonly keyField: string;
  readonly isEcho: boolean;
  readonly how: 'LIST_PARAM' | 'JSON_BODY' | 'SOAP_ARRAY' | 'FAN_OUT';
}

/** How identifiers end, as words of a name: also those that are written as pinyin or its initials. */
const KEY_LIKE =
  /^(?:id|no|code|key|number|uuid|guid)$|(?:Id|No|Code|Key|Number|Num|Uuid|Guid|Ref|BianHao|DaiMa|Hao)$|(?:bh|dm|bm)$/;

/** The best loader of each type: one call for many keys goes before one a key. */
export function findLoaders(
  operations: readonly Operation[],
  types: ReadonlyMap<string, NamedType>,
): ReadonlyMap<string, Loader> {
  const uses = countUses(operations, types);
  const found = new Map<string, Loader>();
  for (const operation of operations) {
    const loader = loaderOf(operation, types, uses);
    if (loader === undefined) continue;
    const known = found.get(loader.type);
    if (known === undefined || rank(loader) < rank(known)) found.set(loader.type, loader);
  }
  return found;
}

/** Better ones first. */
function rank(loader: Loader): number {
  return (loader.how === 'FAN_OUT' ? 2 : 0) + (loader.isEcho ? 1 : 0);
}

function loaderOf(
  operation: Operation,
  types: ReadonlyMap<string, NamedType>,
  uses: ReadonlyMap<string, number>,
): Loader | undefined {
  const { answer } = operation;
  const id = answer.shape.kind === 'named' ? answer.shape.id : undefined;
  const type = id === undefined ? undefined : types.get(id);
  const input = keyInput(operation);
  if (id === undefined || type?.kind !== 'object' || input === undefined) return undefined;
  const isMany = input.shape.kind === 'list';
  if (isMany && (operation.batchHow === undefined || !answer.isList)) return undefined;
  if (!isMany && answer.isList) return undefined;
  const wanted = isMany ? singular(fieldName(input.name)) : fieldName(input.name);
  const base = {
    type: id,
    operation,
    input,
    how: isMany ? (operation.batchHow ?? 'FAN_OUT') : 'FAN_OUT',
  } as const;
  const key = findKey(wanted, type);
  if (key !== undefined)
    return input.isInPath === true || isMany || KEY_LIKE.test(wanted)
      ? { ...base, keyField: key, isEcho: false }
      : undefined;
  if (isMany || !KEY_LIKE.test(wanted) || (uses.get(id) ?? 0) > 1) return undefined;
  return { ...base, keyField: wanted, isEcho: true };
}

/** The one input that says which: the only one that must be there, or the only one at all. */
function keyInput({ inputs, batchHow }: Operation): Input | undefined {
  const required = inputs.filter((input) => input.isRequired);
  const lists = inputs.filter(({ shape }) => shape.kind === 'list' && batchHow !== undefined);
  const optional = inputs.length === 1 ? inputs : lists.length === 1 ? lists : [];
  const [only] = required.length === 0 ? optional : required;
  if (only === undefined || required.length > 1) return undefined;
  const of = only.shape.kind === 'list' ? only.shape.of : only.shape;
  return of.kind === 'scalar' && ['ID', 'String', 'Int', 'Float'].includes(of.type) ? only : undefined;
}

/** `petId` finds the field `petId`, or the field `id` of Pet. */
function findKey(wanted: string, type: Extract<NamedType, { kind: 'object' }>): string | undefined {
  const plain = type.members.filter(({ member }) => isKeyShape(member.shape)).map(({ name }) => name);
  if (plain.includes(wanted)) return wanted;
  const own = type.name.charAt(0).toLowerCase() + type.name.slice(1);
  const short = ['id', 'no', 'code', 'number', 'key', 'uuid'].find(
    (name) => wanted.toLowerCase() === `${own}${name}`.toLowerCase(),
  );
  if (short !== undefined && plain.includes(short)) return short;
  const long = `${own}${wanted.charAt(0).toUpperCase()}${wanted.slice(1)}`;
  return plain.includes(long) ? long : undefined;
}

function isKeyShape(shape: Shape): boolean {
  return shape.kind === 'scalar' && ['ID', 'String', 'Int', 'Float'].includes(shape.type);
}

function singular(name: string): string {
  return name
    .replace(/ies$/, 'y')
    .replace(/([a-z])s$/, '$1')
    .replace(/(?:List|Array)$/, '');
}

function countUses(
  operations: readonly Operation[],
  types: ReadonlyMap<string, NamedType>,
): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  const use = (shape: Shape) => {
    const id = namedOf(shape);
    if (id !== undefined) uses.set(id, (uses.get(id) ?? 0) + 1);
  };
  for (const operation of operations) use(operation.answer.shape);
  for (const type of types.values()) {
    if (type.kind === 'object') for (const { member } of type.members) use(member.shape);
  }
  return uses;
}
