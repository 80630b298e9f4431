// A graph with a rule of every kind at every kind of place, and who may see what of it, said a second time by hand.

import type { Policies } from '@weft/gateway/authority/requirement';
import { ANONYMOUS, createPrincipal, type Principal } from '@weft/gateway/identity/principal';
import { composeOrThrow } from '../gateway/library-gateway.ts';
import type { SubgraphServer } from '../gateway/subgraph-server.ts';
import { startMarkingSubgraph } from './marking-subgraph.ts';
import { withRules } from './with-rules.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@provides", "@interfaceObject", "@context", "@fromContext", "@shareable"])
`;

const VAULT = `${LINK}
type Query {
  person: Person people: [Person!]! parties: [Party!]! anything: [Anything!]! safe: Safe
  vaultOnly: String status: Status byStatus(status: Status): Person byFilter(filter: Filter): Person
  media: [Medium!]! boxes: [Box!]!
}
type Mutation { touch: Person burn: String }
interface Party { id: ID! name: String contact: String }
type Person implements Party @key(fields: "id") {
  id: ID! name: String contact: String ssn: String @shareable medical: String friend: Person safe: Safe
  status: Status level: Level oath: String!
}
type Company implements Party @key(fields: "id") { id: ID! name: String contact: String }
union Anything = Person | Company | Safe
type Safe @key(fields: "id") { id: ID! content: String }
enum Status { OPEN CLOSED }
input Filter { status: Status text: String }
scalar Level
interface Medium @key(fields: "id") { id: ID! }
type Book implements Medium @key(fields: "id") { id: ID! title: String }
type Film implements Medium @key(fields: "id") { id: ID! title: String }
type Box @key(fields: "id") @context(name: "box") { id: ID! label: String item: Item }
type Item @key(fields: "id") { id: ID! text(label: String @fromContext(field: "$box { label }")): String plain: String }
`;

const REPORTS = `${LINK}
type Query { reports: [Report!]! }
type Report @key(fields: "id") { id: ID! title: String about: Person @provides(fields: "ssn") author: Person }
type Person @key(fields: "id") {
  id: ID! ssn: String @external taxBand: String @requires(fields: "ssn") note: String
}
`;

const RATINGS = `${LINK}
type Query { ratings: String }
type Medium @key(fields: "id") @interfaceObject { id: ID! rating: String view: String }
`;

const RULES: Readonly<Record<string, string>> = {
  'Person.ssn': '@requiresScopes(scopes: [["citizen:ssn"]])',
  'Person.medical': '@authenticated',
  'Person.friend': '@authenticated',
  'Person.oath': '@requiresScopes(scopes: [["oath"]])',
  'Party.contact': '@requiresScopes(scopes: [["contact"]])',
  'Company.name': '@policy(policies: [["see-companies"]])',
  Safe: '@requiresScopes(scopes: [["safe", "open"], ["root"]])',
  'Query.vaultOnly': '@authenticated',
  'Mutation.burn': '@requiresScopes(scopes: [["burn"]])',
  Status: '@requiresScopes(scopes: [["status"]])',
  Level: '@policy(policies: [["levels"], ["see-companies"]])',
  'Box.label': '@authenticated',
  'Medium.rating': '@requiresScopes(scopes: [["rating"]])',
};

type Who = (principal: Principal) => boolean;
const scope =
  (name: string): Who =>
  (principal) =>
    principal.scopes.includes(name);
const known: Who = (principal) => principal.isAuthenticated;
const safe: Who = (principal) =>
  (scope('safe')(principal) && scope('open')(principal)) || scope('root')(principal);
const analyst: Who = (principal) => principal.roles.includes('analyst');

/** Every coordinate of an object type that somebody may not see, and who may. */
export const GUARDED: Readonly<Record<string, Who>> = {
  'Person.ssn': scope('citizen:ssn'),
  'Person.taxBand': scope('citizen:ssn'),
  'Person.medical': known,
  'Person.friend': known,
  'Person.oath': scope('oath'),
  'Person.contact': scope('contact'),
  'Company.contact': scope('contact'),
  'Company.name': analyst,
  'Person.safe': safe,
  'Query.safe': safe,
  'Safe.id': safe,
  'Safe.content': safe,
  'Query.vaultOnly': known,
  'Mutation.burn': scope('burn'),
  'Person.status': scope('status'),
  'Query.status': scope('status'),
  'Person.level': (principal) => scope('level')(principal) || analyst(principal),
  'Box.label': known,
  'Item.text': known,
  'Book.rating': scope('rating'),
  'Film.rating': scope('rating'),
};

/** Coordinates beside them that everybody may see. */
export const OPEN: readonly string[] = [
  'Person.name',
  'Person.note',
  'Company.id',
  'Book.title',
  'Film.view',
  'Report.title',
  'Item.plain',
];

/** The system that rates media knows no books and films: its marks name the interface. */
export function markedAs(coordinate: string): string {
  return coordinate.replace(/^(?:Book|Film)\.(?=rating|view)/, 'Medium.');
}

export const POLICIES: Policies = new Map([
  ['see-companies', { name: 'see-companies', roles: ['analyst'], scopes: [] }],
  ['levels', { name: 'levels', roles: [], scopes: ['level'] }],
]);

const EVERY_SCOPE = ['citizen:ssn', 'oath', 'contact', 'safe', 'open', 'burn', 'status', 'level', 'rating'];

export const ASKERS: ReadonlyMap<string, Principal> = new Map([
  ['the anonymous', ANONYMOUS],
  ['one without scopes', createPrincipal({ subject: 'nobody' })],
  ...[...EVERY_SCOPE, 'root', 'other'].map(
    (name) => [`one with ${name}`, createPrincipal({ subject: name, scopes: [name] })] as const,
  ),
  ['one with safe and open', createPrincipal({ subject: 'both', scopes: ['safe', 'open'] })],
  ['an analyst', createPrincipal({ subject: 'analyst', roles: ['analyst'] })],
  ['one with every scope', createPrincipal({ subject: 'all', scopes: EVERY_SCOPE, roles: ['analyst'] })],
]);

export interface GuardedGraph {
  readonly supergraphSdl: string;
  readonly servers: readonly SubgraphServer[];
  close(): Promise<void>;
}

export async function startGuardedGraph(): Promise<GuardedGraph> {
  const servers = await Promise.all([
    startMarkingSubgraph('vault', VAULT),
    startMarkingSubgraph('reports', REPORTS),
    startMarkingSubgraph('ratings', RATINGS),
  ]);
  return {
    supergraphSdl: withRules(composeOrThrow(servers), RULES),
    servers,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
