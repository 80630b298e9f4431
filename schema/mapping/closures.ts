// Turns the syntax tree of a mapping into closures.
import { CODE_METHODS } from './codes.ts';
import { MappingError } from './lexer.ts';
import { type CompiledMatch, compileMatch } from './match.ts';
import { METHODS } from './methods.ts';
import type { Entry, MappingRoot, Node } from './parser.ts';
import type { Evaluate } from './scope.ts';
import { readOwn } from './values.ts';

/** The closure of a whole mapping: the outermost object is no nested one and stays, even when every entry is null. */
export function compileRootNode(node: Node): Evaluate {
  return node.kind === 'object' ? compileEntries(node.entries) : compileNode(node);
}

function compileNode(node: Node): Evaluate {
  switch (node.kind) {
    case 'literal':
      return () => node.value;
    case 'input':
      return (scope) => scope.$ ?? null;
    case 'current':
      return (_scope, _object, current) => current;
    case 'root':
      return compileRoot(node.root);
    case 'name':
      return (_scope, object) => readOwn(object, node.name);
    case 'member':
      return compileMember(node.of, node.name);
    case 'call':
      return compileCall(node);
    case 'select':
      return compileSelect(node.of, node.entries);
    case 'object':
      return compileNestedObject(node.entries);
    case 'list':
      return compileList(node.items);
    default:
      return node satisfies never;
  }
}

function compileRoot(root: MappingRoot): Evaluate {
  return (scope) => scope[root] ?? null;
}

function compileMember(of: Node, name: string): Evaluate {
  const owner = compileNode(of);
  return (scope, object, current) => readOwn(owner(scope, object, current), name);
}

const NO_ARGUMENTS: readonly unknown[] = [];

function compileCall(node: Extract<Node, { kind: 'call' }>): Evaluate {
  const receiver = compileNode(node.of);
  if (node.method === 'match') return callMatch(receiver, compileMatch(node, compileNode));
  const method = METHODS.get(node.method);
  if (method === undefined) {
    throw new MappingError(
      `unknown method '${node.method}': known are ${['match', ...CODE_METHODS, ...METHODS.keys()].sort().join(', ')}`,
      node.offset,
      'UNKNOWN_METHOD',
    );
  }
  checkArguments(node, method.argsMin, method.argsMax);
  const args = node.args.map(compileNode);
  const [first] = args;
  if (first === undefined)
    return (scope, object, current) => method.apply(receiver(scope, object, current), NO_ARGUMENTS, scope);
  if (args.length === 1) {
    return (scope, object, current) => {
      const value = receiver(scope, object, current);
      return method.apply(value, [first(scope, object, value)], scope);
    };
  }
  return (scope, object, current) => {
    const value = receiver(scope, object, current);
    return method.apply(
      value,
      args.map((arg) => arg(scope, object, value)),
      scope,
    );
  };
}

function checkArguments(node: Extract<Node, { kind: 'call' }>, argsMin: number, argsMax: number): void {
  const count = node.args.length;
  if (count < argsMin || count > argsMax) {
    const expected = argsMin === argsMax ? `${argsMin}` : `${argsMin} to ${argsMax}`;
    throw new MappingError(
      `'${node.method}' takes ${expected} argument${expected === '1' ? '' : 's'}, got ${count}`,
      node.offset,
    );
  }
  const [only] = node.args;
  if ((node.method === 'eq' || node.method === 'under') && only?.kind === 'literal' && only.value === null) {
    // A null argument means that no filter was asked for: written out it would be true for everything.
    throw new MappingError(
      `'${node.method}(null)' is always true; ask for null with \`->ne(null)->not\``,
      only.offset,
    );
  }
}

function callMatch(receiver: Evaluate, match: CompiledMatch): Evaluate {
  return (scope, object, current) => match(scope, object, receiver(scope, object, current));
}

function compileSelect(of: Node, entries: readonly Entry[]): Evaluate {
  const source = compileNode(of);
  const build = compileEntries(entries);
  return (scope, object, current) => {
    const value = source(scope, object, current);
    if (!Array.isArray(value))
      return typeof value === 'object' && value !== null ? build(scope, value, value) : null;
    return value.map((item: unknown) =>
      typeof item === 'object' && item !== null ? build(scope, item, item) : null,
    );
  };
}

function compileEntries(entries: readonly Entry[]): Evaluate {
  const compiled = entries.map((entry) => ({ name: entry.name, evaluate: compileNode(entry.value) }));
  return (scope, object, current) => {
    const result: Record<string, unknown> = {};
    for (const { name, evaluate } of compiled) result[name] = evaluate(scope, object, current);
    return result;
  };
}

/** An object in braces refers to something: when all it says of it is null, there is nothing. */
function compileNestedObject(entries: readonly Entry[]): Evaluate {
  const compiled = entries.map((entry) => ({ name: entry.name, evaluate: compileNode(entry.value) }));
  return (scope, object, current) => {
    const result: Record<string, unknown> = {};
    let known = false;
    for (const { name, evaluate } of compiled) {
      const value = evaluate(scope, object, current);
      result[name] = value;
      known ||= value !== null;
    }
    return known ? result : null;
  };
}

function compileList(items: readonly Node[]): Evaluate {
  const compiled = items.map(compileNode);
  return (scope, object, current) => compiled.map((evaluate) => evaluate(scope, object, current));
}
