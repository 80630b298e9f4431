// Compiles the mappings and templates that stand in directive arguments, and checks what they read.
import {
  type CompiledMapping,
  compileMapping,
  compileTemplate,
  MappingError,
  type MappingRoot,
  type TemplateOptions,
} from '@weft/schema/mapping/compile';
import type { StringValueNode } from 'graphql';
import type { IssueList } from './build-issues.ts';
import type { Arguments } from './directive-arguments.ts';

/** The roots that are there where a mapping stands, each with the names that can be read of it; undefined names: any. */
export type Readable = Readonly<Partial<Record<MappingRoot | '$', readonly string[] | undefined>>>;

/** A mapping with the string it stood in, so that later checks can point into it. */
export interface PlacedMapping {
  readonly mapping: CompiledMapping;
  readonly node: StringValueNode;
}

/** The mapping in the argument `name`; undefined when it is absent or wrong, which is then in `issues`. */
export function readMapping(
  from: Arguments,
  name: string,
  readable: Readable,
  issues: IssueList,
): PlacedMapping | undefined {
  const node = from.string(name);
  return node === undefined
    ? undefined
    : compilePlaced(node, readable, issues, (text, roots) =>
        compileMapping(text, { roots, codes: issues.codes }),
      );
}

/** As `readMapping`, for a template. */
export function readTemplate(
  from: Arguments,
  name: string,
  readable: Readable,
  issues: IssueList,
  options: TemplateOptions = {},
): PlacedMapping | undefined {
  const node = from.string(name);
  return node === undefined
    ? undefined
    : compilePlaced(node, readable, issues, (text, roots) => compileTemplate(text, { ...options, roots }));
}

function compilePlaced(
  node: StringValueNode,
  readable: Readable,
  issues: IssueList,
  compile: (text: string, roots: readonly MappingRoot[]) => CompiledMapping,
): PlacedMapping | undefined {
  try {
    const mapping = compile(node.value, rootsOf(readable));
    return checkReferences(mapping, node, readable, issues) ? { mapping, node } : undefined;
  } catch (thrown) {
    if (!(thrown instanceof MappingError)) throw thrown;
    const code = thrown.reason === 'UNKNOWN_METHOD' ? 'UNKNOWN_METHOD' : 'BAD_MAPPING';
    issues.addInText(code, node, thrown.offset, thrown.message, 'docs/mapping.md has the grammar');
    return undefined;
  }
}

function rootsOf(readable: Readable): readonly MappingRoot[] {
  return Object.keys(readable).filter((root): root is MappingRoot => root !== '$');
}

/** What to do where a root has nothing to read. */
function nothingOf(root: MappingRoot | '$', name: string): string {
  return root === 'args'
    ? `the field has no arguments: declare ${name}`
    : 'there is nothing to read of it here: docs/mapping.md says what can be read where';
}

function checkReferences(
  mapping: CompiledMapping,
  node: StringValueNode,
  readable: Readable,
  issues: IssueList,
): boolean {
  let good = true;
  for (const { root, name, offset } of mapping.references) {
    const names = readable[root];
    if (names === undefined || name === undefined || names.includes(name)) continue;
    good = false;
    const known = names.length === 0 ? nothingOf(root, name) : `known are ${names.join(', ')}`;
    issues.addInText(
      'BAD_MAPPING',
      node,
      offset,
      `'${root === '$' ? '$' : `$${root}`}.${name}' does not exist`,
      known,
    );
  }
  return good;
}
