// Conditions by variable (`@skip`, `@include`) as data: what must hold for a selection to count.
import { type DirectiveNode, Kind } from 'graphql';

/** Variable to the value that it must have. */
export type Guard = ReadonlyMap<string, boolean>;

export const ALWAYS: Guard = new Map();

/** Undefined when it can never hold: by a literal, or by contradicting what `outer` asks. */
export function guardWithin(
  outer: Guard,
  directives: readonly DirectiveNode[] | undefined,
): Guard | undefined {
  let within = outer;
  for (const directive of directives ?? []) {
    if (!isCondition(directive)) continue;
    const wanted = directive.name.value === 'include';
    const value = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
    if (value?.kind === Kind.BOOLEAN && value.value !== wanted) return undefined;
    if (value?.kind !== Kind.VARIABLE) continue;
    const known = within.get(value.name.value);
    if (known !== undefined && known !== wanted) return undefined;
    within = new Map([...within, [value.name.value, wanted]]);
  }
  return within;
}

export function isCondition({ name }: DirectiveNode): boolean {
  return name.value === 'skip' || name.value === 'include';
}

/** Whether `weaker` holds wherever `stronger` does. */
export function implies(stronger: Guard, weaker: Guard): boolean {
  return [...weaker].every(([variable, wanted]) => stronger.get(variable) === wanted);
}

/** What `guard` asks for beyond `known`. */
export function beyond(guard: Guard, known: Guard): Guard {
  return new Map([...guard].filter(([variable, wanted]) => known.get(variable) !== wanted));
}

/** What both ask for. */
export function shared(one: Guard, other: Guard): Guard {
  return new Map([...one].filter(([variable, wanted]) => other.get(variable) === wanted));
}

/** Lists of directives, each fit for one selection: neither directive may stand there twice. The first is the innermost. */
export function directivesOf(guard: Guard): readonly (readonly DirectiveNode[])[] {
  const layers: DirectiveNode[][] = [[]];
  for (const [variable, wanted] of guard) {
    const name = wanted ? 'include' : 'skip';
    const free = layers.find((layer) => layer.every((directive) => directive.name.value !== name));
    const directive = conditionOf(name, variable);
    if (free === undefined) layers.push([directive]);
    else free.push(directive);
  }
  return layers;
}

function conditionOf(name: 'include' | 'skip', variable: string): DirectiveNode {
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: name },
    arguments: [
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'if' },
        value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: variable } },
      },
    ],
  };
}
