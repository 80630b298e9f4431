// Tells an operator, when the gateway has started, which trusted documents the graph would not run: clients must not find out first.
import type { Logger } from '@weft/core/logger';
import type { GraphQLError } from 'graphql';
import type { Engine } from '../engine.ts';
import { ANONYMOUS } from '../identity/principal.ts';

/** Documents that are looked at; a list that is longer is looked at in part. */
const CHECKED_MAX = 2_000;

/** What depends on who asks, or on the operation that is named, says nothing of the document. */
const NOT_OF_THE_DOCUMENT: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'OPERATION_RESOLUTION_FAILURE',
]);

/**
 * Prepares each document, one after the other, which plans it ahead too, and warns of those that are refused.
 * @param isOver asked before each; true ends it
 */
export async function checkTrustedDocuments(
  documents: ReadonlyMap<string, string> | undefined,
  engine: () => Pick<Engine, 'prepare'>,
  logger: Logger,
  isOver: () => boolean,
): Promise<void> {
  for (const [id, text] of [...(documents ?? [])].slice(0, CHECKED_MAX)) {
    if (isOver()) return;
    const error = await firstError(engine(), text);
    if (error === undefined || NOT_OF_THE_DOCUMENT.has(String(error.extensions.code))) continue;
    logger.warn({ document: id, problem: error.message }, 'a trusted document cannot be run on this graph');
  }
}

async function firstError(engine: Pick<Engine, 'prepare'>, text: string): Promise<GraphQLError | undefined> {
  try {
    const prepared = await engine.prepare(text, undefined, ANONYMOUS);
    return 'errors' in prepared ? prepared.errors[0] : undefined;
  } catch {
    return undefined; // The engine closes, or could not plan now: a client who asks is told.
  }
}
