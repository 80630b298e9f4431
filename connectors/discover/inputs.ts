// Takes the nested input of a call apart to plain arguments, and puts their mappings together again.
import type { ContractType, Input, InputTexts, LeftOut, Member, Shape } from './contract-model.ts';
import { entryName, isMappable } from './mapping-text.ts';

const INPUT_DEPTH_MAX = 5;
const INPUTS_MAX = 40;

export interface FlatInput {
  readonly input: Input;
  /** Where its value stands in the call. */
  readonly path: readonly string[];
}

/**
 * The plain values and lists of plain values in `members`, however deep; an argument has the name of its own element.
 * @returns undefined when something that must be there cannot be an argument, which is then in `leftOut`
 */
export function flattenInputs(
  members: readonly Member[],
  types: ReadonlyMap<string, ContractType>,
  owner: string,
  leftOut: LeftOut[],
): readonly FlatInput[] | undefined {
  const found: FlatInput[] = [];
  let isWhole = true;
  const visit = (
    member: Member,
    before: readonly string[],
    isRequired: boolean,
    above: ReadonlySet<string>,
  ): void => {
    const path = [...before, ...(member.path ?? [member.name])];
    const required = isRequired && member.isRequired === true;
    const type = member.shape.kind === 'named' ? types.get(member.shape.id) : undefined;
    const shape = type?.kind === 'object' ? undefined : plainShape(member.shape, types);
    const why = whyNot({ type, shape, path, before, above, found });
    if (why !== undefined) {
      leftOut.push({ what: `${owner}: argument ${path.join('.')}`, why });
      if (required) isWhole = false;
    } else if (type?.kind === 'object') {
      for (const inner of type.members) visit(inner, path, required, new Set([...above, type.id]));
    } else if (shape !== undefined) {
      const { name, description, check } = member;
      found.push({ path, input: { name, description, shape, isRequired: required, check } });
    }
  };
  for (const member of members) visit(member, [], true, new Set());
  return isWhole ? tellApart(found) : undefined;
}

/** Why something is no argument; undefined when it is one, or holds some. */
function whyNot(at: {
  readonly type: ContractType | undefined;
  readonly shape: Shape | undefined;
  readonly path: readonly string[];
  readonly before: readonly string[];
  readonly above: ReadonlySet<string>;
  readonly found: readonly FlatInput[];
}): string | undefined {
  if (at.type?.kind === 'object') {
    if (at.above.has(at.type.id)) return 'it leads back to its own type';
    return at.before.length >= INPUT_DEPTH_MAX ? `it is more than ${INPUT_DEPTH_MAX} levels deep` : undefined;
  }
  if (at.shape === undefined) return 'a list of objects is no argument';
  if (!at.path.every(isMappable)) return 'its name cannot stand in a mapping';
  return at.found.length >= INPUTS_MAX ? `a field has at most ${INPUTS_MAX} arguments` : undefined;
}

/** Two of one name get the name of what they are in before theirs: `category_id`. */
function tellApart(found: readonly FlatInput[]): readonly FlatInput[] {
  const counts = new Map<string, number>();
  for (const { input } of found) counts.set(input.name, (counts.get(input.name) ?? 0) + 1);
  return found.map((flat) =>
    (counts.get(flat.input.name) ?? 0) > 1
      ? { ...flat, input: { ...flat.input, name: flat.path.slice(-2).join('_') } }
      : flat,
  );
}

/** A plain value, or a list of them; enums within a list are text. */
function plainShape(shape: Shape, types: ReadonlyMap<string, ContractType>): Shape | undefined {
  if (shape.kind === 'scalar') return shape;
  if (shape.kind === 'named') return types.has(shape.id) ? shape : { kind: 'scalar', type: 'String' };
  const inner = plainShape(shape.of, types);
  const isObject = shape.of.kind === 'named' && types.get(shape.of.id)?.kind === 'object';
  if (isObject || inner === undefined || inner.kind === 'list') return undefined;
  return { kind: 'list', of: inner.kind === 'scalar' ? inner : { kind: 'scalar', type: 'String' } };
}

interface Branch {
  readonly [name: string]: Branch | string;
}

/** `req: { no: $args.no lang: $args.lang }` for those of the inputs that have a text. */
export function inputEntries(inputs: readonly FlatInput[], texts: InputTexts): string {
  const root: Record<string, unknown> = Object.create(null);
  for (const { input, path } of inputs) {
    const text = texts.get(input);
    if (text === undefined) continue;
    let at = root;
    for (const name of path.slice(0, -1)) {
      at[name] ??= Object.create(null);
      at = at[name] as Record<string, unknown>;
    }
    at[path.at(-1) ?? ''] = text;
  }
  return entriesOf(root as Branch);
}

function entriesOf(branch: Branch): string {
  return Object.entries(branch)
    .map(
      ([name, value]) =>
        `${entryName(name)}: ${typeof value === 'string' ? value : `{ ${entriesOf(value)} }`}`,
    )
    .join(' ');
}
