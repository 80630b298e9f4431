// The records behind the workload: 6 users, 9 products, 11 reviews, the sizes of the public gateway benchmark.

export interface UserRecord {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly birthday: number;
}

export interface ProductRecord {
  readonly upc: string;
  readonly name: string;
  readonly price: number;
  readonly weight: number;
  readonly inStock: boolean;
}

export interface ReviewRecord {
  readonly id: string;
  readonly body: string;
  readonly upc: string;
  readonly authorId: string;
}

const USERS_COUNT = 6;
const BIRTHDAY = 1_234_567_890;

export const USERS: readonly UserRecord[] = Array.from({ length: USERS_COUNT }, (_, index) => {
  const number = String(index + 1).padStart(4, '0');
  return {
    id: String(index + 1),
    name: `Resident ${number}`,
    username: `resident${number}`,
    birthday: BIRTHDAY,
  };
});

const PRODUCT_ROWS: readonly (readonly [name: string, price: number, weight: number, inStock: boolean])[] = [
  ['Table', 899, 100, true],
  ['Couch', 1_299, 1_000, false],
  ['Glass', 15, 20, false],
  ['Chair', 499, 100, false],
  ['Screen', 1_299, 1_000, true],
  ['Lamp', 6_999, 300, true],
  ['Grill', 3_999, 2_000, true],
  ['Fridge', 100_000, 6_000, false],
  ['Sofa', 9_999, 800, true],
];

export const PRODUCTS: readonly ProductRecord[] = PRODUCT_ROWS.map(
  ([name, price, weight, inStock], index) => ({
    upc: String(index + 1),
    name,
    price,
    weight,
    inStock,
  }),
);

/** Lengths of the bodies in characters: they decide the weight of the answer. */
const REVIEW_ROWS: readonly (readonly [upc: string, bodyCharacters: number])[] = [
  ['1', 445],
  ['1', 289],
  ['1', 275],
  ['1', 143],
  ['2', 445],
  ['2', 289],
  ['2', 275],
  ['2', 143],
  ['3', 143],
  ['4', 143],
  ['4', 844],
];

const FILLER =
  'The thing arrived in the week that was promised and has done its work in the yard since, in rain and in sun. ';

export const REVIEWS: readonly ReviewRecord[] = REVIEW_ROWS.map(([upc, bodyCharacters], index) => ({
  id: String(index + 1),
  body: `Review ${index + 1}: ${FILLER.repeat(Math.ceil(bodyCharacters / FILLER.length))}`.slice(
    0,
    bodyCharacters,
  ),
  upc,
  // One author for all: the same person is met at many places of the answer, as in the public benchmark.
  authorId: '1',
}));

/** Every user is credited with the first reviews. */
const REVIEWS_OF_A_USER = 2;

export function reviewsOfUser(): readonly ReviewRecord[] {
  return REVIEWS.slice(0, REVIEWS_OF_A_USER);
}

export function reviewsOfProduct(upc: string): readonly ReviewRecord[] {
  return REVIEWS.filter((review) => review.upc === upc);
}

/** Above this price shipping is free. */
const FREE_SHIPPING_PRICE_MIN = 1_000;

export function shippingEstimate(price: number, weight: number): number {
  return price > FREE_SHIPPING_PRICE_MIN ? 0 : Math.floor(weight / 2);
}
