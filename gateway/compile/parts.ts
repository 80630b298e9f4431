// Compiles a plan with deferred blocks into parts: each runs by itself, and none is sent together with another's fetches.
import type { DirectiveNode, GraphQLSchema } from 'graphql';
import type { Variables } from '../execute/collect-fields.ts';
import { countDeferred, deferVariables, splitSelection } from '../incremental/split-selection.ts';
import { hasDefer } from '../plan/planned-document.ts';
import type { Step } from '../plan/planner.ts';
import type { PlannedOperation } from '../plan/prepare.ts';
import { deferSteps } from './defer-steps.ts';
import type { KnownTypes } from './known-types.ts';
import { childrenOf, compileSteps, type RunSteps } from './steps.ts';

/** What one part asks. */
export interface Fetches {
  /** Undefined when nothing is fetched. */
  readonly run: RunSteps | undefined;
  /** By which others wait for its fetches. */
  readonly ids: ReadonlySet<string>;
}

export interface Part extends Fetches {
  readonly blocks: readonly Block[];
}

/** What one deferred fragment needs beside the first answer and the fragments before it. */
export interface Block extends Fetches {
  /** Fetches of other parts that must be done first. */
  readonly depends: readonly string[];
  /** Of the fragment. */
  readonly directive: DirectiveNode;
  /** Response names from the root to the fragment. */
  readonly names: readonly string[];
}

/** The first part of an operation, whose blocks are the others; undefined where nothing is held back. */
export type CompiledParts = (variables: Variables) => Part | undefined;

/** Up to so many variables decide what is deferred; an operation with more is answered whole. */
const DEFER_VARIABLES_MAX = 4;

/** Places of deferred fragments: a short document can spread one to thousands, and is answered whole when it does. */
const DEFERRED_PLACES_MAX = 100;

/** @param schema the supergraph's whole schema */
export function compileParts(
  schema: GraphQLSchema,
  { document, operation, fragments }: PlannedOperation,
  steps: Step,
  known: KnownTypes,
): CompiledParts {
  const names = deferVariables([
    operation.selectionSet,
    ...[...fragments.values()].map(({ selectionSet }) => selectionSet),
  ]);
  if (!hasDefer(document) || names.length > DEFER_VARIABLES_MAX) return () => undefined;
  const variants = new Map<string, Part | undefined>();
  return (variables) => {
    const key = names.map((name) => (variables[name] === false ? '0' : '1')).join('');
    return variants.getOrInsertComputed(key, () => {
      // What a request leaves out by @skip or @include changes what is asked of a fetch, and not which part it is in.
      const split = splitSelection(operation.selectionSet, fragments, variables, () => true);
      const count = countDeferred(split.deferred);
      const isParted = count > 0 && count <= DEFERRED_PLACES_MAX;
      const parted = isParted ? deferSteps(steps, split, fragments) : undefined;
      return parted?.kind === 'defer' ? compilePart(schema, parted, known) : undefined;
    });
  };
}

/** The plan as it is parted when every `@defer` is active, for who wants to see it; undefined where nothing is held back. */
export function partedSteps(
  { operation, fragments }: PlannedOperation,
  steps: Step | undefined,
): Step | undefined {
  const split = splitSelection(operation.selectionSet, fragments, {}, () => true);
  if (steps === undefined || split.deferred.length === 0) return undefined;
  return deferSteps(steps, split, fragments);
}

function compilePart(
  schema: GraphQLSchema,
  { primary, deferred }: Step & { readonly kind: 'defer' },
  known: KnownTypes,
): Part {
  return {
    ...fetchesOf(schema, primary.steps, known),
    blocks: deferred.map(({ depends, directive, path, steps }) => ({
      depends,
      directive,
      names: path,
      ...fetchesOf(schema, steps, known),
    })),
  };
}

function fetchesOf(schema: GraphQLSchema, steps: Step | undefined, known: KnownTypes): Fetches {
  if (steps === undefined) return NOTHING;
  return { run: compileSteps(schema, steps, known), ids: idsOf(steps) };
}

const NOTHING: Fetches = { run: undefined, ids: new Set() };

function idsOf(step: Step): ReadonlySet<string> {
  const ids = new Set<string>();
  const visit = (each: Step): void => {
    if (each.kind === 'fetch') {
      if (each.id !== undefined) ids.add(each.id);
    } else for (const child of childrenOf(each)) visit(child);
  };
  visit(step);
  return ids;
}
