// The SDL of the four subgraphs, for Federation 2 and for gateways that know Federation 1 only.

export const SUBGRAPHS = ['accounts', 'inventory', 'products', 'reviews'] as const;
export type SubgraphName = (typeof SUBGRAPHS)[number];
export type FederationVersion = 1 | 2;

const LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@provides", "@shareable"])
`;

/** What the subgraph's `_service` answers, and what is composed. */
export function sdlOf(name: SubgraphName, version: FederationVersion): string {
  const body = BODIES[name](version === 1 ? FEDERATION_1 : FEDERATION_2);
  return version === 1 ? body : LINK + body;
}

/** The words in which the two versions differ. */
interface Dialect {
  readonly query: string;
  /** Begins a type that another subgraph owns. */
  readonly foreignType: string;
  /** After a key field of a type that another subgraph owns. */
  readonly foreignKey: string;
  readonly shareable: string;
}

const FEDERATION_1: Dialect = {
  query: 'extend type Query',
  foreignType: 'extend type',
  foreignKey: ' @external',
  shareable: '',
};
const FEDERATION_2: Dialect = {
  query: 'type Query',
  foreignType: 'type',
  foreignKey: '',
  shareable: ' @shareable',
};

const BODIES: Readonly<Record<SubgraphName, (words: Dialect) => string>> = {
  accounts: ({ query, shareable }) => `
    ${query} { me: User  user(id: ID!): User  users: [User] }
    type User @key(fields: "id") { id: ID!  name: String  username: String${shareable}  birthday: Int }`,
  inventory: ({ foreignType, foreignKey }) => `
    ${foreignType} Product @key(fields: "upc") {
      upc: String!${foreignKey}
      weight: Int @external
      price: Int @external
      inStock: Boolean
      shippingEstimate: Int @requires(fields: "price weight")
    }`,
  products: ({ query }) => `
    ${query} { topProducts(first: Int = 5): [Product] }
    type Product @key(fields: "upc") { upc: String!  name: String  price: Int  weight: Int }`,
  reviews: ({ foreignType, foreignKey }) => `
    type Review @key(fields: "id") { id: ID!  body: String  product: Product  author: User @provides(fields: "username") }
    ${foreignType} User @key(fields: "id") { id: ID!${foreignKey}  username: String @external  reviews: [Review] }
    ${foreignType} Product @key(fields: "upc") { upc: String!${foreignKey}  reviews: [Review] }`,
};

/** The entities that the subgraph resolves by reference. */
export const ENTITIES: Readonly<Record<SubgraphName, readonly string[]>> = {
  accounts: ['User'],
  inventory: ['Product'],
  products: ['Product'],
  reviews: ['Review', 'User', 'Product'],
};
