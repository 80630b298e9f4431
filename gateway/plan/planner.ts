// The seam to whichever planner is used: a plan is steps, and each fetch says what to ask, of whom, and where the answer belongs.
import type { DirectiveNode, DocumentNode, OperationTypeNode, SelectionSetNode } from 'graphql';

/** What an entity fetch needs of an object that is already there. */
export type RequiredSelection =
  | {
      readonly kind: 'field';
      /** Under which the value lies in the data. */
      readonly name: string;
      /** Under which it is sent, where that differs: one field is then required with several arguments. */
      readonly sentAs?: string | undefined;
      readonly selections: readonly RequiredSelection[] | undefined;
    }
  | {
      readonly kind: 'fragment';
      readonly typeCondition: string | undefined;
      /** Boolean variables under which it does not count. */
      readonly skipIf?: string | undefined;
      readonly includeIf?: string | undefined;
      readonly selections: readonly RequiredSelection[];
    };

/** A change to a representation before it is sent, or to an answer before it is merged. Paths hold names and `... on Type`. */
export type Rewrite =
  | {
      readonly kind: 'set';
      readonly path: readonly string[];
      readonly value: string | number | boolean | null;
    }
  | { readonly kind: 'rename'; readonly path: readonly string[]; readonly to: string };

/**
 * A value that a field takes from an object above it (`@fromContext`). The path leads from the fetch's own `path`: `..` is
 * the parent object, `... on Type` a condition, other segments are response names. Its value becomes the variable `to` of
 * the fetched text: entities whose values differ cannot share a request.
 */
export interface ContextRewrite {
  readonly path: readonly string[];
  /** A variable of the text that is not in `variableNames`. */
  readonly to: string;
}

export interface FetchStep {
  readonly kind: 'fetch';
  /** Set where a deferred block depends on this fetch. */
  readonly id?: string | undefined;
  /** The subgraph's name. */
  readonly system: string;
  /** The text to send. */
  readonly operation: string;
  readonly operationName: string | undefined;
  readonly operationKind: OperationTypeNode;
  /** The client's variables that the text uses. */
  readonly variableNames: readonly string[];
  /**
   * Where the answer belongs: response names, `@` for every element of a list, and `... on A|B` where only objects of
   * these types (by `__typename`) are meant.
   */
  readonly path: readonly string[];
  /** Set when this is an entity fetch (`_entities`). */
  readonly requires: readonly RequiredSelection[] | undefined;
  /** What is selected at `path`: the root fields, or for an entity fetch what is below `_entities`. */
  readonly selection: SelectionSetNode;
  /** By the name that the fetched text gives them; a body is one inline fragment with the fragment's type condition. */
  readonly fragments: ReadonlyMap<string, SelectionSetNode>;
  readonly inputRewrites: readonly Rewrite[];
  readonly outputRewrites: readonly Rewrite[];
  readonly contextRewrites: readonly ContextRewrite[];
}

/** What one `@defer` holds back. */
export interface DeferredBlock {
  /** Names of fetches (`id`), in the primary part or in other blocks, that must be done first. */
  readonly depends: readonly string[];
  readonly label: string | undefined;
  /** The `@defer` itself. */
  readonly directive: DirectiveNode;
  /** Where the fragment stands in the client's operation: response names and `... on Type`. */
  readonly path: readonly string[];
  /** What the client asked for here, less what is deferred further inside; undefined where another block stands only. */
  readonly selection: SelectionSetNode | undefined;
  readonly steps: Step | undefined;
}

export type Step =
  | FetchStep
  | { readonly kind: 'sequence'; readonly steps: readonly Step[] }
  | { readonly kind: 'parallel'; readonly steps: readonly Step[] }
  | {
      readonly kind: 'condition';
      readonly variable: string;
      readonly whenTrue: Step | undefined;
      readonly whenFalse: Step | undefined;
    }
  | {
      /** Answer `primary` first; each block follows when what it depends on and its own steps are done. */
      readonly kind: 'defer';
      readonly primary: {
        readonly selection: SelectionSetNode | undefined;
        readonly steps: Step | undefined;
      };
      readonly deferred: readonly DeferredBlock[];
    };

export type PlannerName = 'apollo' | 'hive';

export interface Plan {
  /** Undefined when nothing is to be fetched: introspection and `__typename` alone. For a subscription, what each event needs. */
  readonly steps: Step | undefined;
  /** The fetch that a subscription's event answers. */
  readonly primary: FetchStep | undefined;
  /** Who planned it; undefined when there was nothing to plan. */
  readonly planner?: PlannerName | undefined;
  /** Who planned those root fields that the first could not. */
  readonly secondPlanner?: PlannerName | undefined;
}

/** Which labels of progressive `@override` hold for one operation. */
export interface OverrideChoice {
  /** Labels that are active, the percentages among them as they stand in the supergraph (`percent(30)`). */
  readonly labels: readonly string[];
  /** Between 0 and 100; `percent(p)` is active when it is below p. */
  readonly percentage: number;
}

export const NO_OVERRIDES: OverrideChoice = { labels: [], percentage: 100 };

export interface PlannerRequest {
  /** One operation and the fragments that it uses; no introspection. */
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  readonly overrides: OverrideChoice;
}

/** One library behind the seam, in the process that plans. */
export interface Planner {
  /**
   * Plans one operation that is valid against the API schema.
   * @throws whatever the planner throws; the caller makes it an error of the hub
   */
  plan(request: PlannerRequest): Plan;
}
