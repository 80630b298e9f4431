// Three ways to fetch the federated query by hand: a fetch for each path, fetches merged, fields reused.
import {
  addPlace,
  fetchInventory,
  fetchNames,
  fetchProductsThenInventory,
  fetchReviewsOfBoth,
  fetchReviewsOfProducts,
  fetchReviewsOfUsers,
  fetchTopProducts,
  fetchUsers,
  type Places,
  representProduct,
  representUser,
  setName,
  setProduct,
  setStock,
} from './fetches.ts';
import { type FetchedGraph, NO_REVIEWS, type ProductNode, type ReviewNode, type UserNode } from './nodes.ts';
import type { Upstream } from './upstream.ts';

export type FetchPlan = (upstream: Upstream) => Promise<FetchedGraph>;

/** By name. On the records of this workload they make 13, 7 and 4 fetches. */
export const PLANS = {
  paths: fetchByPath,
  merged: fetchMerged,
  reused: fetchReusing,
} as const satisfies Record<string, FetchPlan>;

export type PlanName = keyof typeof PLANS;

export function isPlanName(name: string): name is PlanName {
  return Object.hasOwn(PLANS, name);
}

/** As a classic plan does: every path of the answer fetches for itself. */
async function fetchByPath(upstream: Upstream): Promise<FetchedGraph> {
  const [users, topProducts] = await Promise.all([usersByPath(upstream), topProductsByPath(upstream)]);
  return { users, topProducts };
}

async function usersByPath(upstream: Upstream): Promise<readonly UserNode[]> {
  const users = await fetchUsers(upstream);
  await fetchReviewsOfUsers(upstream, placesOfUsers(users));
  const reviewed: Places<ProductNode> = new Map();
  const deep = emptyBelow();
  for (const user of users) {
    for (const review of user.reviews ?? NO_REVIEWS) {
      addPlace(reviewed, review.product.upc, review.product);
      collectBelow(review.product.reviews, deep);
    }
  }
  await Promise.all([
    fetchProductsThenInventory(upstream, reviewed),
    fetchProductsThenInventory(upstream, deep.products),
    fetchNames(upstream, deep.authors),
  ]);
  return users;
}

async function topProductsByPath(upstream: Upstream): Promise<readonly ProductNode[]> {
  const topProducts = await fetchTopProducts(upstream);
  const top = placesOfProducts(topProducts);
  const reviewsAndBelow = async () => {
    await fetchReviewsOfProducts(upstream, top);
    const deep = emptyBelow();
    for (const product of topProducts) collectBelow(product.reviews, deep);
    await Promise.all([
      fetchProductsThenInventory(upstream, deep.products),
      fetchNames(upstream, deep.authors),
    ]);
  };
  await Promise.all([fetchInventory(upstream, top), reviewsAndBelow()]);
  return topProducts;
}

/** The fetches of one wave to one subgraph go out as one, and one entity is asked once however often it stands. */
async function fetchMerged(upstream: Upstream): Promise<FetchedGraph> {
  const { graph, below } = await fetchUpToReviews(upstream);
  await Promise.all([
    fetchProductsThenInventory(upstream, below.products),
    fetchNames(upstream, below.authors),
  ]);
  return graph;
}

/** As merged, and what this request knows of an entity already is not fetched again. */
async function fetchReusing(upstream: Upstream): Promise<FetchedGraph> {
  const { graph, below } = await fetchUpToReviews(upstream);
  copyKnown(
    graph.topProducts,
    (product) => product.upc,
    below.products,
    (place, known) => {
      setProduct(place, known);
      setStock(place, known);
    },
  );
  copyKnown(graph.users, (user) => user.id, below.authors, setName);
  await Promise.all([
    below.products.size === 0 ? undefined : fetchProductsThenInventory(upstream, below.products),
    below.authors.size === 0 ? undefined : fetchNames(upstream, below.authors),
  ]);
  return graph;
}

async function fetchUpToReviews(
  upstream: Upstream,
): Promise<{ readonly graph: FetchedGraph; readonly below: Below }> {
  const [users, topProducts] = await Promise.all([fetchUsers(upstream), fetchTopProducts(upstream)]);
  const reviewed: Places<UserNode | ProductNode> = new Map();
  for (const user of users) addPlace(reviewed, representUser(user.id), user);
  for (const product of topProducts) addPlace(reviewed, representProduct(product.upc), product);
  await Promise.all([
    fetchReviewsOfBoth(upstream, reviewed),
    fetchInventory(upstream, placesOfProducts(topProducts)),
  ]);
  const below = emptyBelow();
  for (const user of users) {
    for (const review of user.reviews ?? NO_REVIEWS) {
      addPlace(below.products, review.product.upc, review.product);
      collectBelow(review.product.reviews, below);
    }
  }
  for (const product of topProducts) collectBelow(product.reviews, below);
  return { graph: { users, topProducts }, below };
}

function copyKnown<Node>(
  known: readonly Node[],
  keyOf: (node: Node) => string,
  places: Places<Node>,
  copy: (place: Node, known: Node) => void,
): void {
  for (const node of known) {
    for (const place of places.get(keyOf(node)) ?? []) copy(place, node);
    places.delete(keyOf(node));
  }
}

function placesOfUsers(users: readonly UserNode[]): Places<UserNode> {
  const places: Places<UserNode> = new Map();
  for (const user of users) addPlace(places, user.id, user);
  return places;
}

function placesOfProducts(products: readonly ProductNode[]): Places<ProductNode> {
  const places: Places<ProductNode> = new Map();
  for (const product of products) addPlace(places, product.upc, product);
  return places;
}

interface Below {
  readonly products: Places<ProductNode>;
  readonly authors: Places<UserNode>;
}

function emptyBelow(): Below {
  return { products: new Map(), authors: new Map() };
}

/** The authors of a product's reviews, and the products of what those authors wrote. */
function collectBelow(reviews: readonly ReviewNode[] | undefined, { products, authors }: Below): void {
  for (const { author } of reviews ?? NO_REVIEWS) {
    addPlace(authors, author.id, author);
    for (const review of author.reviews ?? NO_REVIEWS) addPlace(products, review.product.upc, review.product);
  }
}
