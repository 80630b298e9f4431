// Compiles one fetch of a plan: where it looks, what it sends, how its answer is put in place.
import { invariant } from '@weft/core/errors';
import type { GraphQLSchema } from 'graphql';
import type { Variables } from '../execute/collect-fields.ts';
import type { FetchStep, RequiredSelection } from '../plan/planner.ts';
import { coreOf } from './core-fetch.ts';
import { type KnownTypes, NO_KNOWN_TYPES } from './known-types.ts';
import { compileMerge, type Merge } from './merge.ts';
import { compileRepresentations, type Representations } from './representations.ts';
import { compileTargets, type FindObjects } from './targets.ts';

export interface CompiledFetch {
  readonly step: FetchStep;
  /** Among the operation's fetches. */
  readonly number: number;
  readonly find: FindObjects;
  readonly merge: Merge;
  /** What is known of its objects' types: fetches that ask the same of objects of which other things are known are not the same. */
  readonly known: KnownTypes;
  /** The request's JSON up to the first variable. */
  readonly bodyStart: string;
  /** For an object of which something required is missing: what needs the key alone. */
  readonly core: CompiledFetch | undefined;
  /** For an entity fetch, under the variables' values. */
  representations(variables: Variables): Representations;
}

export function compileFetch(
  schema: GraphQLSchema,
  step: FetchStep,
  number: number,
  known: KnownTypes = NO_KNOWN_TYPES,
  isCore = false,
): CompiledFetch {
  const core = isCore ? undefined : coreOf(schema, step);
  return {
    core: core === undefined ? undefined : compileFetch(schema, core, number, known, true),
    step,
    number,
    find: compileTargets(schema, step.path, known),
    merge: compileMerge(schema, step),
    known,
    bodyStart: bodyStartOf(step.operation, step.operationName),
    representations: compileVariants(schema, step, known),
  };
}

/** A request's JSON up to the first variable. */
export function bodyStartOf(query: string, operationName: string | undefined): string {
  const name = operationName === undefined ? '' : `"operationName":${JSON.stringify(operationName)},`;
  return `{"query":${JSON.stringify(query)},${name}"variables":{`;
}

/** The client's variables among `names`, as members of a JSON object. */
export function variablesText(variables: Variables, names: readonly string[]): string {
  let text = '';
  for (const name of names) {
    if (!Object.hasOwn(variables, name)) continue;
    const json: string | undefined = JSON.stringify(variables[name]);
    if (json !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${json}`;
  }
  return text;
}

/** Combinations of conditions in `requires` that are kept compiled; few have any. */
const VARIANTS_MAX = 16;

function compileVariants(
  schema: GraphQLSchema,
  step: FetchStep,
  known: KnownTypes,
): (variables: Variables) => Representations {
  const names = new Set<string>();
  addConditionNames(step.requires ?? [], names);
  if (names.size === 0) {
    const only = step.requires === undefined ? undefined : compileRepresentations(schema, step, known);
    return () => {
      invariant(only !== undefined, 'representations are of entity fetches');
      return only;
    };
  }
  const variants = new Map<string, Representations>();
  return (variables) => {
    const key = [...names].map((name) => (variables[name] === true ? '1' : '0')).join('');
    if (variants.size >= VARIANTS_MAX && !variants.has(key)) variants.clear();
    return variants.getOrInsertComputed(key, () =>
      compileRepresentations(schema, { ...step, requires: included(step.requires ?? [], variables) }, known),
    );
  };
}

function addConditionNames(selections: readonly RequiredSelection[], names: Set<string>): void {
  for (const selection of selections) {
    if (selection.kind === 'fragment') {
      for (const name of [selection.skipIf, selection.includeIf]) if (name !== undefined) names.add(name);
    }
    addConditionNames(selection.selections ?? [], names);
  }
}

function included(
  selections: readonly RequiredSelection[],
  variables: Variables,
): readonly RequiredSelection[] {
  return selections.flatMap((selection): readonly RequiredSelection[] => {
    if (selection.kind === 'field') {
      if (selection.selections === undefined) return [selection];
      return [{ ...selection, selections: included(selection.selections, variables) }];
    }
    const { skipIf, includeIf } = selection;
    if (skipIf !== undefined && variables[skipIf] === true) return [];
    if (includeIf !== undefined && variables[includeIf] !== true) return [];
    return [{ ...selection, selections: included(selection.selections, variables) }];
  });
}
