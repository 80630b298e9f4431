// `@skip` and `@include` while code is generated: decided where the variables' values are known, else an expression.

import type { FragmentDefinitionNode, OperationDefinitionNode } from 'graphql';
import { type DirectiveNode, Kind, type SelectionNode, type SelectionSetNode, visit } from 'graphql';
import { readSource } from './source.ts';

/** The values of the variables that conditions use, or undefined to decide at run time. */
export type KnownConditions = ReadonlyMap<string, boolean> | undefined;

/** One condition: a boolean variable and the value that it must have. */
interface Literal {
  readonly variable: string;
  readonly value: boolean;
}

/** All must hold; an empty list always does. */
export type Guard = readonly Literal[];

/** The guard of a node inside a guarded one; undefined when the node is never included. */
export function guardOf(node: SelectionNode, outer: Guard, known: KnownConditions): Guard | undefined {
  let guard = outer;
  for (const directive of node.directives ?? []) {
    const name = directive.name.value;
    if (name !== 'skip' && name !== 'include') continue;
    const wanted = name === 'include';
    const condition = conditionOf(directive);
    if (condition === undefined) continue;
    const value = typeof condition === 'boolean' ? condition : known?.get(condition);
    if (value !== undefined) {
      if (value !== wanted) return undefined;
      continue;
    }
    const variable = String(condition);
    const other = guard.find((literal) => literal.variable === variable);
    if (other === undefined) guard = [...guard, { variable, value: wanted }];
    else if (other.value !== wanted) return undefined;
  }
  return guard;
}

/** A literal's value, or the name of the variable. */
function conditionOf(directive: DirectiveNode): boolean | string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
  if (value?.kind === Kind.VARIABLE) return value.name.value;
  return value?.kind === Kind.BOOLEAN ? value.value : undefined;
}

/** An expression over `variables` that holds when one of the guards does; undefined when it always holds. */
export function guardSource(guards: readonly Guard[]): string | undefined {
  if (guards.some((guard) => guard.length === 0)) return undefined;
  const sources = guards.map((guard) =>
    guard
      .map(({ variable, value }) => `(${readSource('variables', variable)} === true) === ${value}`)
      .join(' && '),
  );
  return [...new Set(sources)].map((source) => `(${source})`).join(' || ');
}

/** Names of the variables that conditions in the operation use. */
export function conditionVariables(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly string[] {
  const names = new Set<string>();
  const bodies: readonly SelectionSetNode[] = [
    operation.selectionSet,
    ...[...fragments.values()].map(({ selectionSet }) => selectionSet),
  ];
  for (const body of bodies) {
    visit(body, {
      Directive(directive) {
        if (directive.name.value !== 'skip' && directive.name.value !== 'include') return;
        const condition = conditionOf(directive);
        if (typeof condition === 'string') names.add(condition);
      },
    });
  }
  return [...names];
}
