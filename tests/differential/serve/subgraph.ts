// A member as a running subgraph: it answers what it owns, out of what it is sent, and refuses what a correct gateway never asks.
import { createRequire } from 'node:module';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  Kind,
  parse,
  validate,
} from 'graphql';
import { type Graph, type Instance, type Member, type Position, parseSelection } from '../graph/model.ts';
import { printMember, resolvableKeys } from '../graph/print.ts';
import { canonical, evaluate, project, requiredText, truthOf } from '../graph/truth.ts';
import { positionsOf, rootPosition } from './resolve.ts';

const fromConnectors = createRequire(new URL('../../../connectors/package.json', import.meta.url));
const { buildSubgraphSchema } = fromConnectors('@apollo/subgraph') as {
  buildSubgraphSchema(typeDefs: DocumentNode): GraphQLSchema;
};

export interface Subgraph {
  readonly name: string;
  readonly sdl: string;
  answer(query: string, variables: Readonly<Record<string, unknown>>): Promise<ExecutionResult>;
}

type Args = Readonly<Record<string, unknown>>;
type Representation = Readonly<Record<string, unknown>>;

export function createSubgraph(graph: Graph, member: Member): Subgraph {
  const sdl = printMember(member);
  const schema = buildSubgraphSchema(parse(sdl));
  const entities = schema.getQueryType()?.getFields()._entities;
  if (entities !== undefined) {
    entities.resolve = (
      _root,
      { representations }: { readonly representations: readonly Representation[] },
    ) => representations.map((representation) => entityOf(graph, member, representation));
  }
  const entity = schema.getType('_Entity');
  const typeResolver = (position: Position) => position.knownAs ?? position.instance.type;
  if (entity !== undefined && 'resolveType' in entity) entity.resolveType = typeResolver;
  const documents = new Map<string, DocumentNode>();
  return {
    name: member.name,
    sdl,
    async answer(query, variableValues) {
      const document = documents.get(query) ?? parse(query);
      if (!documents.has(query)) {
        const errors = validate(schema, document);
        if (errors.length > 0) return { errors };
        documents.set(query, document);
      }
      const [operation] = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
      return execute({
        schema,
        document,
        variableValues,
        rootValue: rootPosition(operation?.operation === 'mutation' ? 'Mutation' : 'Query'),
        typeResolver,
        fieldResolver: (position: Position, args: Args, _context, info) =>
          resolveField(graph, member, position, args, info),
      });
    },
  };
}

/** By the first of its keys that the representation holds whole; what is sent besides must be true as well. */
function entityOf(graph: Graph, member: Member, sent: Representation): Position | Error {
  const name = String(sent.__typename);
  const type = member.types.get(name);
  if (type === undefined) return new Error(`${member.name} has no type ${name}`);
  for (const key of resolvableKeys(member, type).map(parseSelection)) {
    const wanted = project(graph, sent, key);
    if (wanted === undefined) continue;
    const instance = instancesOf(graph, name).find(
      (candidate) => canonical(evaluate(graph, candidate, key)) === canonical(wanted),
    );
    if (instance === undefined) return new Error(`${member.name} knows no ${name} ${canonical(wanted)}`);
    return { instance, sent, knownAs: type.isInterfaceObject ? name : undefined, contexts: new Map() };
  }
  return new Error(`${member.name} cannot tell which ${name} is meant by ${canonical(sent)}`);
}

function instancesOf(graph: Graph, name: string): readonly Instance[] {
  return [name, ...(graph.possible.get(name) ?? [])].flatMap((type) => graph.instances.get(type) ?? []);
}

function resolveField(
  graph: Graph,
  member: Member,
  position: Position,
  args: Args,
  info: GraphQLResolveInfo,
): unknown {
  const { fieldName, parentType } = info;
  const type = member.types.get(parentType.name);
  const field = type?.fields.get(fieldName);
  if (type === undefined || field === undefined)
    throw new Error(`${parentType.name}.${fieldName} is not declared`);
  if (field.role === 'stale')
    throw new Error(`${member.name} no longer answers ${parentType.name}.${fieldName}`);
  const isKey = type.keys.some((key) => namesOf(key).includes(fieldName));
  const isProvided =
    position.provided !== undefined && namesOfSelection(position.provided).includes(fieldName);
  if (field.role === 'external' && !isKey && !isProvided) {
    throw new Error(`${member.name} does not answer ${parentType.name}.${fieldName}, which is another's`);
  }
  if (field.requires !== undefined) return requiredValue(graph, position, fieldName, field.requires);
  const value = truthOf(graph, position.instance.type, fieldName)(position, args);
  const provided = field.provides === undefined ? undefined : parseSelection(field.provides);
  return positionsOf(value, new Map(), provided);
}

function requiredValue(graph: Graph, position: Position, name: string, requires: string): unknown {
  const { sent, instance } = position;
  const required = sent === undefined ? undefined : project(graph, sent, parseSelection(requires));
  if (required === undefined)
    throw new Error(`${name} needs { ${requires} } and was sent ${canonical(sent)}`);
  return requiredText(name, instance.id, required);
}

function namesOf(selection: string): readonly string[] {
  return namesOfSelection(parseSelection(selection));
}

function namesOfSelection(selection: ReturnType<typeof parseSelection>): readonly string[] {
  return selection.selections.flatMap((node) => (node.kind === Kind.FIELD ? [node.name.value] : []));
}
