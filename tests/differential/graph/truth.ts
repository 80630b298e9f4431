// Makes values out of names: every field of every instance has one value, which the monolith and all members compute alike.
import {
  type FieldNode,
  Kind,
  parseType,
  type SelectionSetNode,
  type TypeNode,
  valueFromASTUntyped,
} from 'graphql';
import { hash } from '../random.ts';
import type { Graph, Instance, Position, Truth } from './model.ts';

type Args = Readonly<Record<string, unknown>>;

export interface TruthOptions {
  /** Percent of the nullable values that are null. */
  readonly nullPercent?: number;
  /** Percent of the values of non-null positions that are null all the same. */
  readonly brokenPercent?: number;
  /** Percent of the values in whose place an error is thrown. */
  readonly failingPercent?: number;
  /** The outermost list is never empty. */
  readonly isFilled?: boolean;
}

const LIST_LENGTHS = [1, 2, 3, 2, 3, 1, 2, 0];

/**
 * The truth of a field whose value is a matter of chance.
 * @param leaf the innermost value for a seed that is unique to this field of this instance with these arguments
 */
export function createTruth(
  name: string,
  sdlType: string,
  leaf: (seed: string) => unknown,
  { nullPercent = 12, brokenPercent = 0, failingPercent = 0, isFilled = false }: TruthOptions = {},
): Truth {
  const type = parseType(sdlType);
  const build = (node: TypeNode, seed: string, isNullable: boolean): unknown => {
    if (node.kind === Kind.NON_NULL_TYPE) return build(node.type, seed, false);
    if (hash(`${seed}?`) % 100 < (isNullable ? nullPercent : brokenPercent)) return null;
    if (node.kind === Kind.NAMED_TYPE) return leaf(seed);
    const chosen = LIST_LENGTHS[hash(`${seed}#`) % LIST_LENGTHS.length] ?? 0;
    const length = isFilled ? Math.max(1, chosen) : chosen;
    return Array.from({ length }, (_, index) => build(node.type, `${seed}[${index}]`, true));
  };
  return ({ instance }, args) => {
    const seed = `${instance.type}:${instance.id}.${name}${canonical(args)}`;
    if (hash(`${seed}!`) % 100 < failingPercent) throw new Error(`${name} is broken`);
    const value = build(type, seed, true);
    return Array.isArray(value) && typeof args.first === 'number'
      ? value.slice(0, Math.max(1, args.first))
      : value;
  };
}

/** A leaf of a built-in scalar. */
export function scalarLeaf(scalar: string): (seed: string) => unknown {
  switch (scalar) {
    case 'Int':
      return (seed) => (hash(seed) % 2000) - 1000;
    case 'Float':
      return (seed) => (hash(seed) % 4000) / 8;
    case 'Boolean':
      return (seed) => hash(seed) % 2 === 0;
    case 'ID':
    case 'String':
      return (seed) => `${TEXTS[hash(seed) % TEXTS.length]}${hash(seed).toString(36)}`;
    default:
      throw new Error(`no values of ${scalar}`);
  }
}

const TEXTS = ['', '', '路灯', '"q', '\\', '__proto__', ' ', 'é', '\u2028', '😀', '0'];

/** JSON with keys sorted, undefined left out. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}

export function isInstance(value: unknown): value is Instance {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && 'type' in value && 'id' in value
  );
}

/** @throws Error when nothing is known of the field: then the generator is wrong */
export function truthOf(graph: Graph, type: string, field: string): Truth {
  const own = graph.truths.get(`${type}.${field}`);
  if (own !== undefined) return own;
  for (const [abstract, types] of graph.possible) {
    const inherited = types.includes(type) ? graph.truths.get(`${abstract}.${field}`) : undefined;
    if (inherited !== undefined) return inherited;
  }
  throw new Error(`nothing is known of ${type}.${field}`);
}

/** What is true of an instance, in the shape of a selection: what a correct gateway sends for it. */
export function evaluate(
  graph: Graph,
  instance: Instance,
  selection: SelectionSetNode,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const node of selection.selections) {
    if (node.kind === Kind.FIELD) {
      if (node.name.value === '__typename') continue;
      const position: Position = { instance, contexts: new Map() };
      const value = truthOf(graph, instance.type, node.name.value)(position, argsOf(node));
      result[node.name.value] = evaluateValue(graph, value, node.selectionSet);
    } else if (
      node.kind === Kind.INLINE_FRAGMENT &&
      belongsTo(graph, instance.type, node.typeCondition?.name.value)
    ) {
      Object.assign(result, evaluate(graph, instance, node.selectionSet));
    }
  }
  return result;
}

function evaluateValue(graph: Graph, value: unknown, selection: SelectionSetNode | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => evaluateValue(graph, item, selection));
  return isInstance(value) && selection !== undefined ? evaluate(graph, value, selection) : value;
}

function argsOf(node: FieldNode): Args {
  return Object.fromEntries(
    (node.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
  );
}

export function belongsTo(graph: Graph, type: string, condition: string | undefined): boolean {
  return (
    condition === undefined || type === condition || (graph.possible.get(condition) ?? []).includes(type)
  );
}

/** A representation cut to a selection; undefined where it lacks a part. */
export function project(graph: Graph, value: unknown, selection: SelectionSetNode): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) {
    const items = value.map((item) => project(graph, item, selection));
    return items.includes(undefined) ? undefined : items;
  }
  if (typeof value !== 'object') return undefined;
  const source = value as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  for (const node of selection.selections) {
    if (node.kind === Kind.FIELD) {
      if (node.name.value === '__typename') continue;
      const item = source[node.name.value];
      const part = node.selectionSet === undefined ? item : project(graph, item, node.selectionSet);
      if (part === undefined) return undefined;
      result[node.name.value] = part;
    } else if (node.kind === Kind.INLINE_FRAGMENT) {
      const isNamed = typeof source.__typename === 'string';
      if (isNamed && !belongsTo(graph, String(source.__typename), node.typeCondition?.name.value)) continue;
      const part = project(graph, source, node.selectionSet);
      // Planners send `__typename` within what is required only where the schema's author asked for it.
      if (part === undefined && !isNamed) continue;
      if (part === undefined) return undefined;
      Object.assign(result, part);
    }
  }
  return result;
}

/** The value of a field with `@requires`, out of what it requires: readable, so that a wrong input shows. */
export function requiredText(name: string, id: string, required: unknown): string {
  return `${name}(${id})${canonical(required)}`.slice(0, REQUIRED_CHARS_MAX);
}

const REQUIRED_CHARS_MAX = 400;
