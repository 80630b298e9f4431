// Writes one request text for several entity fetches to one subgraph: `_e0: _entities(representations: $r0) {…} _e1: …`.
import { invariant } from '@weft/core/errors';
import {
  type DefinitionNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  stripIgnoredCharacters,
  visit,
} from 'graphql';
import type { FetchStep, RequiredSelection } from '../plan/planner.ts';
import { bodyStartOf, type CompiledFetch } from './fetches.ts';
import type { KnownTypes } from './known-types.ts';

export interface MergedRequest {
  /** JSON up to the first variable; representations are `r0`, `r1`, … in the order of `aliases`. */
  readonly bodyStart: string;
  readonly aliases: readonly string[];
}

export interface MergedRequests {
  /** The number of the call that the fetch takes part in: fetches of equal text share one. */
  callOf(fetch: CompiledFetch): number;
  /** The request for some of the calls, by their numbers. */
  requestFor(calls: readonly number[]): MergedRequest;
}

/** What of an entity fetch's text is merged. */
interface EntityCall extends Pick<CompiledFetch, 'known'> {
  readonly step: FetchStep;
  readonly operation: OperationDefinitionNode;
  readonly field: FieldNode;
  readonly fragments: readonly FragmentDefinitionNode[];
}

/** Request texts that are kept for one group; a call that has no representation is left out of its request. */
const TEXTS_MAX = 32;

/**
 * Undefined when the fetches cannot share a request: one of them is no plain `_entities` call, or two declare one variable
 * differently.
 */
export function compileMergedRequests(fetches: readonly CompiledFetch[]): MergedRequests | undefined {
  const calls: EntityCall[] = [];
  const numberByText = new Map<string, number>();
  const callByFetch = new Map<number, number>();
  for (const fetch of fetches) {
    const { number } = fetch;
    const call = readCall(fetch);
    if (call === undefined) return undefined;
    callByFetch.set(
      number,
      numberByText.getOrInsertComputed(textOf(call), () => calls.push(call) - 1),
    );
  }
  if (declareDifferently(calls)) return undefined;
  const texts = new Map<string, MergedRequest>();
  return {
    callOf(fetch) {
      const call = callByFetch.get(fetch.number);
      invariant(call !== undefined, 'a fetch is in the group that it was merged in');
      return call;
    },
    requestFor(numbers) {
      const key = numbers.join(',');
      if (texts.size >= TEXTS_MAX && !texts.has(key)) texts.clear();
      return texts.getOrInsertComputed(key, () =>
        writeRequest(numbers.flatMap((number) => calls[number] ?? [])),
      );
    },
  };
}

function readCall({ step, known }: CompiledFetch): EntityCall | undefined {
  const { definitions } = parse(step.operation, { noLocation: true });
  const operation = definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  const [field, second] = operation?.selectionSet.selections ?? [];
  if (operation === undefined || second !== undefined || field?.kind !== Kind.FIELD) return undefined;
  const isPlain =
    field.name.value === '_entities' &&
    field.alias === undefined &&
    (field.directives?.length ?? 0) === 0 &&
    (operation.directives?.length ?? 0) === 0;
  if (!isPlain) return undefined;
  return {
    step,
    known,
    operation,
    field,
    fragments: definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION),
  };
}

/** Equal for calls that ask the same of objects of which the same is known, and are rewritten alike, whatever the planner named them. */
function textOf({ step, known, operation, fragments }: EntityCall): string {
  const { name: _name, ...unnamed } = operation;
  const text = [print(unnamed), ...fragments.map((fragment) => print(fragment))];
  const types = typesAt(known, step.path, step.requires ?? []);
  return JSON.stringify([text, step.requires, step.inputRewrites, step.outputRewrites, types]);
}

/** Known types of what is sent, in the order of what is required; null where objects say themselves what they are. */
function typesAt(
  known: KnownTypes,
  path: readonly string[],
  selections: readonly RequiredSelection[],
): readonly unknown[] {
  const below = selections.map((selection) =>
    selection.selections === undefined
      ? []
      : typesAt(known, selection.kind === 'field' ? [...path, selection.name] : path, selection.selections),
  );
  return [known.at(path) ?? null, ...below];
}

function declareDifferently(calls: readonly EntityCall[]): boolean {
  const declared = new Map<string, string>();
  for (const { operation } of calls) {
    for (const definition of operation.variableDefinitions ?? []) {
      const name = definition.variable.name.value;
      if (name === 'representations') continue;
      const text = print(definition);
      if (declared.getOrInsert(name, text) !== text) return true;
      // The names that the merged representations take.
      if (/^r[0-9]+$/.test(name)) return true;
    }
  }
  return false;
}

function writeRequest(calls: readonly EntityCall[]): MergedRequest {
  const variables = new Map<string, string>();
  const fields: string[] = [];
  const fragments: DefinitionNode[] = [];
  for (const [index, call] of calls.entries()) {
    for (const definition of call.operation.variableDefinitions ?? []) {
      const name = definition.variable.name.value;
      if (name === 'representations') variables.set(`r${index}`, `$r${index}: ${print(definition.type)}`);
      else variables.set(name, print(definition));
    }
    const own = call.fragments.map((fragment) => renameFragments(fragment, index));
    fragments.push(...own);
    const field = renameFragments(call.field, index);
    fields.push(`_e${index}: ${print({ ...field, arguments: [representationsArgument(index)] })}`);
  }
  const operationName = calls[0]?.step.operationName;
  const head = `query ${operationName ?? ''}(${[...variables.values()].join(', ')})`;
  const query = [`${head} { ${fields.join(' ')} }`, ...fragments.map((fragment) => print(fragment))].join(
    '\n',
  );
  return {
    bodyStart: bodyStartOf(stripIgnoredCharacters(query), operationName),
    aliases: calls.map((_call, index) => `_e${index}`),
  };
}

function representationsArgument(index: number): NonNullable<FieldNode['arguments']>[number] {
  return {
    kind: Kind.ARGUMENT,
    name: { kind: Kind.NAME, value: 'representations' },
    value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: `r${index}` } },
  };
}

/** Two texts may name different fragments alike. */
function renameFragments<Node extends FieldNode | FragmentDefinitionNode>(node: Node, index: number): Node {
  return visit(node, {
    FragmentSpread: (spread) => ({
      ...spread,
      name: { ...spread.name, value: `${spread.name.value}_e${index}` },
    }),
    FragmentDefinition: (fragment) => ({
      ...fragment,
      name: { ...fragment.name, value: `${fragment.name.value}_e${index}` },
    }),
  });
}
