// The single fetches of the hand-written program: request texts that are ready, entities told apart by their key.
import type { FetchedGraph, ProductNode, UserNode } from './nodes.ts';
import type { Upstream } from './upstream.ts';

/** The places of the answer where one entity stands, by its key. */
export type Places<Node> = Map<string, Node[]>;

export function addPlace<Node>(places: Places<Node>, key: string, node: Node): void {
  const nodes = places.get(key);
  if (nodes === undefined) places.set(key, [node]);
  else nodes.push(node);
}

const INNER_REVIEWS = 'reviews{id body author{id username reviews{id body product{upc}}}}';
const USERS = JSON.stringify({ query: '{users{id username name}}' });
const TOP_PRODUCTS = JSON.stringify({ query: '{topProducts{upc name price weight}}' });
const REVIEWS_OF_USERS = entityRequest(`...on User{reviews{id body product{upc ${INNER_REVIEWS}}}}`);
const REVIEWS_OF_PRODUCTS = entityRequest(`...on Product{${INNER_REVIEWS}}`);
const REVIEWS_OF_BOTH = entityRequest(
  `...on User{reviews{id body product{upc ${INNER_REVIEWS}}}}...on Product{${INNER_REVIEWS}}`,
);
const PRODUCTS = entityRequest('...on Product{name price weight}');
const INVENTORY = entityRequest('...on Product{inStock shippingEstimate}');
const NAMES = entityRequest('...on User{name}');

/** The request up to the list of representations. */
function entityRequest(selection: string): string {
  const query = `query($r:[_Any!]!){_entities(representations:$r){${selection}}}`;
  return `{"query":${JSON.stringify(query)},"variables":{"r":`;
}

export async function fetchUsers(upstream: Upstream): Promise<FetchedGraph['users']> {
  return (await postFor<FetchedGraph>(upstream, '/accounts', USERS)).users;
}

export async function fetchTopProducts(upstream: Upstream): Promise<FetchedGraph['topProducts']> {
  return (await postFor<FetchedGraph>(upstream, '/products', TOP_PRODUCTS)).topProducts;
}

export function fetchReviewsOfUsers(upstream: Upstream, users: Places<UserNode>): Promise<void> {
  return fetchEntities(upstream, '/reviews', REVIEWS_OF_USERS, users, representUser, setReviews);
}

export function fetchReviewsOfProducts(upstream: Upstream, products: Places<ProductNode>): Promise<void> {
  return fetchEntities(upstream, '/reviews', REVIEWS_OF_PRODUCTS, products, representProduct, setReviews);
}

/** @param places by their whole representation, since keys of two types may be equal */
export function fetchReviewsOfBoth(
  upstream: Upstream,
  places: Places<UserNode | ProductNode>,
): Promise<void> {
  return fetchEntities(
    upstream,
    '/reviews',
    REVIEWS_OF_BOTH,
    places,
    (representation) => representation,
    setReviews,
  );
}

export function fetchNames(upstream: Upstream, authors: Places<UserNode>): Promise<void> {
  return fetchEntities(upstream, '/accounts', NAMES, authors, representUser, setName);
}

/** Two fetches in a row: what is in stock is asked with the price and the weight. */
export async function fetchProductsThenInventory(
  upstream: Upstream,
  products: Places<ProductNode>,
): Promise<void> {
  await fetchEntities(upstream, '/products', PRODUCTS, products, representProduct, setProduct);
  await fetchInventory(upstream, products);
}

export function fetchInventory(upstream: Upstream, products: Places<ProductNode>): Promise<void> {
  return fetchEntities(upstream, '/inventory', INVENTORY, products, representStock, setStock);
}

export function representUser(id: string): string {
  return `{"__typename":"User","id":"${id}"}`;
}

export function representProduct(upc: string): string {
  return `{"__typename":"Product","upc":"${upc}"}`;
}

function representStock(upc: string, product: ProductNode): string {
  return `{"__typename":"Product","upc":"${upc}","price":${product.price},"weight":${product.weight}}`;
}

export function setProduct(product: ProductNode, fetched: ProductNode): void {
  product.name = fetched.name;
  product.price = fetched.price;
  product.weight = fetched.weight;
}

export function setStock(product: ProductNode, fetched: ProductNode): void {
  product.inStock = fetched.inStock;
  product.shippingEstimate = fetched.shippingEstimate;
}

export function setName(user: UserNode, fetched: UserNode): void {
  user.name = fetched.name;
}

function setReviews(node: UserNode | ProductNode, fetched: UserNode | ProductNode): void {
  node.reviews = fetched.reviews;
}

async function fetchEntities<Node>(
  upstream: Upstream,
  path: string,
  request: string,
  places: Places<Node>,
  represent: (key: string, node: Node) => string,
  set: (node: Node, fetched: Node) => void,
): Promise<void> {
  const representations: string[] = [];
  for (const [key, [first]] of places) representations.push(represent(key, first as Node));
  const body = `${request}[${representations.join(',')}]}}`;
  const { _entities: entities } = await postFor<{ readonly _entities: readonly Node[] }>(
    upstream,
    path,
    body,
  );
  let index = 0;
  for (const nodes of places.values()) {
    const fetched = entities[index++] as Node;
    for (const node of nodes) set(node, fetched);
  }
}

/** What the subgraphs answer is ours: it is trusted, as the program's whole point is to do nothing else. */
async function postFor<Data>(upstream: Upstream, path: string, body: string): Promise<Data> {
  const answer = JSON.parse((await upstream.post(path, body)).toString('utf8')) as { readonly data: Data };
  return answer.data;
}
