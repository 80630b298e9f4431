// Members whose plans libraries get wrong by themselves: arguments in @requires, keys that cannot be entered by.
import { type SubgraphServer, startSubgraph } from '../gateway/subgraph-server.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@shareable", "@override"])
`;

const GOODS = `${LINK}
type Query { goods: [Good!]! good: Good }
type Good @key(fields: "id") { id: ID! name: String weight: Int price(currency: String!): Int }
`;
/** Its fields need the price in two currencies, and one of them the weight too. */
const BILLS = `${LINK}
type Query { billing: String }
type Good @key(fields: "id") {
  id: ID!
  weight: Int @external
  price(currency: String!): Int @external
  euros: String @requires(fields: "price(currency: \\"EUR\\")")
  dollars: String @requires(fields: "price(currency: \\"USD\\")")
  parcel: String @requires(fields: "weight price(currency: \\"EUR\\")")
  heavy: Boolean @requires(fields: "weight")
  note: String
}
`;
/** Knows boxes by number only, and can be entered by the code alone. */
const BOXES = `${LINK}
type Query { boxes: [Box!]! }
type Box @key(fields: "number") { number: Int! code: String! @shareable size: Int }
`;
const LABELS = `${LINK}
type Query { labelled: [Box!]! }
type Box @key(fields: "number", resolvable: false) @key(fields: "code") {
  number: Int! code: String! @shareable size: Int @external label: String @requires(fields: "size")
}
`;

const PRICES: Readonly<Record<string, number>> = { EUR: 7, USD: 8, CNY: 56 };
const good = (id: string) => ({ id, name: `货${id}`, weight: id === '2' ? null : 3 });

export interface Shop {
  readonly members: readonly SubgraphServer[];
  readonly labels: SubgraphServer;
  close(): Promise<void>;
}

export async function startShop(): Promise<Shop> {
  const members = await Promise.all([
    startSubgraph('goods', GOODS, {
      Query: { goods: () => [good('1'), good('2')], good: () => good('1') },
      Good: {
        __resolveReference: ({ id }: { id: string }) => good(id),
        price: ({ id }: { id: string }, { currency }: { currency: string }) =>
          (PRICES[currency] ?? 0) * Number(id),
      },
    }),
    startSubgraph('bills', BILLS, {
      Good: {
        euros: ({ price }: { price: number }) => `€${price}`,
        dollars: ({ price }: { price: number }) => `$${price}`,
        parcel: ({ weight, price }: { weight: number | null; price: number }) => `${weight}kg €${price}`,
        note: ({ id }: { id: string }) => id,
        heavy: ({ weight }: { weight: number | null }) => (weight ?? 0) > 2,
      },
    }),
    startSubgraph('boxes', BOXES, {
      Query: { boxes: () => [{ number: 1, code: 'a', size: 40 }] },
      Box: { __resolveReference: ({ number }: { number: number }) => ({ number, code: 'a', size: 40 }) },
    }),
    startSubgraph('labels', LABELS, {
      Query: { labelled: () => [{ number: 1, code: 'a' }] },
      Box: {
        __resolveReference(given: { code?: string; size?: number }) {
          if (given.code === undefined) throw new Error('a box is found by its code');
          return { ...given, number: 1 };
        },
        label: ({ code, size }: { code: string; size: number }) => `${code}/${size}`,
      },
    }),
  ]);
  const labels = members.find(({ name }) => name === 'labels');
  if (labels === undefined) throw new Error('no labels');
  return {
    members,
    labels,
    close: async () => void (await Promise.all(members.map((server) => server.close()))),
  };
}
