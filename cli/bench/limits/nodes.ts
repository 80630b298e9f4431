// What the hand-written program fetches, as it comes from the subgraphs: merged in place, so fields arrive by and by.

export interface ProductNode {
  readonly upc: string;
  name?: string | undefined;
  price?: number | undefined;
  weight?: number | undefined;
  inStock?: boolean | undefined;
  shippingEstimate?: number | undefined;
  reviews?: readonly ReviewNode[] | undefined;
}

export interface UserNode {
  readonly id: string;
  readonly username: string;
  name?: string | undefined;
  reviews?: readonly ReviewNode[] | undefined;
}

/** A review directly below a product carries its author, one below a user its product. */
export interface ReviewNode {
  readonly id: string;
  readonly body: string;
  readonly product: ProductNode;
  readonly author: UserNode;
}

export interface FetchedGraph {
  readonly users: readonly UserNode[];
  readonly topProducts: readonly ProductNode[];
}

export const NO_REVIEWS: readonly ReviewNode[] = [];
