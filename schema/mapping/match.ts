// Compiles `->match([known, result], …, [@, default])` to a table.
import { MappingError } from './lexer.ts';
import type { Node } from './parser.ts';
import type { Evaluate, MappingScope } from './scope.ts';
import { toText } from './values.ts';

/** `value` is what is looked up; `@` in a result is that value. */
export type CompiledMatch = (scope: MappingScope, object: unknown, value: unknown) => unknown;

type Call = Extract<Node, { kind: 'call' }>;

const PAIRS_MAX = 500;

/**
 * @param compileNode how a result is compiled
 * @throws MappingError when a pair is no pair, a known value stands twice, or a pair follows the default
 */
export function compileMatch(node: Call, compileNode: (node: Node) => Evaluate): CompiledMatch {
  if (node.args.length === 0 || node.args.length > PAIRS_MAX) {
    throw new MappingError(`'match' takes 1 to ${PAIRS_MAX} pairs, got ${node.args.length}`, node.offset);
  }
  const table = new Map<string, Evaluate>();
  let otherwise: Evaluate | undefined;
  for (const pair of node.args) {
    const { known, result } = readPair(pair);
    if (otherwise !== undefined)
      throw new MappingError('no pair can follow the default `[@, …]`', pair.offset);
    if (known.kind === 'current') {
      otherwise = compileNode(result);
      continue;
    }
    const text = known.kind === 'literal' ? toText(known.value) : null;
    if (text === null)
      throw new MappingError("expected a text, a number, true, false or '@' first in the pair", known.offset);
    if (table.has(text)) throw new MappingError(`'${text}' stands in this match twice`, known.offset);
    table.set(text, compileNode(result));
  }
  return lookup(table, otherwise);
}

function lookup(table: ReadonlyMap<string, Evaluate>, otherwise: Evaluate | undefined): CompiledMatch {
  return (scope, object, value) => {
    const text = toText(value);
    const result = text === null ? undefined : table.get(text);
    if (result !== undefined) return result(scope, object, value);
    if (otherwise !== undefined) return otherwise(scope, object, value);
    if (value !== null && value !== '') scope.onUnknownValue?.(value);
    return null;
  };
}

function readPair(pair: Node): { readonly known: Node; readonly result: Node } {
  const [known, result, ...rest] = pair.kind === 'list' ? pair.items : [];
  if (known === undefined || result === undefined || rest.length > 0) {
    throw new MappingError("expected a pair like ['10', 'OPEN']", pair.offset);
  }
  return { known, result };
}
