// The two operations that are timed, and the answers that a monolith over the same records gives to them.
import { invariant } from '@weft/core/errors';
import { buildSchema, graphqlSync } from 'graphql';
import {
  PRODUCTS,
  type ProductRecord,
  type ReviewRecord,
  reviewsOfProduct,
  reviewsOfUser,
  shippingEstimate,
  USERS,
  type UserRecord,
} from './data.ts';

export const QUERY_NAMES = ['federated', 'single'] as const;
export type QueryName = (typeof QUERY_NAMES)[number];

/** `federated` crosses all four subgraphs and answers about 87 kB; `single` asks one subgraph for a few words. */
export const QUERIES: Readonly<Record<QueryName, string>> = {
  federated: `fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }
query Federated {
  users {
    ...User
    reviews {
      ...Review
      product {
        ...Product
        reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
      }
    }
  }
  topProducts {
    ...Product
    reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
  }
}`,
  single: 'query Single { topProducts { upc name } }',
};

/** The body of the POST. */
export function requestBodyOf(query: QueryName): string {
  return JSON.stringify({ query: QUERIES[query] });
}

const MONOLITH = buildSchema(`
  type Query { users: [User]  topProducts(first: Int = 5): [Product] }
  type User { id: ID!  name: String  username: String  reviews: [Review] }
  type Product {
    upc: String!  name: String  price: Int  weight: Int  inStock: Boolean  shippingEstimate: Int  reviews: [Review]
  }
  type Review { id: ID!  body: String  product: Product  author: User }
`);

/** What `data` must be. No gateway and no subgraph takes part. */
export function expectedData(query: QueryName): unknown {
  const { data, errors } = graphqlSync({
    schema: MONOLITH,
    source: QUERIES[query],
    rootValue: {
      users: () => USERS.map(userView),
      topProducts: ({ first }: { readonly first: number }) => PRODUCTS.slice(0, first).map(productView),
    },
  });
  invariant(errors === undefined, `the monolith does not answer '${query}': ${errors?.[0]?.message}`);
  return data;
}

function userView(user: UserRecord): object {
  return { ...user, reviews: () => reviewsOfUser().map(reviewView) };
}

function productView(product: ProductRecord): object {
  return {
    ...product,
    shippingEstimate: shippingEstimate(product.price, product.weight),
    reviews: () => reviewsOfProduct(product.upc).map(reviewView),
  };
}

function reviewView({ id, body, upc, authorId }: ReviewRecord): object {
  return {
    id,
    body,
    product: () => PRODUCTS.filter((product) => product.upc === upc).map(productView)[0],
    author: () => USERS.filter((user) => user.id === authorId).map(userView)[0],
  };
}

/** JSON with the keys of every object in order: equal texts mean equal answers, whatever order a gateway writes in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) =>
    typeof held === 'object' && held !== null && !Array.isArray(held)
      ? Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)))
      : held,
  );
}
