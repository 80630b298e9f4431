// The four subgraphs as executable schemas, one execution at a time and without a federation library.
import { invariant } from '@weft/core/errors';
import { buildSchema, type ExecutionResult, executeSync, type GraphQLSchema, parse, validate } from 'graphql';
import {
  PRODUCTS,
  type ProductRecord,
  REVIEWS,
  type ReviewRecord,
  reviewsOfProduct,
  reviewsOfUser,
  shippingEstimate,
  USERS,
} from './data.ts';
import type { SdlOf } from './endpoints.ts';
import { ENTITIES, type FederationVersion, type SubgraphName, sdlOf } from './schemas.ts';

export interface ExecutableSubgraph {
  /** @param request the JSON body of a GraphQL request, or a list of them */
  execute(request: unknown): ExecutionResult | readonly ExecutionResult[];
}

/** `version` decides only which SDL `_service` tells; data and execution are the same. */
export function createExecutableSubgraph(
  name: SubgraphName,
  version: FederationVersion,
  sdl: SdlOf = sdlOf,
): ExecutableSubgraph {
  const schema = buildSchema(executableSdl(name, sdl));
  const rootValue = {
    ...ROOTS[name],
    _service: { sdl: sdl(name, version) },
    _entities: ({ representations }: { readonly representations: readonly Representation[] }) =>
      representations.map((representation) => RESOLVERS[name](representation)),
  };
  return {
    execute: (request) =>
      Array.isArray(request)
        ? request.map((one) => executeOne(schema, rootValue, one))
        : executeOne(schema, rootValue, request),
  };
}

function executeOne(schema: GraphQLSchema, rootValue: object, request: unknown): ExecutionResult {
  const { query, variables, operationName } = request as {
    readonly query: string;
    readonly variables?: Record<string, unknown> | null;
    readonly operationName?: string | null;
  };
  const document = parse(query);
  const errors = validate(schema, document);
  if (errors.length > 0) return { errors };
  return executeSync({
    schema,
    document,
    rootValue,
    variableValues: variables ?? null,
    operationName: operationName ?? null,
  });
}

/** Federation's directives say nothing to an execution; its two fields are added. */
export function executableSdl(name: SubgraphName, sdl: SdlOf): string {
  const plain = sdl(name, 1)
    .replaceAll(/@\w+(\([^)]*\))?/g, '')
    .replaceAll('extend type', 'type');
  return `${plain}
    scalar _Any
    type _Service { sdl: String }
    union _Entity = ${ENTITIES[name].join(' | ')}
    ${plain.includes('type Query') ? 'extend type' : 'type'} Query {
      _entities(representations: [_Any!]!): [_Entity]!
      _service: _Service!
    }`;
}

interface Representation {
  readonly __typename: string;
  readonly id?: string;
  readonly upc?: string;
  readonly price?: number | null;
  readonly weight?: number | null;
}

const ROOTS: Readonly<Record<SubgraphName, object>> = {
  accounts: {
    me: () => USERS[0],
    user: ({ id }: { readonly id: string }) => USERS.find((user) => user.id === id) ?? null,
    users: () => USERS,
  },
  inventory: {},
  products: { topProducts: ({ first }: { readonly first: number | null }) => PRODUCTS.slice(0, first ?? 5) },
  reviews: {},
};

const RESOLVERS: Readonly<Record<SubgraphName, (representation: Representation) => object | null>> = {
  accounts: ({ id }) =>
    typed(
      'User',
      USERS.find((user) => user.id === id),
    ),
  products: ({ upc }) => typed('Product', productOf(upc)),
  inventory: (representation) => typed('Product', inventoryView(representation)),
  reviews: ({ __typename, id, upc }) => {
    if (__typename === 'User') return userReviews(id ?? '');
    if (__typename === 'Product') return productReviews(upc ?? '');
    const review = REVIEWS.find((candidate) => candidate.id === id);
    return review === undefined ? null : reviewView(review);
  },
};

function typed(typeName: string, record: object | undefined): object | null {
  return record === undefined ? null : { __typename: typeName, ...record };
}

function productOf(upc: string | undefined): ProductRecord | undefined {
  return PRODUCTS.find((product) => product.upc === upc);
}

/** Price and weight are what the gateway brought, never our own: a gateway that forgets them is found out. */
function inventoryView({ upc, price, weight }: Representation): object | undefined {
  const product = productOf(upc);
  if (product === undefined) return undefined;
  const isKnown = typeof price === 'number' && typeof weight === 'number';
  return {
    upc,
    inStock: product.inStock,
    shippingEstimate: isKnown ? shippingEstimate(price, weight) : null,
  };
}

function reviewView(review: ReviewRecord): object {
  return {
    __typename: 'Review',
    id: review.id,
    body: review.body,
    product: () => productReviews(review.upc),
    author: () => userReviews(review.authorId),
  };
}

function userReviews(id: string): object {
  const user = USERS.find((candidate) => candidate.id === id);
  invariant(user !== undefined, `a review names the user ${id}, who is not there`);
  return { __typename: 'User', id, username: user.username, reviews: () => reviewsOfUser().map(reviewView) };
}

function productReviews(upc: string): object {
  return { __typename: 'Product', upc, reviews: () => reviewsOfProduct(upc).map(reviewView) };
}
