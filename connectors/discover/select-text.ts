// Writes the select that makes an old system's answer the drafted type.
import type { Answer, Member, Shape } from './contract-model.ts';
import { absolutePath, entryName, matchText, relativePath } from './mapping-text.ts';
import type { NamedType } from './naming.ts';

export type NamedTypes = ReadonlyMap<string, NamedType>;

/** The select of an answer; `extra` entries stand before those of the type. */
export function selectText(answer: Answer, types: NamedTypes, extra: readonly string[] = []): string {
  const id = answer.shape.kind === 'named' ? answer.shape.id : undefined;
  const type = id === undefined ? undefined : types.get(id);
  if (type?.kind !== 'object') {
    const value = valueSuffix(answer.shape, types);
    return `value: ${absolutePath(answer.path)}${value}`;
  }
  const lines = [...extra, ...entryLines(type, types)];
  if (answer.path.length === 0 && !answer.isList) return lines.join('\n');
  const list = answer.isList && answer.isLoose ? '->list' : '';
  return [`${absolutePath(answer.path)}${list} {`, ...indent(lines), '}'].join('\n');
}

function entryLines(type: Extract<NamedType, { kind: 'object' }>, types: NamedTypes): readonly string[] {
  return type.members.flatMap(({ name, member }) => entryOf(name, member, types));
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

function entryOf(name: string, member: Member, types: NamedTypes): readonly string[] {
  const path = relativePath(member.path ?? [member.name]);
  const target = objectOf(member.shape, types);
  if (target !== undefined) {
    const list = member.shape.kind === 'list' && member.shape.isLoose === true ? '->list' : '';
    return [`${entryName(name)}: ${path}${list} {`, ...indent(entryLines(target, types)), '}'];
  }
  const suffix = valueSuffix(member.shape, types);
  return [suffix === '' && path === name ? name : `${entryName(name)}: ${path}${suffix}`];
}

function objectOf(shape: Shape, types: NamedTypes): Extract<NamedType, { kind: 'object' }> | undefined {
  if (shape.kind === 'list') return objectOf(shape.of, types);
  const type = shape.kind === 'named' ? types.get(shape.id) : undefined;
  return type?.kind === 'object' ? type : undefined;
}

/** What makes the old value ours. */
function valueSuffix(shape: Shape, types: NamedTypes): string {
  if (shape.kind === 'scalar') return shape.type === 'DateTime' ? '->dateTime' : '';
  if (shape.kind === 'list') return shape.isLoose === true ? '->list' : '';
  const type = types.get(shape.id);
  return type?.kind === 'enum' ? matchText(type.values) : '';
}

/** How an argument becomes what the old system takes. */
export function argumentText(root: string, shape: Shape, types: NamedTypes): string {
  const type = shape.kind === 'named' ? types.get(shape.id) : undefined;
  return type?.kind === 'enum'
    ? `${root}${matchText(type.values.map(([old, ours]) => [ours, old] as const))}`
    : root;
}

/** A shape as a GraphQL type; `String` for what has no type of its own. */
export function typeText(shape: Shape, types: NamedTypes): string {
  switch (shape.kind) {
    case 'scalar':
      return shape.type;
    case 'list':
      return `[${typeText(shape.of, types)}]`;
    case 'named':
      return types.get(shape.id)?.name ?? 'String';
    default:
      return shape satisfies never;
  }
}
