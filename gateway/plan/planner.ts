// The seam to whichever planner is used: a plan is steps, and each fetch says what to ask, of whom, and where the answer belongs.
import type { DocumentNode, OperationTypeNode, SelectionSetNode } from 'graphql';

/** What an entity fetch needs of an object that is already there. */
export type RequiredSelection =
  | {
      readonly kind: 'field';
      readonly name: string;
      readonly selections: readonly RequiredSelection[] | undefined;
    }
  | {
      readonly kind: 'fragment';
      readonly typeCondition: string | undefined;
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

export interface FetchStep {
  readonly kind: 'fetch';
  /** The subgraph's name. */
  readonly system: string;
  /** The text to send. */
  readonly operation: string;
  readonly operationName: string | undefined;
  readonly operationKind: OperationTypeNode;
  /** The client's variables that the text uses. */
  readonly variableNames: readonly string[];
  /** Where the answer belongs: response names, and `@` for every element of a list. */
  readonly path: readonly string[];
  /** Set when this is an entity fetch (`_entities`). */
  readonly requires: readonly RequiredSelection[] | undefined;
  /** What is selected at `path`: the root fields, or for an entity fetch what is below `_entities`. */
  readonly selection: SelectionSetNode;
  /** By the name that the fetched text gives them. */
  readonly fragments: ReadonlyMap<string, SelectionSetNode>;
  readonly inputRewrites: readonly Rewrite[];
  readonly outputRewrites: readonly Rewrite[];
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
    };

export interface Plan {
  /** Undefined when nothing is to be fetched: introspection and `__typename` alone. For a subscription, what each event needs. */
  readonly steps: Step | undefined;
  /** The fetch that a subscription's event answers. */
  readonly primary: FetchStep | undefined;
}

export interface Planner {
  /**
   * Plans one operation of a document that is valid against the API schema.
   * @throws whatever the planner throws; the caller makes it an error of the hub
   */
  plan(document: DocumentNode, operationName: string | undefined): Plan;
}
