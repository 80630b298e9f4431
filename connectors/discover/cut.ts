// Cuts the types of a contract to what a mapping can select: no circle, no endless depth, no text without an end.
import type { ContractType, LeftOut, Member, Shape } from './contract-model.ts';

/** Types within one another, at the most. */
const DEPTH_MAX = 8;
/** Characters of the select of one type with all that it holds: the mapping grammar allows 20,000. */
const SELECT_LENGTH_MAX = 12_000;
/** Characters that an entry costs beside its names. */
const ENTRY_LENGTH = 12;
const ENUM_VALUES_MAX = 60;

export interface CutTypes {
  readonly types: ReadonlyMap<string, ContractType>;
  readonly leftOut: readonly LeftOut[];
}

interface Cut {
  readonly type: ContractType;
  readonly depth: number;
  readonly length: number;
}

/**
 * Keeps what `roots` reach. A field that leads back to its own type, that is too deep or that makes a select too long
 * is left out everywhere, so that a type has the same fields wherever it is met.
 */
export function cutTypes(all: ReadonlyMap<string, ContractType>, roots: readonly Shape[]): CutTypes {
  const done = new Map<string, Cut | undefined>();
  const under = new Set<string>();
  const leftOut: LeftOut[] = [];
  const isEnum = (id: string) => all.get(id)?.kind === 'enum';

  const visit = (id: string): Cut | undefined | 'circle' => {
    if (under.has(id)) return 'circle';
    if (done.has(id)) return done.get(id);
    const type = all.get(id);
    if (type === undefined) return undefined;
    under.add(id);
    const cut = type.kind === 'enum' ? cutEnum(type) : cutObject(type);
    under.delete(id);
    done.set(id, cut);
    return cut;
  };

  const cutObject = (type: Extract<ContractType, { kind: 'object' }>): Cut | undefined => {
    const members: Member[] = [];
    let depth = 1;
    let length = 0;
    for (const member of type.members) {
      const what = `${type.name}.${member.name}`;
      const kept = cutMember(member.shape, visit, isEnum);
      if ('why' in kept) {
        leftOut.push({ what, why: kept.why });
        continue;
      }
      const cost =
        kept.length + (member.path ?? [member.name]).join('.').length + member.name.length + ENTRY_LENGTH;
      if (kept.depth >= DEPTH_MAX) leftOut.push({ what, why: `it is more than ${DEPTH_MAX} types deep` });
      else if (length + cost > SELECT_LENGTH_MAX) leftOut.push({ what, why: 'the select would be too long' });
      else {
        members.push({ ...member, shape: kept.shape });
        depth = Math.max(depth, kept.depth + 1);
        length += cost;
      }
    }
    return members.length === 0 ? undefined : { type: { ...type, members }, depth, length };
  };

  for (const root of roots) {
    const named = namedOf(root);
    if (named !== undefined) visit(named);
  }
  const types = new Map(
    [...done].flatMap(([id, cut]) => (cut === undefined ? [] : [[id, cut.type] as const])),
  );
  return { types, leftOut };
}

function cutEnum(type: Extract<ContractType, { kind: 'enum' }>): Cut | undefined {
  if (type.values.length > ENUM_VALUES_MAX) return undefined;
  const length = type.values.reduce((sum, value) => sum + 2 * value.length + 10, 0);
  return { type, depth: 0, length };
}

type KeptShape =
  | { readonly shape: Shape; readonly depth: number; readonly length: number }
  | { readonly why: string };

function cutMember(
  shape: Shape,
  visit: (id: string) => Cut | undefined | 'circle',
  isEnum: (id: string) => boolean,
): KeptShape {
  switch (shape.kind) {
    case 'scalar':
      return { shape, depth: 0, length: 0 };
    case 'list': {
      const inner = cutMember(shape.of, visit, isEnum);
      if ('why' in inner) return inner;
      // A conversion is for one value: elements of a list come as the old system writes them.
      if (inner.shape.kind === 'list' && namedOf(inner.shape) !== undefined)
        return { why: 'it is a list of lists of objects' };
      const isObject = inner.shape.kind === 'named' && inner.depth > 0;
      const isPlain = inner.shape.kind === 'scalar' && inner.shape.type !== 'DateTime';
      const of: Shape =
        isObject || isPlain || inner.shape.kind === 'list' ? inner.shape : { kind: 'scalar', type: 'String' };
      return { ...inner, length: isObject ? inner.length : 0, shape: { ...shape, of } };
    }
    case 'named': {
      const cut = visit(shape.id);
      if (cut === 'circle') return { why: 'it leads back to its own type: a select has an end' };
      if (cut === undefined && isEnum(shape.id))
        return { shape: { kind: 'scalar', type: 'String' }, depth: 0, length: 0 };
      if (cut === undefined) return { why: 'it has no fields that the contract names' };
      return { shape, depth: cut.depth, length: cut.length };
    }
    default:
      return shape satisfies never;
  }
}

/** The id of the type at the end of a shape. */
export function namedOf(shape: Shape): string | undefined {
  if (shape.kind === 'named') return shape.id;
  return shape.kind === 'list' ? namedOf(shape.of) : undefined;
}
