// Makes variants of a supergraph by tags: what a filter leaves out becomes `@inaccessible`.
import { errorCauses, Supergraph } from '@apollo/federation-internals';
import { OperatorError } from '@weft/core/errors';
import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  GraphQLError,
  Kind,
  parse,
  print,
  validateSchema,
  visit,
} from 'graphql';
import { type Composition, compose, type Subgraph } from '../compose.ts';
import { place } from '../composition-problems.ts';
import { type Problem, sortProblems, type UnplacedProblem } from '../problem.ts';
import { createPositions } from '../source-positions.ts';
import {
  type ContractFilter,
  type Coordinates,
  findLeftOut,
  findUnreachable,
  type TagsOf,
} from './contract-filter.ts';

export type FilteredSupergraph =
  | {
      readonly supergraphSdl: string;
      readonly hints: readonly UnplacedProblem[];
      readonly errors?: undefined;
    }
  | { readonly errors: readonly UnplacedProblem[]; readonly supergraphSdl?: undefined };

const TAG = 'https://specs.apollo.dev/tag/';
const INACCESSIBLE = 'https://specs.apollo.dev/inaccessible/';

/** https://specs.apollo.dev/tag/v0.3; a longer one is no tag. */
const TAG_NAME = /^[A-Za-z0-9/_-]{1,128}$/;

/**
 * Composes, and filters what is composed. Findings of the filter stand with every system that defines what they are about. To
 * make several variants of one graph, compose once and use `filterSupergraph`.
 */
export function composeContract(subgraphs: readonly Subgraph[], filter: ContractFilter): Composition {
  const composition = compose(subgraphs);
  if (composition.errors !== undefined) return composition;
  const filtered = filterSupergraph(composition.supergraphSdl, filter);
  const positions = createPositions(subgraphs);
  const members = subgraphs.map(({ name }) => name).sort();
  const placeAll = (found: readonly UnplacedProblem[], level: 'ERROR' | 'WARN'): readonly Problem[] =>
    found.map((problem) => {
      const { coordinate } = problem;
      const systems =
        coordinate === undefined ? [] : members.filter((name) => positions.defines(name, coordinate));
      return place({ ...problem, systems }, level, positions, members);
    });
  if (filtered.errors !== undefined) return { errors: sortProblems(placeAll(filtered.errors, 'ERROR')) };
  const hints = sortProblems([...composition.hints, ...placeAll(filtered.hints, 'WARN')]);
  return { supergraphSdl: filtered.supergraphSdl, hints };
}

/**
 * The supergraph with everything `@inaccessible` that the filter leaves out (docs/schema-checks.md has the rules). It is planned and
 * answered as before: what is hidden can still be a key or be required. Errors when the filter cannot be meant, and when what is
 * left makes no schema: nothing can be asked, or something is left that leads to what is not. Pure.
 * @throws OperatorError when the text is no supergraph
 */
export function filterSupergraph(supergraphSdl: string, filter: ContractFilter): FilteredSupergraph {
  const document = parseSupergraph(supergraphSdl);
  const features = readFeatureNames(document);
  const tagsOf = createTagsOf(features.tag);
  const wrong = checkFilter(filter);
  if (wrong.length > 0) return { errors: wrong };
  const own = {
    ...document,
    definitions: document.definitions.filter((node) => !isOfFeature(features, node)),
  };
  const hidden = findHidden(own, features.inaccessible);
  const left = new Set(findLeftOut(own, filter, tagsOf, hidden));
  if (filter.keepUnreachable !== true)
    for (const name of findUnreachable(own, (coordinate) => left.has(coordinate))) left.add(name);
  const marked = hide(document, left, hidden, features.inaccessible);
  const errors = findBroken(marked);
  if (errors.length > 0) return { errors };
  return { supergraphSdl: `${print(marked)}\n`, hints: findUnusedTags(own, filter, tagsOf) };
}

function parseSupergraph(supergraphSdl: string): DocumentNode {
  try {
    return parse(supergraphSdl, { noLocation: true });
  } catch (thrown) {
    if (!(thrown instanceof GraphQLError)) throw thrown;
    throw new OperatorError(`the supergraph cannot be read: ${thrown.message}`, { cause: thrown });
  }
}

interface FeatureNames {
  /** Of the directives in this document; undefined when the feature is not linked. */
  readonly tag: string | undefined;
  readonly inaccessible: string | undefined;
  /** Before the `__` of what belongs to a feature. */
  readonly prefixes: ReadonlySet<string>;
}

function readFeatureNames(document: DocumentNode): FeatureNames {
  const links = document.definitions
    .flatMap((node) =>
      node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
        ? (node.directives ?? [])
        : [],
    )
    .filter((link) => textOf(link, 'url') !== undefined);
  const named = (feature: string): string | undefined => {
    const link = links.find((one) => textOf(one, 'url')?.startsWith(feature));
    return link === undefined ? undefined : (importedName(link) ?? prefixOf(link));
  };
  return { tag: named(TAG), inaccessible: named(INACCESSIBLE), prefixes: new Set(links.map(prefixOf)) };
}

function prefixOf(link: ConstDirectiveNode): string {
  const url = textOf(link, 'url') ?? '';
  return textOf(link, 'as') ?? url.replace(/\/v[^/]*$/, '').replace(/^.*\//, '');
}

/** Of a feature that has one directive: the name that `import` gives it. */
function importedName(link: ConstDirectiveNode): string | undefined {
  const imports = link.arguments?.find((argument) => argument.name.value === 'import')?.value;
  const [item] = imports?.kind === Kind.LIST ? imports.values : [];
  const fields = item?.kind === Kind.OBJECT ? item.fields : [];
  const name = item?.kind === Kind.STRING ? item : fields.find((field) => field.name.value === 'as')?.value;
  return name?.kind === Kind.STRING ? name.value.slice(1) : undefined;
}

function textOf(directive: ConstDirectiveNode, name: string): string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}

function isOfFeature({ prefixes }: FeatureNames, node: DefinitionNode): boolean {
  if (!('name' in node) || node.name === undefined) return true;
  const [prefix, rest] = node.name.value.split('__');
  return node.kind === Kind.DIRECTIVE_DEFINITION || (rest !== undefined && prefixes.has(prefix ?? ''));
}

function createTagsOf(tag: string | undefined): TagsOf {
  return ({ directives }) =>
    (directives ?? []).flatMap((directive) =>
      directive.name.value === tag ? (textOf(directive, 'name') ?? []) : [],
    );
}

function checkFilter({ include = [], exclude = [] }: ContractFilter): readonly UnplacedProblem[] {
  const wrong = (message: string): UnplacedProblem => ({
    code: 'CONTRACT_FILTER_INVALID',
    message,
    systems: [],
    coordinate: undefined,
  });
  const both = include.filter((tag) => exclude.includes(tag));
  const malformed = [...include, ...exclude].filter((tag) => !TAG_NAME.test(tag));
  return [
    ...both.map((tag) => wrong(`the tag ${tag} is included and excluded: take one of them out`)),
    ...malformed.map((tag) => wrong(`${JSON.stringify(tag)} is no tag: letters, digits, - _ /, at most 128`)),
    ...(include.length + exclude.length === 0 ? [wrong('the filter includes and excludes nothing')] : []),
  ];
}

interface Element {
  readonly coordinate: string;
  readonly directives: readonly ConstDirectiveNode[];
}

/** Every type with its parts, and their directives. */
function elementsOf(document: DocumentNode): readonly Element[] {
  return document.definitions.flatMap((node) => {
    if (!('name' in node) || node.name === undefined || node.kind === Kind.DIRECTIVE_DEFINITION) return [];
    const type = node.name.value;
    const parts = [
      ...('fields' in node ? (node.fields ?? []) : []),
      ...('values' in node ? (node.values ?? []) : []),
    ];
    return [
      { coordinate: type, directives: (node.directives ?? []) as readonly ConstDirectiveNode[] },
      ...parts.flatMap((part) => {
        const coordinate = `${type}.${part.name.value}`;
        const given = part.kind === Kind.FIELD_DEFINITION ? (part.arguments ?? []) : [];
        return [
          { coordinate, directives: part.directives ?? [] },
          ...given.map((argument) => ({
            coordinate: `${coordinate}(${argument.name.value}:)`,
            directives: argument.directives ?? [],
          })),
        ];
      }),
    ];
  });
}

function findHidden(document: DocumentNode, inaccessible: string | undefined): Coordinates {
  const isHidden = ({ directives }: Element) => directives.some(({ name }) => name.value === inaccessible);
  return new Set(
    elementsOf(document)
      .filter(isHidden)
      .map(({ coordinate }) => coordinate),
  );
}

/** Marks what is left out and was not hidden before; links and defines the directive where nobody did. */
function hide(
  document: DocumentNode,
  left: Coordinates,
  hidden: Coordinates,
  linked: string | undefined,
): DocumentNode {
  const mark: ConstDirectiveNode = {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: linked ?? 'inaccessible' },
  };
  const path: string[] = [];
  const enter = (node: Marked): undefined => void path.push(step(path, node));
  const leave = (node: Marked): Marked | undefined => {
    const coordinate = path.pop() ?? '';
    if (!left.has(coordinate) || hidden.has(coordinate)) return undefined;
    return { ...node, directives: [...(node.directives ?? []), mark] };
  };
  const marked = visit(document, Object.fromEntries(MARKED_KINDS.map((kind) => [kind, { enter, leave }])));
  return linked !== undefined ? marked : { ...marked, definitions: withInaccessible(marked.definitions) };
}

const MARKED_KINDS = [
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.FIELD_DEFINITION,
  Kind.INPUT_VALUE_DEFINITION,
  Kind.ENUM_VALUE_DEFINITION,
] as const;

interface Marked {
  readonly kind: Kind;
  readonly name: { readonly value: string };
  readonly directives?: readonly DirectiveNode[];
}

/** The coordinate of a node inside the last of `path`; a directive's own arguments get one that nothing has. */
function step(path: readonly string[], { kind, name: { value } }: Marked): string {
  const around = path.at(-1);
  if (around === undefined) return kind === Kind.INPUT_VALUE_DEFINITION ? `@(${value}:)` : value;
  return kind === Kind.INPUT_VALUE_DEFINITION && around.includes('.')
    ? `${around}(${value}:)`
    : `${around}.${value}`;
}

function withInaccessible(definitions: readonly DefinitionNode[]): readonly DefinitionNode[] {
  const added = parse(
    `schema @link(url: "${INACCESSIBLE}v0.2", for: SECURITY) { query: Query }
    directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION`,
    { noLocation: true },
  ).definitions;
  const [linking, definition] = added;
  return definitions.flatMap((node) => {
    if (node.kind !== Kind.SCHEMA_DEFINITION || linking?.kind !== Kind.SCHEMA_DEFINITION) return [node];
    const schema = { ...node, directives: [...(node.directives ?? []), ...(linking.directives ?? [])] };
    return definition === undefined ? [schema] : [schema, definition];
  });
}

/** What the specification of `@inaccessible` refuses (https://specs.apollo.dev/inaccessible/v0.2), and what is no schema then. */
function findBroken(document: DocumentNode): readonly UnplacedProblem[] {
  try {
    const options = { supportedFeatures: null, validateSupergraph: false };
    const schema = Supergraph.build(document, options).apiSchema().toGraphQLJSSchema();
    return validateSchema(schema).map((error) => problemFrom(error));
  } catch (thrown) {
    const causes = thrown instanceof Error ? errorCauses(thrown) : undefined;
    if (causes === undefined) throw thrown;
    return causes.map(problemFrom);
  }
}

function problemFrom({ message, extensions }: GraphQLError): UnplacedProblem {
  const code = typeof extensions.code === 'string' ? extensions.code : 'INVALID_GRAPHQL';
  const coordinate = /"([_A-Za-z]\w*(?:\.\w+)?(?:\(\w+:\))?)"/.exec(message)?.[1];
  return { code, message, systems: [], coordinate };
}

/** A tag of the filter that nothing has is most often misspelt. */
function findUnusedTags(
  document: DocumentNode,
  { include = [], exclude = [] }: ContractFilter,
  tagsOf: TagsOf,
): readonly UnplacedProblem[] {
  const used = new Set(elementsOf(document).flatMap(tagsOf));
  return [...include, ...exclude]
    .filter((tag) => !used.has(tag))
    .map((tag) => ({
      code: 'CONTRACT_TAG_UNUSED',
      message: `nothing has the tag ${tag}`,
      systems: [],
      coordinate: undefined,
    }));
}
