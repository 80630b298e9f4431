// Compiles a mapping, or a template of mappings.
import { type CodeTables, resolveCodes } from './codes.ts';
import { generateEvaluate } from './generate.ts';
import { MappingError } from './lexer.ts';
import { type MappingRoot, type Node, parseMapping } from './parser.ts';
import type { CompiledMapping, MappingReference, MappingScope } from './scope.ts';
import { type MappingShape, shapeOfNode } from './shape.ts';
import { readPieces } from './template.ts';
import { toText } from './values.ts';

export { CODES_MAX, type CodeTable, type CodeTables } from './codes.ts';
export { MappingError } from './lexer.ts';
export type { MappingRoot } from './parser.ts';
export type { CompiledMapping, Mapping, MappingReference, MappingScope } from './scope.ts';
export type { FieldShape, MappingShape } from './shape.ts';

export interface CompileOptions {
  /** The roots that are there where the mapping stands; any other is an error. Default: all. */
  readonly roots?: readonly MappingRoot[];
  /** The tables that `->code` and `->uncode` may name. Default: none. */
  readonly codes?: CodeTables;
}

const NO_CODES: CodeTables = new Map();

export interface TemplateOptions extends CompileOptions {
  /** Applied to the text of every placeholder, never to the text around it: `encodeURIComponent` for a path. Default: as it is. */
  readonly escape?: (text: string) => string;
}

/**
 * Compiles the text of a mapping (docs/mapping.md) once; what it yields is plain data, absent parts are null.
 * `evaluate` never throws on data, whatever its shape, except HubError LIMIT_EXCEEDED when it would make too much text.
 * @throws MappingError with the offset, for whatever is wrong with the text
 */
export function compileMapping(text: string, options: CompileOptions = {}): CompiledMapping {
  const node = resolveCodes(parseMapping(text), options.codes ?? NO_CODES);
  const references = collectReferences(node);
  for (const { root, offset } of references) {
    if (root !== '$' && options.roots?.includes(root) === false)
      throw new MappingError(`'$${root}' is not known here`, offset);
  }
  return { text, shape: shapeOfNode(node), references, evaluate: generateEvaluate(node) };
}

/** The tree of names and lists that a compiled mapping yields. */
export function shapeOf(mapping: CompiledMapping): MappingShape {
  return mapping.shape;
}

/**
 * Compiles a template: text in which `{…}` holds a mapping, and `{{` and `}}` stand for braces.
 * It yields text; null when a placeholder yields null or something that is no plain value, so that half an address is never called.
 * @throws MappingError with the offset into the template
 */
export function compileTemplate(text: string, options: TemplateOptions = {}): CompiledMapping {
  const pieces = readPieces(text).map((piece) =>
    piece.kind === 'text' ? piece.text : compilePlaceholder(piece.text, piece.offset, options),
  );
  const escapeText = options.escape ?? ((value: string) => value);
  return {
    text,
    shape: { kind: 'value', list: false, values: undefined },
    references: pieces.flatMap((piece) => (typeof piece === 'string' ? [] : piece.references)),
    evaluate: (scope) => fillTemplate(pieces, escapeText, scope),
  };
}

function fillTemplate(
  pieces: readonly (string | CompiledMapping)[],
  escapeText: (text: string) => string,
  scope: MappingScope,
): string | null {
  let filled = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      filled += piece;
      continue;
    }
    const text = toText(piece.evaluate(scope));
    if (text === null) return null;
    filled += escapeText(text);
  }
  return filled;
}

/** @param start offset of the placeholder's text in the template, so that mistakes point into the template */
function compilePlaceholder(text: string, start: number, options: CompileOptions): CompiledMapping {
  try {
    const mapping = compileMapping(text, options);
    if (mapping.shape.kind === 'object')
      throw new MappingError('a placeholder holds a value, not an object: begin it with $', 0);
    return {
      ...mapping,
      references: mapping.references.map((reference) => ({ ...reference, offset: start + reference.offset })),
    };
  } catch (thrown) {
    if (thrown instanceof MappingError)
      throw new MappingError(thrown.message, start + thrown.offset, thrown.reason);
    throw thrown;
  }
}

function collectReferences(node: Node): readonly MappingReference[] {
  switch (node.kind) {
    case 'literal':
    case 'current':
    case 'name':
      return [];
    case 'input':
      return [{ root: '$', name: undefined, offset: node.offset }];
    case 'root':
      return [{ root: node.root, name: undefined, offset: node.offset }];
    case 'member':
      if (node.of.kind === 'root') return [{ root: node.of.root, name: node.name, offset: node.of.offset }];
      if (node.of.kind === 'input') return [{ root: '$', name: node.name, offset: node.of.offset }];
      return collectReferences(node.of);
    case 'call':
      return [node.of, ...node.args].flatMap(collectReferences);
    case 'select':
      return [node.of, ...node.entries.map((entry) => entry.value)].flatMap(collectReferences);
    case 'object':
      return node.entries.flatMap((entry) => collectReferences(entry.value));
    case 'list':
      return node.items.flatMap(collectReferences);
    default:
      return node satisfies never;
  }
}
