// What a live subscription asks of an engine that may be replaced under it.
import type { GraphQLError } from 'graphql';
import type { PreparedOperation } from '../engine.ts';
import type { Principal } from '../identity/principal.ts';

/** The operation on the engine of now, or why that engine does not have it. */
export type Renewed =
  | { readonly operation: PreparedOperation; readonly errors?: undefined }
  | { readonly errors: readonly GraphQLError[]; readonly operation?: undefined };

export interface Renewals {
  /**
   * Keeps the engine that prepared `operation` open until the operation was renewed or the returned function is called,
   * and calls `onRenewed` after each change of engines: also soon after the call when the operation is of an older one.
   * @param principal who subscribed: the operation is prepared anew for them
   * @param onRenewed must not throw; after errors it is not called again
   * @returns how to stop, whatever was called; may be called twice
   */
  watch(
    operation: PreparedOperation,
    principal: Principal,
    onRenewed: (renewed: Renewed) => void,
  ): () => void;
}
