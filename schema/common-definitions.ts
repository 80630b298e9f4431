// Gives an SDL document the definitions of common.graphql that it uses without defining them.
import { readFileSync } from 'node:fs';
import { type DocumentNode, Kind, parse, print, Source } from 'graphql';
import { definitionsByType, referencedTypes } from './type-references.ts';

const COMMON = parse(readFileSync(new URL('./common.graphql', import.meta.url), 'utf8'), {
  noLocation: true,
});
const COMMON_BY_TYPE = definitionsByType(COMMON);

/** Names of the types of `schema/common.graphql`, which belong to no system. */
export const COMMON_TYPES: ReadonlySet<string> = new Set(COMMON_BY_TYPE.keys());

/**
 * The SDL with every definition of `schema/common.graphql` that it names, directly or through another one, and does
 * not define. Adding twice adds nothing.
 * @param file named in the syntax error that graphql throws
 */
export function withCommonDefinitions(sdl: string, file = 'SDL'): string {
  const document = parse(new Source(sdl, file));
  const completed = addCommonDefinitions(document);
  return completed === document ? sdl : print(completed);
}

/** The same on a syntax tree; the tree itself when nothing is missing. */
export function addCommonDefinitions(document: DocumentNode): DocumentNode {
  const defined = new Set(definitionsByType(document).keys());
  const definitions = [...document.definitions];
  // Grows while it is walked: what is added may name more.
  for (const definition of definitions) {
    for (const name of referencedTypes(definition)) {
      if (defined.has(name)) continue;
      const common = COMMON_BY_TYPE.get(name);
      if (common === undefined) continue;
      defined.add(name);
      definitions.push(...common);
    }
  }
  return definitions.length === document.definitions.length ? document : { kind: Kind.DOCUMENT, definitions };
}
