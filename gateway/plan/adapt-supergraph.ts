// Rewrites a supergraph so that planners plan rightly what they otherwise do not.
import {
  type ArgumentNode,
  type ConstDirectiveNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  Kind,
  parse,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { createExternalUses, type ExternalUses } from './external-uses.ts';

/** A field with one set of arguments that some `@requires` asks for, as the planner sees it. */
export interface RequiredVariant {
  readonly field: string;
  readonly arguments: readonly ArgumentNode[];
}

export interface AdaptedSupergraph {
  readonly sdl: string;
  /** By the stand-in's name, which no schema of a client has. */
  readonly variants: ReadonlyMap<string, RequiredVariant>;
  /** What a field requires of its entity, and stand-ins at any depth: by `GRAPH_ENUM_VALUE Type.field`. */
  readonly requirements: ReadonlyMap<string, ReadonlySet<string>>;
  /** Fields of entities that some key selects. */
  readonly keyFields: ReadonlySet<string>;
}

const VARIANT_PREFIX = '_weft_required_';

interface Adapting {
  readonly variants: Map<string, RequiredVariant>;
  readonly requirements: Map<string, Set<string>>;
  readonly uses: ExternalUses;
}

/**
 * What changes, and why:
 * - A field that is required with arguments gets a stand-in without arguments for each set of them: planners merge fields by
 *   response name, and would take `price(currency: "EUR")` for the client's `price(currency: "USD")`.
 * - Keys with `resolvable: false` go: planners never enter by them, yet may put them into representations.
 */
export function adaptSupergraph(supergraphSdl: string): AdaptedSupergraph {
  const document = parse(supergraphSdl, { noLocation: true });
  const adapting: Adapting = {
    variants: new Map(),
    requirements: new Map(),
    uses: createExternalUses(document),
  };
  const mend = <Node extends TypeNode>(node: Node) => mendType(node, adapting);
  const mended = visit(document, { ObjectTypeDefinition: mend, InterfaceTypeDefinition: mend });
  const { variants, requirements } = adapting;
  const keyFields = readKeyFields(mended);
  return { sdl: print(addStandIns(mended, adapting)), variants, requirements, keyFields };
}

interface TypeNode {
  readonly name: { readonly value: string };
  readonly directives?: readonly ConstDirectiveNode[];
  readonly fields?: readonly FieldDefinitionNode[];
}

function mendType<Node extends TypeNode>(node: Node, adapting: Adapting): Node {
  const fields = node.fields?.map((field) => ({
    ...field,
    directives: field.directives?.map((directive) =>
      directive.name.value === 'join__field'
        ? mendRequires(directive, node.name.value, field.name.value, adapting)
        : directive,
    ),
  }));
  return { ...node, directives: node.directives?.map(withoutDeadKey), fields };
}

function withoutDeadKey(directive: ConstDirectiveNode): ConstDirectiveNode {
  const isDead = directive.arguments?.some(
    ({ name, value }) => name.value === 'resolvable' && value.kind === Kind.BOOLEAN && !value.value,
  );
  if (directive.name.value !== 'join__type' || !isDead) return directive;
  const kept = directive.arguments?.filter(({ name }) => name.value !== 'key' && name.value !== 'resolvable');
  return { ...directive, arguments: kept ?? [] };
}

function mendRequires(
  directive: ConstDirectiveNode,
  type: string,
  field: string,
  { variants, requirements, uses }: Adapting,
): ConstDirectiveNode {
  const graph = argumentOf(directive, 'graph') ?? '';
  const required = argumentOf(directive, 'requires');
  if (required === undefined) return directive;
  const names = new Set<string>();
  const standIns = new Set<string>();
  const mended = visit(parseFieldSet(required), {
    Field: {
      leave(node) {
        if ((node.arguments ?? []).length === 0) return undefined;
        const name = standInFor(node, variants);
        standIns.add(name);
        return { ...node, name: { ...node.name, value: name }, arguments: [] };
      },
    },
  });
  uses.add(graph, type, mended, (name) => variants.get(name)?.field);
  addTopFields(mended, names);
  requirements.set(`${graph} ${type}.${field}`, names.union(standIns));
  if (standIns.size === 0) return directive;
  const text = print(mended).slice(1, -1).replace(/\s+/g, ' ').trim();
  return {
    ...directive,
    arguments: (directive.arguments ?? []).map((argument) =>
      argument.name.value === 'requires'
        ? { ...argument, value: { kind: Kind.STRING, value: text } }
        : argument,
    ),
  };
}

function addTopFields(selectionSet: SelectionSetNode, names: Set<string>): void {
  for (const node of selectionSet.selections) {
    if (node.kind === Kind.FIELD) names.add(node.name.value);
    else if (node.kind === Kind.INLINE_FRAGMENT) addTopFields(node.selectionSet, names);
  }
}

function readKeyFields(document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(document, {
    Directive(directive) {
      const key = directive.name.value === 'join__type' ? argumentOf(directive, 'key') : undefined;
      if (key !== undefined) addTopFields(parseFieldSet(key), names);
    },
  });
  return names;
}

function parseFieldSet(text: string): SelectionSetNode {
  const [operation] = parse(`{ ${text} }`, { noLocation: true }).definitions;
  // The text is the composer's own: it is an operation with one selection set.
  return (operation as { readonly selectionSet: SelectionSetNode }).selectionSet;
}

function standInFor(node: FieldNode, variants: Map<string, RequiredVariant>): string {
  const field = node.name.value;
  const given = [...(node.arguments ?? [])].sort((a, b) => (a.name.value < b.name.value ? -1 : 1));
  const text = given.map(print).join();
  for (const [name, variant] of variants) {
    if (variant.field === field && variant.arguments.map(print).join() === text) return name;
  }
  const name = `${VARIANT_PREFIX}${variants.size}`;
  variants.set(name, { field, arguments: given });
  return name;
}

/** Beside every field of the name, whatever the type: so an interface and what implements it agree. */
function addStandIns(document: DocumentNode, { variants, uses }: Adapting): DocumentNode {
  if (variants.size === 0) return document;
  const add = <Node extends TypeNode>(node: Node): Node => ({
    ...node,
    fields: node.fields?.flatMap((field) => {
      const standIns = [...variants].filter(([, variant]) => variant.field === field.name.value);
      if (standIns.length === 0) return [field];
      const type = node.name.value;
      return [
        withUsedExternals(field, type, field.name.value, uses),
        ...standIns.map(([name]) => ({
          ...withUsedExternals(field, type, name, uses),
          name: { ...field.name, value: name },
          arguments: [],
        })),
      ];
    }),
  });
  return visit(document, { ObjectTypeDefinition: add, InterfaceTypeDefinition: add });
}

/** A planner refuses an `@external` field that its subgraph has no use for. */
function withUsedExternals(
  field: FieldDefinitionNode,
  type: string,
  name: string,
  uses: ExternalUses,
): FieldDefinitionNode {
  const directives = field.directives?.filter((directive) => {
    const isExternal = directive.arguments?.some(
      (argument) =>
        argument.name.value === 'external' && argument.value.kind === Kind.BOOLEAN && argument.value.value,
    );
    if (directive.name.value !== 'join__field' || isExternal !== true) return true;
    return uses.has(argumentOf(directive, 'graph') ?? '', type, name);
  });
  return { ...field, directives: directives ?? [] };
}

function argumentOf(directive: DirectiveNode, name: string): string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
}
