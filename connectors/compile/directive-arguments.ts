// Checks the arguments of connector directives against directives.graphql, and reads them with their defaults.
import { readFileSync } from 'node:fs';
import {
  type ASTNode,
  type ConstDirectiveNode,
  type ConstValueNode,
  type InputValueDefinitionNode,
  Kind,
  parse,
  print,
  type StringValueNode,
  type TypeNode,
} from 'graphql';
import type { IssueList } from './build-issues.ts';
import { parseDurationMs } from './duration.ts';

const DEFINITIONS = parse(readFileSync(new URL('./directives.graphql', import.meta.url), 'utf8'), {
  noLocation: true,
});

const DIRECTIVES = new Map(
  DEFINITIONS.definitions.flatMap((node) =>
    node.kind === Kind.DIRECTIVE_DEFINITION ? [[node.name.value, node.arguments ?? []] as const] : [],
  ),
);
const INPUTS = new Map(
  DEFINITIONS.definitions.flatMap((node) =>
    node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ? [[node.name.value, node.fields ?? []] as const] : [],
  ),
);
const ENUMS = new Map(
  DEFINITIONS.definitions.flatMap((node) =>
    node.kind === Kind.ENUM_TYPE_DEFINITION
      ? [[node.name.value, (node.values ?? []).map((value) => value.name.value)] as const]
      : [],
  ),
);

/** The directives that connectors understand, by name, with where they may stand (`OBJECT`, `SCHEMA`, …). */
export const CONNECTOR_DIRECTIVES: ReadonlyMap<
  string,
  { readonly locations: readonly string[]; readonly repeatable: boolean }
> = new Map(
  DEFINITIONS.definitions.flatMap((node) =>
    node.kind === Kind.DIRECTIVE_DEFINITION
      ? [
          [
            node.name.value,
            { locations: node.locations.map((place) => place.value), repeatable: node.repeatable },
          ] as const,
        ]
      : [],
  ),
);

/** The arguments of a directive, or the fields of an input object, that were found good; absent ones have their default. */
export class Arguments {
  readonly node: ASTNode;
  readonly #values: ReadonlyMap<string, ConstValueNode>;
  readonly #types: ReadonlyMap<string, InputValueDefinitionNode>;

  constructor(
    node: ASTNode,
    values: ReadonlyMap<string, ConstValueNode>,
    types: readonly InputValueDefinitionNode[],
  ) {
    this.node = node;
    this.#values = values;
    this.#types = new Map(types.map((type) => [type.name.value, type]));
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value as it stands, for its place; the directive itself when it is absent or a default. */
  nodeOf(name: string): ASTNode {
    const value = this.#values.get(name);
    return value?.loc === undefined ? this.node : value;
  }

  string(name: string): StringValueNode | undefined {
    const value = this.#values.get(name);
    return value?.kind === Kind.STRING ? value : undefined;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
  }

  /** For arguments that are required or have a default. */
  requiredText(name: string): string {
    return this.text(name) ?? '';
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return value?.kind === Kind.INT || value?.kind === Kind.FLOAT ? Number(value.value) : undefined;
  }

  flag(name: string): boolean {
    const value = this.#values.get(name);
    return value?.kind === Kind.BOOLEAN && value.value;
  }

  durationMs(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseDurationMs(text);
  }

  object(name: string): Arguments | undefined {
    const value = this.#values.get(name);
    const type = this.#types.get(name);
    if (value?.kind !== Kind.OBJECT || type === undefined) return undefined;
    return withDefaults(
      value.loc === undefined ? this.node : value,
      value.fields,
      INPUTS.get(typeName(type.type)) ?? [],
    );
  }

  /** Which of `names` are there. */
  present(names: readonly string[]): readonly string[] {
    return names.filter((name) => this.#values.has(name));
  }
}

interface Given {
  readonly name: { readonly value: string };
  readonly value: ConstValueNode;
}

/** The arguments of a connector directive; undefined when any of them is not acceptable, which is then in `issues`. */
export function readArguments(directive: ConstDirectiveNode, issues: IssueList): Arguments | undefined {
  const types = DIRECTIVES.get(directive.name.value) ?? [];
  const given = directive.arguments ?? [];
  const before = issues.errors.length;
  checkFields(directive, `@${directive.name.value}`, given, types, issues);
  return issues.errors.length > before ? undefined : withDefaults(directive, given, types);
}

function withDefaults(
  node: ASTNode,
  given: readonly Given[],
  types: readonly InputValueDefinitionNode[],
): Arguments {
  const values = new Map<string, ConstValueNode>();
  for (const type of types)
    if (type.defaultValue !== undefined) values.set(type.name.value, type.defaultValue);
  for (const { name, value } of given) if (value.kind !== Kind.NULL) values.set(name.value, value);
  return new Arguments(node, values, types);
}

function checkFields(
  node: ASTNode,
  owner: string,
  given: readonly (Given & ASTNode)[],
  types: readonly InputValueDefinitionNode[],
  issues: IssueList,
  around?: Around,
): void {
  const known = new Map(types.map((type) => [type.name.value, type]));
  for (const field of given) {
    const type = known.get(field.name.value);
    if (type === undefined) {
      const isAround = around?.types.some(({ name }) => name.value === field.name.value) === true;
      issues.add(
        'UNKNOWN_ARGUMENT',
        field,
        `${owner} has no argument '${field.name.value}'`,
        isAround
          ? `${around.owner} has it: write it beside, not inside`
          : `known are ${[...known.keys()].join(', ')}`,
      );
    } else if (field.value.kind !== Kind.NULL)
      checkValue(`${owner} ${field.name.value}`, field.value, type.type, issues, { owner, types });
  }
  for (const type of types) {
    if (type.type.kind !== Kind.NON_NULL_TYPE || type.defaultValue !== undefined) continue;
    const value = given.find((field) => field.name.value === type.name.value)?.value;
    if (value === undefined || value.kind === Kind.NULL) {
      issues.add(
        'MISSING_ARGUMENT',
        node,
        `${owner} needs '${type.name.value}'`,
        `give it a ${typeName(type.type)}`,
      );
    }
  }
}

/** What an object of arguments stands in. */
interface Around {
  readonly owner: string;
  readonly types: readonly InputValueDefinitionNode[];
}

function checkValue(
  owner: string,
  value: ConstValueNode,
  type: TypeNode,
  issues: IssueList,
  around: Around,
): void {
  const name = typeName(type);
  const input = INPUTS.get(name);
  if (input !== undefined && value.kind === Kind.OBJECT) {
    checkFields(value, owner, value.fields, input, issues, around);
    return;
  }
  const expected = input === undefined ? expectedOf(name, value) : 'an object in braces';
  if (expected !== undefined) {
    issues.add('BAD_VALUE', value, `${owner} is ${print(value)}`, `expected ${expected}`);
  }
}

/** What was expected, when the value is something else. */
function expectedOf(type: string, value: ConstValueNode): string | undefined {
  const values = ENUMS.get(type);
  if (values !== undefined) {
    return value.kind === Kind.ENUM && values.includes(value.value)
      ? undefined
      : `one of ${values.join(', ')}`;
  }
  switch (type) {
    case 'Int':
      return value.kind === Kind.INT ? undefined : 'a whole number';
    case 'Float':
      return value.kind === Kind.INT || value.kind === Kind.FLOAT ? undefined : 'a number';
    case 'Boolean':
      return value.kind === Kind.BOOLEAN ? undefined : 'true or false';
    case 'Duration':
      return value.kind === Kind.STRING && parseDurationMs(value.value) !== undefined
        ? undefined
        : 'a duration above 0 like "800ms", "5s", "10m", "24h" or "3d"';
    default:
      return value.kind === Kind.STRING && value.value.trim() !== ''
        ? undefined
        : 'a text in double quotes that is not empty';
  }
}

function typeName(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : typeName(type.type);
}
