// Five small members that between them use what federation has: keys, @requires, @provides, interfaces, interface objects, unions, nested lists.
import { type Resolvers, type SubgraphServer, startSubgraph } from './subgraph-server.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@provides", "@shareable", "@inaccessible", "@interfaceObject"])
`;

const PEOPLE = `${LINK}
type Query {
  me: Person
  people(first: Int = 10): [Person!]!
  nobody: Person
}
type Person @key(fields: "id") { id: ID! name: String @shareable role: Role! boss: Person }
enum Role { READER CLERK SECRET @inaccessible }
`;
const BOOKS = `${LINK}
type Query {
  books(ids: [ID!]): [Book!]!
  media: [Medium]
  found(text: String!): [Found!]!
  shelf: [[Book!]!]!
  secret: [Medium]
}
interface Medium @key(fields: "id") { id: ID! title: String! }
union Found = Book | Film | Person
type Book implements Medium @key(fields: "id") {
  id: ID! title: String! pages: Int weight: Int
  author: Person @provides(fields: "name")
  lentTo: [Person]
}
type Film implements Medium @key(fields: "id") { id: ID! title: String! minutes: Int director: Person! }
type Vault implements Medium @inaccessible @key(fields: "id") { id: ID! title: String! }
type Person @key(fields: "id") { id: ID! name: String @external books: [Book!]! }
`;
const POST = `${LINK}
type Query { parcels: [Parcel!] }
type Mutation { post(book: ID!): Parcel! stamp(parcel: ID!): Parcel broken: Parcel! }
type Parcel { id: ID! book: Book! log: [String!]! }
type Book @key(fields: "id") {
  id: ID! weight: Int @external pages: Int @external
  postage(express: Boolean = false): Int @requires(fields: "weight")
  label: String @requires(fields: "weight pages")
  sender: Person
}
type Person @key(fields: "id") { id: ID! address: Address }
type Address { street: String! lines: [[String!]!] }
`;
const RATES = `${LINK}
type Query { ratings: [Rating] }
type Rating { stars: Int! of: Book }
type Book @key(fields: "id") { id: ID! ratings: [Rating!] average: Float }
type Person @key(fields: "id") { id: ID! trust: Int! }
`;

const VIEWS = `${LINK}
type Query { seen: [Medium] }
type Medium @interfaceObject @key(fields: "id") { id: ID! views: Int }
`;

const PERSONS = new Map([
  ['1', { id: '1', name: '甲', role: 'READER', boss: { id: '2' } }],
  ['2', { id: '2', name: '乙', role: 'CLERK', boss: null }],
  ['3', { id: '3', name: null, role: 'READER', boss: { id: '1' } }],
]);
const BOOK_LIST = [
  {
    __typename: 'Book',
    id: 'b1',
    title: '水浒传',
    pages: 900,
    weight: 800,
    author: { id: '1', name: '甲' },
    lentTo: [{ id: '2' }, null, { id: '1' }],
  },
  {
    __typename: 'Book',
    id: 'b2',
    title: '红楼梦',
    pages: 1200,
    weight: null,
    author: { id: '2', name: '乙' },
    lentTo: null,
  },
  { __typename: 'Book', id: 'b3', title: '西游记', pages: null, weight: 700, author: null, lentTo: [] },
];
const FILM = { __typename: 'Film', id: 'f1', title: '大闹天宫', minutes: 114, director: { id: '2' } };
const bookById = (id: string) => BOOK_LIST.find((book) => book.id === id) ?? null;

const byTypename = { __resolveType: (value: { __typename?: string }) => value.__typename ?? 'Person' };

export interface Library {
  readonly people: SubgraphServer;
  readonly books: SubgraphServer;
  readonly post: SubgraphServer;
  readonly rates: SubgraphServer;
  readonly all: readonly SubgraphServer[];
  close(): Promise<void>;
}

const PEOPLE_RESOLVERS: Resolvers = {
  Query: {
    me: () => PERSONS.get('1'),
    people: (_: unknown, { first }: { first: number }) => [...PERSONS.values()].slice(0, first),
    nobody: () => null,
  },
  Person: {
    __resolveReference: ({ id }: { id: string }) => PERSONS.get(id) ?? null,
    boss: ({ boss }: { boss: { id: string } | null }) =>
      boss === null ? null : (PERSONS.get(boss.id) ?? null),
  },
};

const BOOKS_RESOLVERS: Resolvers = {
  Query: {
    books: (_: unknown, { ids }: { ids?: string[] }) =>
      BOOK_LIST.filter(({ id }) => ids === undefined || ids.includes(id)),
    media: () => [BOOK_LIST[0], null, FILM, BOOK_LIST[2]],
    found: () => [{ id: '2' }, BOOK_LIST[1], FILM],
    shelf: () => [[BOOK_LIST[0], BOOK_LIST[1]], [], [BOOK_LIST[2]]],
    secret: () => [{ __typename: 'Vault', id: 'v1', title: 'v' }, FILM],
  },
  Medium: {
    ...byTypename,
    __resolveReference: ({ id }: { id: string }) => (id === 'f1' ? FILM : bookById(id)),
  },
  Found: byTypename,
  Book: { __resolveReference: ({ id }: { id: string }) => bookById(id) },
  Film: { __resolveReference: ({ id }: { id: string }) => (id === 'f1' ? FILM : null) },
  Person: { books: ({ id }: { id: string }) => BOOK_LIST.filter((book) => book.author?.id === id) },
};

/** `log` is what the mutations write and show. */
function postResolvers(log: string[]): Resolvers {
  const parcel = (id: string) => ({ id, book: { id: 'b1' }, log: [...log] });
  return {
    Query: { parcels: () => [parcel('p1')] },
    Mutation: {
      post: (_: unknown, { book }: { book: string }) => {
        log.push(`post ${book}`);
        return { id: 'p9', book: { id: book }, log: [...log] };
      },
      stamp: (_: unknown, given: { parcel: string }) => {
        log.push(`stamp ${given.parcel}`);
        return parcel(given.parcel);
      },
      broken: () => {
        throw Object.assign(new Error('the press is jammed'), {
          extensions: { code: 'CONFLICT', system: 'press', machine: 7 },
        });
      },
    },
    Book: {
      postage: ({ weight }: { weight: number | null }, { express }: { express: boolean }) =>
        weight === null ? null : weight * (express ? 2 : 1),
      label: ({ weight, pages }: { weight: number | null; pages: number | null }) => `${weight}/${pages}`,
      sender: ({ id }: { id: string }) => (id === 'b2' ? null : { id: '2' }),
    },
    Person: {
      address: ({ id }: { id: string }) =>
        id === '3' ? null : { street: `${id}号`, lines: [['a', id], []] },
    },
  };
}

const RATES_RESOLVERS: Resolvers = {
  Query: {
    ratings: () => [{ stars: 5, of: { id: 'b1' } }, { stars: 3, of: { id: 'b2' } }, null],
  },
  Book: {
    __resolveReference: ({ id }: { id: string }) => (id === 'b3' ? null : { id }),
    ratings: ({ id }: { id: string }) => [{ stars: id.length, of: { id } }],
    average: () => 4.5,
  },
  Person: { trust: ({ id }: { id: string }) => (id === '2' ? null : Number(id)) },
};

const VIEWS_RESOLVERS: Resolvers = {
  Query: { seen: () => [{ id: 'f1' }, { id: 'b2' }] },
  Medium: {
    __resolveReference: ({ id }: { id: string }) => ({ id }),
    views: ({ id }: { id: string }) => id.charCodeAt(1),
  },
};

export async function startLibrary(): Promise<Library> {
  const people = await startSubgraph('people', PEOPLE, PEOPLE_RESOLVERS);
  const books = await startSubgraph('books', BOOKS, BOOKS_RESOLVERS);
  const post = await startSubgraph('post', POST, postResolvers([]));
  const rates = await startSubgraph('rates', RATES, RATES_RESOLVERS);
  const views = await startSubgraph('views', VIEWS, VIEWS_RESOLVERS);
  const all = [people, books, post, rates, views];
  return {
    people,
    books,
    post,
    rates,
    all,
    close: async () => void (await Promise.all(all.map((server) => server.close()))),
  };
}
