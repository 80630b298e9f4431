// What the gateway and its planning processes say to each other; all of it can be cloned.
import type { Plan, PlannerName, PlannerRequest } from './planner.ts';

export interface PlannerProcessData {
  readonly supergraphSdl: string;
  /** Undefined: the process chooses. */
  readonly planner: PlannerName | undefined;
}

export interface PlanMessage {
  readonly request: PlannerRequest;
  /** A planner whose plan was found wanting, or that failed fatally at this operation. */
  readonly avoid: PlannerName | undefined;
}

export type PlannerInstruction =
  | { readonly kind: 'start'; readonly data: PlannerProcessData }
  | { readonly kind: 'plan'; readonly message: PlanMessage };

export type PlannerAnswer =
  | { readonly kind: 'ready'; readonly preferred: PlannerName }
  /** A library is loaded in the midst of planning: its time is not the operation's. */
  | { readonly kind: 'loading' }
  | { readonly kind: 'loaded' }
  /** Whose code runs from now on: should the process end, it is known what ended it. */
  | { readonly kind: 'begun'; readonly planner: PlannerName }
  /** The supergraph cannot be planned on at all. */
  | { readonly kind: 'unusable'; readonly reason: string }
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'failed'; readonly reason: string };
