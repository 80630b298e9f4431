// One system's SDL, with the questions that lints ask of it.
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type FieldDefinitionNode,
  GraphQLError,
  Kind,
  type NameNode,
  parse,
  type StringValueNode,
} from 'graphql';
import { readFederationNames } from '../carried-directives.ts';
import type { Subgraph } from '../compose.ts';

const FEDERATION_DIRECTIVES = [
  'key',
  'external',
  'override',
  'inaccessible',
  'authenticated',
  'requiresScopes',
  'policy',
  'listSize',
] as const;

export type FederationDirective = (typeof FEDERATION_DIRECTIVES)[number];

/** Whose fields are the entrances of the graph. */
export const ROOT_TYPES: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);

/** A type of one system: its definition with its extensions. */
export interface MemberType {
  readonly name: string;
  readonly kind: 'object' | 'interface' | 'union' | 'enum' | 'input' | 'scalar';
  readonly isDescribed: boolean;
  readonly description: string;
  readonly directives: readonly ConstDirectiveNode[];
  /** Of objects and interfaces. */
  readonly fields: readonly FieldDefinitionNode[];
  readonly interfaces: ReadonlySet<string>;
  /** Of an enum: whether each of its values has a description. */
  readonly areValuesDescribed: boolean;
  /** Every name in its `@key`s; nested ones too. */
  readonly keyFields: ReadonlySet<string>;
}

export interface LintMember {
  readonly name: string;
  readonly types: ReadonlyMap<string, MemberType>;
  /** Whether a node has the federation directive, under whatever name the document gives it. */
  has(node: Directed, ...directives: readonly FederationDirective[]): boolean;
  /** The directive's argument, of its first use; undefined without. */
  argument(node: Directed, directive: FederationDirective, name: string): ConstDirectiveNode['arguments'];
}

export interface Directed {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** Of systems whose SDL is no GraphQL nothing: composition says that. */
export function readMembers(subgraphs: readonly Subgraph[]): readonly LintMember[] {
  return subgraphs.flatMap((subgraph) => {
    const definitions = definitionsOf(subgraph.sdl);
    return definitions === undefined ? [] : [readMember(subgraph.name, definitions)];
  });
}

function definitionsOf(sdl: string): readonly DefinitionNode[] | undefined {
  try {
    return parse(sdl, { noLocation: true }).definitions;
  } catch (thrown) {
    if (thrown instanceof GraphQLError) return undefined;
    throw thrown;
  }
}

function readMember(name: string, definitions: readonly DefinitionNode[]): LintMember {
  const document = { kind: Kind.DOCUMENT as const, definitions };
  const linked = readFederationNames(document, FEDERATION_DIRECTIVES);
  // Without a link it is a document of Federation 1, where they have their own names.
  const meaning = (local: string) => (linked.size === 0 ? local : linked.get(local));
  const has: LintMember['has'] = ({ directives }, ...wanted) =>
    directives?.some((one) => wanted.some((directive) => meaning(one.name.value) === directive)) ?? false;
  const argument: LintMember['argument'] = ({ directives }, directive, argumentName) =>
    directives
      ?.find((one) => meaning(one.name.value) === directive)
      ?.arguments?.filter((one) => one.name.value === argumentName);
  const isKey = (directive: ConstDirectiveNode) => meaning(directive.name.value) === 'key';
  const byType = Map.groupBy(definitions, (node) => typeNameOf(node) ?? '');
  byType.delete('');
  const types = [...byType].map(([type, nodes]) => [type, joinNodes(type, nodes, isKey)] as const);
  return { name, types: new Map(types), has, argument };
}

function typeNameOf(node: DefinitionNode): string | undefined {
  return kindOf(node) === undefined ? undefined : (node as { readonly name: NameNode }).name.value;
}

function kindOf(node: DefinitionNode): MemberType['kind'] | undefined {
  switch (node.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.OBJECT_TYPE_EXTENSION:
      return 'object';
    case Kind.INTERFACE_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_EXTENSION:
      return 'interface';
    case Kind.UNION_TYPE_DEFINITION:
    case Kind.UNION_TYPE_EXTENSION:
      return 'union';
    case Kind.ENUM_TYPE_DEFINITION:
    case Kind.ENUM_TYPE_EXTENSION:
      return 'enum';
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
    case Kind.INPUT_OBJECT_TYPE_EXTENSION:
      return 'input';
    case Kind.SCALAR_TYPE_DEFINITION:
    case Kind.SCALAR_TYPE_EXTENSION:
      return 'scalar';
    default:
      return undefined;
  }
}

function joinNodes(
  name: string,
  nodes: readonly DefinitionNode[],
  isKey: (directive: ConstDirectiveNode) => boolean,
): MemberType {
  const [first] = nodes;
  const described = nodes.flatMap((node) => textOf(node) ?? []);
  const directives = nodes.flatMap((node) => (node as Directed).directives ?? []);
  const keyFields = directives.filter(isKey).flatMap((directive) => {
    const value = directive.arguments?.find((one) => one.name.value === 'fields')?.value;
    return value?.kind === Kind.STRING ? (value.value.match(/\w+/g) ?? []) : [];
  });
  const values = nodes.flatMap((node) => ('values' in node ? (node.values ?? []) : []));
  const isFielded = (kind: MemberType['kind'] | undefined) => kind === 'object' || kind === 'interface';
  return {
    name,
    kind: (first === undefined ? undefined : kindOf(first)) ?? 'object',
    isDescribed: described.length > 0,
    description: described.join('\n'),
    directives,
    fields: nodes.flatMap((node) =>
      isFielded(kindOf(node))
        ? ((node as { readonly fields?: readonly FieldDefinitionNode[] }).fields ?? [])
        : [],
    ),
    interfaces: new Set(
      nodes
        .flatMap((node) => ('interfaces' in node ? (node.interfaces ?? []) : []))
        .map((one) => one.name.value),
    ),
    areValuesDescribed: values.length > 0 && values.every((value) => textOf(value) !== undefined),
    keyFields: new Set(keyFields),
  };
}

/** The description of a node; undefined without, and when it is blank. */
export function textOf(node: object): string | undefined {
  const { description } = node as { readonly description?: StringValueNode };
  const text = description?.value.trim();
  return text === '' ? undefined : text;
}
