// Applies a plan's rewrites to an answer before it is merged.
import type { GraphQLSchema } from 'graphql';
import type { Rewrite } from '../plan/planner.ts';
import { type DataObject, type DataValue, isDataObject, readOwn, writeOwn } from './data.ts';
import { isObjectOfType } from './object-type.ts';

const FRAGMENT_PREFIX = '... on ';

/** In place; a path goes through lists into every element. */
export function applyRewrites(schema: GraphQLSchema, rewrites: readonly Rewrite[], value: DataValue): void {
  for (const rewrite of rewrites) applyRewrite(schema, rewrite, value, 0);
}

function applyRewrite(schema: GraphQLSchema, rewrite: Rewrite, value: DataValue, at: number): void {
  if (Array.isArray(value)) {
    for (const item of value) applyRewrite(schema, rewrite, item, at);
    return;
  }
  const segment = rewrite.path[at];
  if (!isDataObject(value) || segment === undefined) return;
  if (segment.startsWith(FRAGMENT_PREFIX)) {
    const matches = isObjectOfType(schema, value, segment.slice(FRAGMENT_PREFIX.length), true);
    if (matches) applyRewrite(schema, rewrite, value, at + 1);
    return;
  }
  if (at < rewrite.path.length - 1) {
    applyRewrite(schema, rewrite, readOwn(value, segment), at + 1);
    return;
  }
  rewriteField(rewrite, value, segment);
}

function rewriteField(rewrite: Rewrite, object: DataObject, name: string): void {
  switch (rewrite.kind) {
    case 'set':
      writeOwn(object, name, rewrite.value);
      return;
    case 'rename': {
      const value = readOwn(object, name);
      if (value === undefined) return;
      writeOwn(object, rewrite.to, value);
      delete object[name];
      return;
    }
    default:
      rewrite satisfies never;
  }
}
