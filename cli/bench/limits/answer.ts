// The answer of the federated query, field by field as the client selected it.
import { type FetchedGraph, NO_REVIEWS, type ProductNode, type ReviewNode } from './nodes.ts';

/** @returns the response body as an object, fields in the query's order */
export function shapeAnswer({ users, topProducts }: FetchedGraph): object {
  return {
    data: {
      users: users.map((user) => ({
        id: user.id,
        username: user.username,
        name: user.name,
        reviews: (user.reviews ?? NO_REVIEWS).map((review) => ({
          id: review.id,
          body: review.body,
          product: productWithReviews(review.product),
        })),
      })),
      topProducts: topProducts.map(productWithReviews),
    },
  };
}

function productWithReviews(product: ProductNode): object {
  return {
    inStock: product.inStock,
    name: product.name,
    price: product.price,
    shippingEstimate: product.shippingEstimate,
    upc: product.upc,
    weight: product.weight,
    reviews: (product.reviews ?? NO_REVIEWS).map(reviewWithAuthor),
  };
}

function reviewWithAuthor({ id, body, author }: ReviewNode): object {
  return {
    id,
    body,
    author: {
      id: author.id,
      username: author.username,
      name: author.name,
      reviews: (author.reviews ?? NO_REVIEWS).map(reviewWithProduct),
    },
  };
}

function reviewWithProduct({ id, body, product }: ReviewNode): object {
  return {
    id,
    body,
    product: {
      inStock: product.inStock,
      name: product.name,
      price: product.price,
      shippingEstimate: product.shippingEstimate,
      upc: product.upc,
      weight: product.weight,
    },
  };
}
