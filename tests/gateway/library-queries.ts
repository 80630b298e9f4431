// Operations over the library's graph that between them use what planning and execution must get right.

export const QUERIES: readonly (readonly [
  title: string,
  query: string,
  variables?: Record<string, unknown>,
])[] = [
  ['one system', '{ me { id name role boss { name } } }'],
  [
    'aliases of fields and arguments',
    '{ a: people(first: 1) { n: name i: id } b: people(first: 3) { name: id id: name } }',
  ],
  ['an entity of two systems', '{ people { name books { title } trust2: address { street lines } } }'],
  [
    'named and inline fragments',
    'query { me { ...P ... on Person { address { ...A } } } } fragment P on Person { name boss { ...Q } } fragment Q on Person { books { id } } fragment A on Address { street }',
  ],
  [
    'an interface',
    '{ media { __typename id title ... on Book { pages postage average } ... on Film { director { name address { street } } } } }',
  ],
  [
    'a union',
    '{ found(text: "x") { __typename ... on Person { name books { title } } ... on Book { title label } ... on Film { minutes } } }',
  ],
  ['lists of lists with entity fields', '{ shelf { id postage ratings { stars of { title } } } }'],
  ['@requires', '{ books { id postage slow: postage(express: true) label } }'],
  ['@provides', '{ books { author { name } } }'],
  ['nulls in lists of entities', '{ books { lentTo { name address { street } } } }'],
  ['a null entity', '{ nobody { name address { street } } books { average } }'],
  [
    'skip and include by variable',
    'query ($yes: Boolean!, $no: Boolean = false) { me { id name @include(if: $no) books @include(if: $yes) { title @skip(if: $no) } address @skip(if: $yes) { street } } people @include(if: $no) { id } }',
    { yes: true },
  ],
  [
    'skip and include in fragments over two systems',
    'query ($a: Boolean!) { media { ... @include(if: $a) { title } ... on Book @skip(if: $a) { postage } ... on Book @include(if: $a) { average } } }',
    { a: true },
  ],
  [
    'include by literals',
    '{ me { id @include(if: false) name @skip(if: false) } people @skip(if: true) { id } }',
  ],
  [
    'variables that reach a system',
    'query ($ids: [ID!], $x: Boolean) { books(ids: $ids) { id postage(express: $x) } }',
    { ids: ['b1', 'b3'], x: true },
  ],
  ['a default of a variable', 'query ($ids: [ID!] = ["b2"]) { books(ids: $ids) { title } }'],
  [
    'fields of one entity asked twice and merged',
    '{ me { books { id } books { title ratings { stars } } } }',
  ],
  [
    'entities that several places share',
    '{ ratings { stars of { title author { name address { street } } ratings { of { title } } } } }',
  ],
  ['typename everywhere', '{ __typename me { __typename books { __typename } } }'],
  ['an alias of typename', '{ found(text: "") { kind: __typename } media { t: __typename title } }'],
  [
    'mutations in their order, then entity fields',
    'mutation { one: stamp(parcel: "a") { log } post(book: "b2") { id log book { title author { name } } } two: stamp(parcel: "b") { log } }',
  ],
  ['a mutation that fails', 'mutation { stamp(parcel: "z") { id } broken { id } }'],
  ['a null where none may be, within a system', '{ people { id trust } }'],
  ['fields of an interface object', '{ media { __typename id views ... on Film { minutes views } } }'],
  [
    'an interface object whose type another system knows',
    '{ seen { id views title __typename ... on Book { average } } }',
  ],
  [
    'a whole branch that is excluded',
    'query ($a: Boolean!) { me { name books @include(if: $a) { average } } books @include(if: $a) { label } }',
    { a: false },
  ],
  [
    'introspection beside data',
    '{ __schema { queryType { name } } __type(name: "Role") { enumValues { name } } me { name } }',
  ],
  ['a hidden object in a list', '{ secret { title } }'],
];
