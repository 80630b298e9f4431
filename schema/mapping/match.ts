// Reads the pairs of `->match([known, result], …, [@, default])`.
import { MappingError } from './lexer.ts';
import type { Node } from './parser.ts';
import { toText } from './values.ts';

/** What a match knows; `@` in a result is the value that is looked up. */
export interface MatchPairs {
  /** The text of each known value, with what it becomes, in order. */
  readonly known: ReadonlyMap<string, Node>;
  readonly otherwise: Node | undefined;
}

type Call = Extract<Node, { kind: 'call' }>;

const PAIRS_MAX = 500;

/** @throws MappingError when a pair is no pair, a known value stands twice, or a pair follows the default */
export function readPairs(node: Call): MatchPairs {
  if (node.args.length === 0 || node.args.length > PAIRS_MAX) {
    throw new MappingError(`'match' takes 1 to ${PAIRS_MAX} pairs, got ${node.args.length}`, node.offset);
  }
  const table = new Map<string, Node>();
  let otherwise: Node | undefined;
  for (const pair of node.args) {
    const { known, result } = readPair(pair);
    if (otherwise !== undefined)
      throw new MappingError('no pair can follow the default `[@, …]`', pair.offset);
    if (known.kind === 'current') {
      otherwise = result;
      continue;
    }
    const text = known.kind === 'literal' ? toText(known.value) : null;
    if (text === null)
      throw new MappingError("expected a text, a number, true, false or '@' first in the pair", known.offset);
    if (table.has(text)) throw new MappingError(`'${text}' stands in this match twice`, known.offset);
    table.set(text, result);
  }
  return { known: table, otherwise };
}

function readPair(pair: Node): { readonly known: Node; readonly result: Node } {
  const [known, result, ...rest] = pair.kind === 'list' ? pair.items : [];
  if (known === undefined || result === undefined || rest.length > 0) {
    throw new MappingError("expected a pair like ['10', 'OPEN']", pair.offset);
  }
  return { known, result };
}
